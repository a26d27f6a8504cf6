"""Cases are opened, resolved, and closed once the customer was told."""

from dataclasses import dataclass
from uuid import UUID

from services.escalation import domain
from services.escalation.domain import CASE_ALLOWED, CaseState, Loop, moved_to
from services.escalation.repository import cases as repository
from services.escalation.tables import CaseRow, ContactRow
from shared.audit import Change
from shared.database import Unit
from shared.events.escalation import (
    CaseClosed,
    CaseKind,
    CaseOpened,
    CaseOutcome,
    CaseResolved,
    CustomerContacted,
    Severity,
)
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class NewCase:
    """A problem that somebody has; `cause` is unique among open cases where a machine opens them."""

    kind: CaseKind
    severity: Severity | None
    account_id: UUID | None
    subject: str
    cause: str | None = None


async def open_case(unit: Unit, new: NewCase, actor: str | None) -> CaseRow:
    """Open a case."""
    row = CaseRow(
        id=new_id(),
        account_id=new.account_id,
        kind=new.kind,
        severity=new.severity,
        state=CaseState.OPEN,
        subject=new.subject,
        cause=new.cause,
        opened_at=unit.now,
        opened_by=actor,
        outcome=None,
        outcome_at=None,
        outcome_sequence=None,
        closed_at=None,
        closed_by=None,
        no_customer_affected=None,
    )
    await unit.lock(_subject(row))
    await repository.add(unit, row)
    unit.publish(CaseOpened(case_id=row.id, account_id=row.account_id, kind=new.kind, severity=new.severity))
    return row


async def open_by_itself(unit: Unit, account_id: UUID, cause: str, subject: str) -> None:
    """Open a technical case of severity B for a vendor failure, unless one for the same cause is open."""
    await open_for_cause(unit, NewCase("technical", "B", account_id, subject, cause))


async def open_task(unit: Unit, account_id: UUID | None, cause: str, subject: str) -> None:
    """Open a task for a person, unless one for the same cause is open."""
    await open_for_cause(unit, NewCase("task", None, account_id, subject, cause))


async def open_for_cause(unit: Unit, new: NewCase) -> None:
    """Open a case that an event needs, once for its cause; events of the past open none."""
    assert new.cause is not None
    if not unit.is_past and not await repository.open_for(unit, new.cause):
        await open_case(unit, new, actor=None)


async def resolve(unit: Unit, case_id: UUID, outcome: CaseOutcome, words: str) -> CaseRow:
    """Record the outcome, announced as a code; the words stay here. Raises NotFound, MoveRefused."""
    row = await _locked(unit, case_id)
    row.state = moved_to(CASE_ALLOWED, CaseState(row.state), CaseState.RESOLVED)
    row.outcome, row.outcome_at = words, unit.now
    row.outcome_sequence = unit.publish(CaseResolved(case_id=row.id, account_id=row.account_id, outcome=outcome))
    await repository.add(unit, row)
    return row


async def resolve_by_hand(unit: Unit, case_id: UUID, words: str) -> CaseRow:
    """Resolve a case because a person says so. Raises NotFound, MoveRefused."""
    before = (await _locked(unit, case_id)).model_dump()
    row = await resolve(unit, case_id, "resolved_by_person", words)
    unit.record(Change("case", case_id, row.account_id, before, row.model_dump()))
    return row


async def record_contact(
    unit: Unit, case_id: UUID, channel: str, about_outcome: bool, comment: str, actor: str
) -> ContactRow:
    """Put on record that somebody spoke with the customer. Raises NotFound."""
    case = await _locked(unit, case_id)
    contact_id = new_id()
    sequence = unit.publish(
        CustomerContacted(
            case_id=case_id,
            account_id=case.account_id,
            contact_id=contact_id,
            channel=channel,
            about_outcome=about_outcome,
        )
    )
    row = ContactRow(
        id=contact_id,
        case_id=case_id,
        account_id=case.account_id,
        channel=channel,
        about_outcome=about_outcome,
        comment=comment,
        actor=actor,
        contacted_at=unit.now,
        sequence=sequence,
    )
    await repository.add_contact(unit, row)
    unit.record(Change("contact", row.id, row.account_id))
    return row


async def close(unit: Unit, case_id: UUID, actor: str, no_customer_affected: str | None) -> CaseRow:
    """Close the loop. Raises NotFound, MoveRefused, CustomerNotTold, CustomerConcerned."""
    row = await _locked(unit, case_id)
    before = row.model_dump()
    loop = Loop(
        row.outcome_sequence,
        await repository.get_informed_sequence(unit, case_id),
        no_customer_affected,
        is_task=row.kind == "task",
        is_of_customer=row.account_id is not None and row.opened_by is not None,
    )
    row.state = domain.closed(CaseState(row.state), loop)
    row.closed_at, row.closed_by, row.no_customer_affected = unit.now, actor, no_customer_affected
    await repository.add(unit, row)
    unit.publish(CaseClosed(case_id=row.id, account_id=row.account_id, customer_told=loop.customer_told))
    unit.record(Change("case", case_id, row.account_id, before, row.model_dump()))
    return row


async def _locked(unit: Unit, case_id: UUID) -> CaseRow:
    await unit.lock(_subject(await repository.case(unit, case_id)))
    return await repository.case(unit, case_id)


def _subject(row: CaseRow) -> UUID:
    """What the case's events are about."""
    return row.account_id or row.id
