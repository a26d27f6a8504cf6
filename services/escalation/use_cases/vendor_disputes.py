"""Vendor disputes: we contest a part of what the vendor bills, and record what it answers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.cases import UNRESOLVED
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.domain.vendor_disputes import (
    ContestedVendorAmount,
    VendorDisputeState,
    check_contested_amount,
    plan_deadline_warning,
)
from services.escalation.repository import case_queries, dispute_queries, vendor_dispute_queries
from services.escalation.tables import CaseRow, DisputeRow, VendorDisputeRow
from services.escalation.use_cases.cases import (
    CaseLink,
    NewCase,
    get_case_event_subject,
    link_case,
    open_case,
    write_internal_entry,
)
from services.escalation.use_cases.invoicing_answers import translate_invoicing_errors
from shared.events.escalation import VendorDisputeOpened
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal, Unavailable
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch

if TYPE_CHECKING:
    from shared.process.runtime import Runtime


class UnknownVendorDifference(Refusal):
    """The vendor invoice has no such difference."""

    code = "unknown_difference"
    status = 422


class DifferenceAlreadyContested(Refusal):
    """Another open vendor dispute contests this difference."""

    code = "already_contested"


class VendorInvoiceUnavailable(Unavailable):
    """Invoicing does not say now what the vendor bills."""

    code = "vendor_invoice_unavailable"


@dataclass(frozen=True, slots=True)
class VendorInvoiceCopy:
    """An invoice of the vendor's as invoicing has it; minor units, with tax."""

    id: UUID
    number: str
    legal_entity: str
    currency: str
    total_minor: int


@dataclass(frozen=True, slots=True)
class NewVendorDispute:
    """A part of a vendor invoice that somebody wants to contest; without a case it gets one."""

    vendor_invoice_id: UUID
    currency: str
    items: Sequence[ContestedVendorAmount]
    reason_code: str
    reason: str
    dispute_id: UUID | None
    case_id: UUID | None
    vendor_reference: str | None
    deadline: date | None

    @property
    def contested_minor(self) -> int:
        """The sum of the items."""
        return sum(item.amount_minor for item in self.items)

    @property
    def contested_difference_ids(self) -> list[UUID]:
        """The differences that are contested, each once."""
        return list(dict.fromkeys(item.difference_id for item in self.items if item.difference_id is not None))


async def fetch_vendor_invoice(runtime: "Runtime", new: NewVendorDispute) -> VendorInvoiceCopy:
    """Ask invoicing for the vendor invoice, and whether the differences are its own; in no transaction.

    Raises NotFound, UnknownVendorDifference, CurrencyMismatch, VendorInvoiceUnavailable.
    """
    with translate_invoicing_errors(VendorInvoiceUnavailable, f"there is no vendor invoice {new.vendor_invoice_id}"):
        invoice = await open_invoicing_records(runtime).fetch_contestable_invoice(new.vendor_invoice_id)
    _check_currency(invoice.currency, new.currency)
    for difference_id in new.contested_difference_ids:
        await _check_difference(runtime, new, difference_id)
    return VendorInvoiceCopy(
        new.vendor_invoice_id, invoice.number, invoice.legal_entity, invoice.currency, invoice.total_minor
    )


async def _check_difference(runtime: "Runtime", new: NewVendorDispute, difference_id: UUID) -> None:
    try:
        with translate_invoicing_errors(VendorInvoiceUnavailable, f"items: there is no difference {difference_id}"):
            difference = await open_invoicing_records(runtime).fetch_contestable_difference(difference_id)
    except NotFound as missing:
        raise UnknownVendorDifference(missing.detail) from missing
    if difference.vendor_invoice_id != new.vendor_invoice_id:
        raise UnknownVendorDifference(f"items: the difference {difference_id} is of another invoice")
    _check_currency(difference.currency, new.currency)


def _check_currency(billed: str, contested: str) -> None:
    if billed != contested:
        raise CurrencyMismatch(f"the vendor bills {billed}, not {contested}")


