"""Service credits: the vendor is asked in time and with evidence, and what it gives is passed on to the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.escalation.domain.deadlines import compute_deadline_lapse, compute_deadline_warning
from services.escalation.domain.service_credits import (
    LEAD,
    SERVICE_CREDIT_ALLOWED,
    CreditRequestPeriod,
    ServiceCreditState,
    check_credit_request,
)
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.repository import case_queries, handover_queries, service_credit_queries
from services.escalation.tables import ServiceCreditRow, ServiceCreditTypeRow
from services.escalation.use_cases.cases import CaseLink, NewCase, open_case, write_internal_entry
from shared.events.escalation import ServiceCreditDeadlineNear, ServiceCreditLapsed
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id


class UnknownServiceCreditType(Refusal):
    """There is no such type of service credits, or it is used no more."""

    code = "unknown_type"
    status = 422


class UnknownCreditEvidence(Refusal):
    """The vendor does not want to see this for a credit of this type."""

    code = "unknown_evidence"
    status = 422


class EvidenceNotOfCustomer(Refusal):
    """The entry is no mail of the customer in the thread of the credit's case."""

    code = "entry_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class NewCreditEvidence:
    """Evidence under its code; the entry is the customer's mail that it is, if it is one."""

    code: str
    content: str
    entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewServiceCredit:
    """A credit that the vendor shall be asked for; the amount in minor units, without tax."""

    account_id: UUID
    type_code: str
    subscription_id: UUID | None
    counts_since: date
    currency: str
    expected_minor: int
    description: str | None


async def put_service_credit_type(unit: Unit, row: ServiceCreditTypeRow) -> ServiceCreditTypeRow:
    """Keep a type of service credits, new or changed; requests that are there keep their last day."""
    before = await service_credit_queries.put_credit_type_row(unit, row)
    unit.record(AuditedChange("service_credit_type", row.code, None, before, row.model_dump()))
    return row


async def open_service_credit(unit: Unit, new: NewServiceCredit, actor: str) -> ServiceCreditRow:
    """Open a service credit with its case, and compute its last day. Raises UnknownServiceCreditType."""
    kind = await service_credit_queries.find_service_credit_type(unit, new.type_code)
    if kind is None or not kind.is_active:
        raise UnknownServiceCreditType(f"type_code: there is no {new.type_code} that is used")
    last_day = CreditRequestPeriod(kind.days, kind.months).compute_last_request_day(new.counts_since)
    links = [CaseLink("subscription", new.subscription_id)] if new.subscription_id else []
    subject = f"service credit: {kind.title}"
    case = await open_case(
        unit,
        NewCase("service_credit", None, new.account_id, subject, description=new.description, links=links),
        actor,
    )
    row = _build_row(unit, new, case.id, last_day, actor)
    await service_credit_queries.save_service_credit(unit, row)
    unit.record(AuditedChange("service_credit", row.id, row.account_id))
    return row


def _build_row(unit: Unit, new: NewServiceCredit, case_id: UUID, last_day: date | None, actor: str) -> ServiceCreditRow:
    return ServiceCreditRow(
        id=new_id(),
        case_id=case_id,
        account_id=new.account_id,
        type_code=new.type_code,
        subscription_id=new.subscription_id,
        counts_since=new.counts_since,
        last_day=last_day,
        currency=new.currency,
        expected_minor=new.expected_minor,
        state=ServiceCreditState.DRAFT,
        evidence={},
        opened_by=actor,
        opened_at=unit.now,
        vendor_reference=None,
        requested_at=None,
        granted_minor=None,
        granted_at=None,
        ended_at=None,
        ended_reason=None,
        credit_note_id=None,
        credit_note_number=None,
        credited_minor=None,
        warned_at=None,
        wake_at=None if last_day is None else compute_deadline_warning(last_day, LEAD),
    )


async def add_credit_evidence(
    unit: Unit, service_credit_id: UUID, evidence: NewCreditEvidence, actor: str
) -> ServiceCreditRow:
    """Add what the vendor wants to see, in the place of what was there.

    Raises NotFound, UnknownCreditEvidence, EvidenceNotOfCustomer, StateMoveRefused.
    """
    row, before = await lock_service_credit(unit, service_credit_id)
    if row.state != ServiceCreditState.DRAFT:
        raise StateMoveRefused(f"what is {row.state} takes no more evidence")
    wanted = await _list_wanted(unit, row)
    if evidence.code not in wanted:
        raise UnknownCreditEvidence(f"code: the vendor wants {', '.join(wanted) or 'nothing'}")
    added = {"content": evidence.content, "actor": actor, "added_at": unit.now.isoformat()}
    if evidence.entry_id is not None:
        case = await case_queries.get_ongoing_case(unit, row.case_id)
        entries = await handover_queries.list_chosen_entries(unit, case.id, [evidence.entry_id])
        if [(entry.kind, entry.audience) for entry in entries] != [("mail_in", "customer")]:
            raise EvidenceNotOfCustomer("entry_id: it is no mail of the customer in the thread of the credit's case")
        added["entry_id"] = str(evidence.entry_id)
    row.evidence = row.evidence | {evidence.code: added}
    return await save_service_credit(unit, row, before)


