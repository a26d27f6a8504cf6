"""Cases are opened, by people and by themselves; what has them in common: their lock and their thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.escalation.domain.cases import DEFAULT_QUEUES, CaseState
from services.escalation.repository import case_queries, thread_queries
from services.escalation.tables import CaseLinkRow, CaseRow, EntryRow
from services.escalation.use_cases.case_clocks import begin_case_clocks
from shared.events.escalation import CaseKind, CaseOpened, Severity
from shared.persistence.database import Unit
from shared.pure.ids import new_id


@dataclass(frozen=True, slots=True)
class CaseLink:
    """A thing that a case is about; `line` is that of an invoice, 0 for the whole."""

    kind: str
    target_id: UUID
    line: int = 0


@dataclass(frozen=True, slots=True)
class NewCase:
    """A problem that somebody has; `cause` is unique among unresolved cases where a machine opens them.

    The subject is words of ours, unless a person gave it: no mail to the customer has them.
    """

    kind: CaseKind
    severity: Severity | None
    account_id: UUID | None
    subject: str
    cause: str | None = None
    description: str | None = None
    product: str | None = None
    queue: str | None = None
    assignee: str | None = None
    contact_person_id: UUID | None = None
    links: Sequence[CaseLink] = ()
    is_subject_internal: bool = True


async def open_case(unit: Unit, new: NewCase, actor: str | None) -> CaseRow:
    """Open a case; without an actor it is opened by itself."""
    row = CaseRow(
        id=new_id(),
        version=1,
        account_id=new.account_id,
        kind=new.kind,
        severity=new.severity,
        state=CaseState.NEW,
        state_since=unit.now,
        subject=new.subject,
        is_subject_internal=new.is_subject_internal,
        description=new.description,
        product=new.product,
        queue=new.queue or DEFAULT_QUEUES[new.kind],
        assignee=new.assignee,
        contact_person_id=new.contact_person_id,
        cause=new.cause,
        opened_at=unit.now,
        opened_by=actor,
        outcome=None,
        outcome_at=None,
        outcome_sequence=None,
        closed_at=None,
        closed_by=None,
        no_customer_affected=None,
        merged_into=None,
        next_deadline_at=None,
        unread_answers=0,
    )
    await unit.lock_subjects(get_case_event_subject(row))
    await case_queries.save_case(unit, row)
    await case_queries.save_case_words(unit, row)
    await link_case(unit, row, new.links, actor)
    unit.publish(CaseOpened(case_id=row.id, account_id=row.account_id, kind=new.kind, severity=new.severity))
    await begin_case_clocks(unit, row, ("first", "resolution"))
    return row


async def open_task(
    unit: Unit, account_id: UUID | None, cause: str, subject: str, links: Sequence[CaseLink] = ()
) -> None:
    """Open a task for a person, unless one for the same cause is not done yet."""
    await open_case_for_event(unit, NewCase("task", None, account_id, subject, cause, links=links))


async def open_case_for_event(unit: Unit, new: NewCase) -> None:
    """Open a case that an event needs, once for its cause; events of the past open none."""
    assert new.cause is not None
    if not unit.is_past and not await case_queries.has_unresolved_case(unit, new.cause):
        await open_case(unit, new, actor=None)


async def link_case(unit: Unit, row: CaseRow, links: Sequence[CaseLink], actor: str | None) -> int:
    """Link a case to what it is about; how many of the links are new."""
    return await case_queries.insert_case_links(
        unit, [CaseLinkRow(case_id=row.id, added_by=actor, added_at=unit.now, **_read_link(link)) for link in links]
    )


def _read_link(link: CaseLink) -> dict[str, Any]:
    return {"kind": link.kind, "target_id": link.target_id, "line": link.line}


async def lock_case(unit: Unit, case_id: UUID) -> CaseRow:
    """Lock what a case is about, and get the case as it is then. Raises NotFound."""
    await unit.lock_subjects(get_case_event_subject(await case_queries.get_case(unit, case_id)))
    return await case_queries.get_case(unit, case_id)


async def write_internal_entry(
    unit: Unit, row: CaseRow, kind: str, actor: str | None, content: str, details: Mapping[str, Any]
) -> EntryRow:
    """Write an internal entry into the thread of a case."""
    entry = EntryRow(
        id=new_id(),
        case_id=row.id,
        account_id=row.account_id,
        kind=kind,
        audience="internal",
        actor=actor,
        content=content,
        details=dict(details),
        channel=None,
        about_outcome=None,
        sequence=None,
        entered_at=unit.now,
    )
    await thread_queries.insert_thread_entry(unit, entry)
    return entry


def get_case_event_subject(row: CaseRow) -> UUID:
    """Get what the events of a case are about: its account, else the case itself."""
    return row.account_id or row.id