async def open_vendor_dispute(
    unit: Unit, new: NewVendorDispute, invoice: VendorInvoiceCopy, actor: str
) -> VendorDisputeRow:
    """Contest a part of a vendor invoice.

    Raises NotFound, StateMoveRefused, DifferenceAlreadyContested, ContestedAboveInvoice.
    """
    dispute = await dispute_queries.get_dispute(unit, new.dispute_id) if new.dispute_id else None
    case = await _find_case(unit, new)
    await unit.lock_subjects(invoice.id, *_list_subjects(case, dispute))
    await _check_open(unit, new, invoice)
    case = await _take_case(unit, new, case, dispute, actor)
    row = _build_row(unit, new, invoice, case.id, actor)
    await vendor_dispute_queries.save_vendor_dispute(unit, row)
    unit.publish(VendorDisputeOpened(**describe_vendor_dispute(row)))
    unit.record(AuditedChange("vendor_dispute", row.id, case.account_id))
    await write_vendor_dispute_entry(unit, row, case, actor, new.reason)
    return row


async def _find_case(unit: Unit, new: NewVendorDispute) -> CaseRow | None:
    case_id = new.case_id or await vendor_dispute_queries.find_vendor_difference_task(
        unit, new.contested_difference_ids
    )
    return await case_queries.get_case(unit, case_id) if case_id else None


def _list_subjects(case: CaseRow | None, dispute: DisputeRow | None) -> list[UUID]:
    if case is not None:
        return [get_case_event_subject(case)]
    return [dispute.account_id] if dispute is not None else []


async def _check_open(unit: Unit, new: NewVendorDispute, invoice: VendorInvoiceCopy) -> None:
    if contested := await vendor_dispute_queries.list_contested_differences(
        unit, invoice.id, new.contested_difference_ids
    ):
        raise DifferenceAlreadyContested(f"an open vendor dispute contests {', '.join(contested)}")
    others_minor = await vendor_dispute_queries.sum_contested_amounts(unit, invoice.id)
    check_contested_amount(new.contested_minor, others_minor, invoice.total_minor)


async def _take_case(
    unit: Unit, new: NewVendorDispute, case: CaseRow | None, dispute: DisputeRow | None, actor: str
) -> CaseRow:
    """Take the case that is there, or open a task, and link it to what is contested."""
    links = [CaseLink("vendor_difference", difference_id) for difference_id in new.contested_difference_ids]
    if dispute is not None and (case is None or case.id != dispute.case_id):
        links.append(CaseLink("case", dispute.case_id))
    if case is None:
        account_id = dispute.account_id if dispute is not None else None
        subject = f"vendor dispute: {new.reason_code}"
        return await open_case(unit, NewCase("task", None, account_id, subject, queue="vendor", links=links), actor)
    locked = await case_queries.get_case(unit, case.id)
    if locked.state not in UNRESOLVED:
        raise StateMoveRefused(f"a case that is {locked.state} takes no vendor dispute")
    await link_case(unit, locked, links, actor)
    return locked


def _build_row(
    unit: Unit, new: NewVendorDispute, invoice: VendorInvoiceCopy, case_id: UUID, actor: str
) -> VendorDisputeRow:
    return VendorDisputeRow(
        id=new_id(),
        case_id=case_id,
        dispute_id=new.dispute_id,
        vendor_invoice_id=invoice.id,
        vendor_invoice_number=invoice.number,
        legal_entity=invoice.legal_entity,
        currency=invoice.currency,
        items=[_as_json(item) for item in new.items],
        contested_minor=new.contested_minor,
        reason_code=new.reason_code,
        reason=new.reason,
        vendor_reference=new.vendor_reference,
        ticket_id=None,
        deadline=new.deadline,
        warn_at=plan_deadline_warning(new.deadline),
        state=VendorDisputeState.OPEN,
        opened_by=actor,
        opened_at=unit.now,
        accepted_minor=None,
        ended_at=None,
        ended_by=None,
        ended_reason=None,
    )


def _as_json(item: ContestedVendorAmount) -> dict[str, Any]:
    return asdict(item) | {"difference_id": None if item.difference_id is None else str(item.difference_id)}


def describe_vendor_dispute(row: VendorDisputeRow) -> dict[str, Any]:
    """Build the fields that all events of a vendor dispute have."""
    return {
        "vendor_dispute_id": row.id,
        "vendor_invoice_id": row.vendor_invoice_id,
        "currency": row.currency,
        "contested_minor": row.contested_minor,
    }


async def write_vendor_dispute_entry(unit: Unit, row: VendorDisputeRow, case: CaseRow, actor: str, reason: str) -> None:
    """Write into the thread of its case what became of a vendor dispute."""
    details = {"vendor_dispute": str(row.id), "state": str(row.state)}
    await write_internal_entry(unit, case, "change", actor, reason, details)