async def record_credit_requested(
    unit: Unit, service_credit_id: UUID, reference: str | None, actor: str
) -> ServiceCreditRow:
    """Record that the vendor was asked. Raises NotFound, StateMoveRefused, CreditEvidenceMissing, TooLateForVendor."""
    row, before = await lock_service_credit(unit, service_credit_id)
    wanted_state = move_state(SERVICE_CREDIT_ALLOWED, ServiceCreditState(row.state), ServiceCreditState.REQUESTED)
    check_credit_request(row.last_day, await _list_wanted(unit, row), row.evidence, unit.now)
    row.state, row.vendor_reference = wanted_state, reference
    row.requested_at, row.wake_at = unit.now, None
    await write_credit_entry(unit, row, actor, "")
    return await save_service_credit(unit, row, before)


async def record_credit_granted(
    unit: Unit, service_credit_id: UUID, granted_minor: int, actor: str, reason: str
) -> ServiceCreditRow:
    """Record that the vendor grants an amount (minor units, without tax). Raises NotFound, StateMoveRefused."""
    row, before = await lock_service_credit(unit, service_credit_id)
    row.state = move_state(SERVICE_CREDIT_ALLOWED, ServiceCreditState(row.state), ServiceCreditState.GRANTED)
    row.granted_minor, row.granted_at = granted_minor, unit.now
    row.ended_at, row.ended_reason = unit.now, reason
    await write_credit_entry(unit, row, actor, reason)
    return await save_service_credit(unit, row, before)


async def end_credit_request(
    unit: Unit, service_credit_id: UUID, wanted: ServiceCreditState, actor: str, reason: str
) -> ServiceCreditRow:
    """Record that the vendor refuses, or that nobody asks any more. Raises NotFound, StateMoveRefused."""
    row, before = await lock_service_credit(unit, service_credit_id)
    row.state = move_state(SERVICE_CREDIT_ALLOWED, ServiceCreditState(row.state), wanted)
    row.ended_at, row.ended_reason, row.wake_at = unit.now, reason, None
    await write_credit_entry(unit, row, actor, reason)
    return await save_service_credit(unit, row, before)


async def warn_of_credit_deadlines(unit: Unit, account_ids: list[str]) -> None:
    """Warn of the service credits of these accounts whose last day comes, and end those whose last day is over."""
    rows = await service_credit_queries.list_due_service_credits(
        unit, [UUID(account_id) for account_id in account_ids], unit.now
    )
    for row in rows:
        assert row.last_day is not None
        lapse, announced = (
            compute_deadline_lapse(row.last_day),
            {
                "case_id": row.case_id,
                "account_id": row.account_id,
                "service_credit_id": row.id,
                "type_code": row.type_code,
                "last_day": row.last_day,
            },
        )
        if unit.now < lapse:
            row.warned_at, row.wake_at = unit.now, lapse
            unit.publish(ServiceCreditDeadlineNear(**announced))
        else:
            row.state = move_state(SERVICE_CREDIT_ALLOWED, ServiceCreditState(row.state), ServiceCreditState.LAPSED)
            row.ended_at, row.wake_at = unit.now, None
            unit.publish(ServiceCreditLapsed(**announced))
            await write_credit_entry(unit, row, None, "")
        await service_credit_queries.save_service_credit(unit, row)


async def lock_service_credit(unit: Unit, service_credit_id: UUID) -> tuple[ServiceCreditRow, dict[str, Any]]:
    """Lock the account of a service credit; the service credit, and its fields as they are. Raises NotFound."""
    await unit.lock_subjects((await service_credit_queries.get_service_credit(unit, service_credit_id)).account_id)
    row = await service_credit_queries.get_service_credit(unit, service_credit_id)
    return row, row.model_dump(mode="json")


async def _list_wanted(unit: Unit, row: ServiceCreditRow) -> Sequence[str]:
    kind = await service_credit_queries.find_service_credit_type(unit, row.type_code)
    assert kind is not None
    return kind.evidence


async def write_credit_entry(
    unit: Unit, row: ServiceCreditRow, actor: str | None, reason: str, more: dict[str, Any] | None = None
) -> None:
    """Write into the thread of its case what became of a service credit."""
    case = await case_queries.get_case(unit, row.case_id)
    details = {"service_credit": str(row.id), "state": str(row.state)}
    await write_internal_entry(unit, case, "change", actor, reason, details | (more or {}))


async def save_service_credit(unit: Unit, row: ServiceCreditRow, before: dict[str, Any]) -> ServiceCreditRow:
    """Write a service credit that a person has changed, for the audit too."""
    await service_credit_queries.save_service_credit(unit, row)
    unit.record(AuditedChange("service_credit", row.id, row.account_id, before, row.model_dump(mode="json")))
    return row
