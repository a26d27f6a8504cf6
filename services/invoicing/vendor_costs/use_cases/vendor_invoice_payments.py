"""The vendor's invoices are received and paid, and before one of our payments gets late there is an alarm."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.vendor_costs.domain import vendor_invoice
from services.invoicing.vendor_costs.domain.vendor_invoice import VendorInvoiceState
from services.invoicing.vendor_costs.repository import vendor_invoice_queries
from services.invoicing.vendor_costs.tables import VendorInvoiceRow
from services.invoicing.vendor_costs.use_cases import vendor_postings
from shared.events.invoicing import VendorInvoicePaid, VendorInvoiceReceived, VendorPaymentDue
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money


@dataclass(frozen=True, slots=True)
class NewVendorInvoice:
    """An invoice as the vendor sent it; the total is with tax. Dates left out have their usual values."""

    number: str
    legal_entity: str
    currency: str
    invoice_date: date
    due_date: date | None
    period_from: date | None
    period_to: date | None
    total_minor: int
    tax_minor: int
    warn_days_before: int


async def record_vendor_invoice(unit: Unit, new: NewVendorInvoice) -> VendorInvoiceRow:
    """Record an invoice of the vendor's. Raises UnknownLegalEntity, ExternalReferenceTaken, VendorInvoiceRefused."""
    await legal_entity_queries.check_legal_entity(unit, new.legal_entity)
    due = vendor_invoice.compute_vendor_due_date(new.invoice_date, new.due_date)
    period_from, period_to = vendor_invoice.compute_vendor_invoice_period(
        new.invoice_date, (new.period_from, new.period_to)
    )
    if new.tax_minor > new.total_minor:
        raise vendor_invoice.VendorInvoiceRefused(
            f"tax_minor: {new.tax_minor} is more than the total of {new.total_minor}"
        )
    row = VendorInvoiceRow(
        id=new_id(),
        number=new.number,
        legal_entity=new.legal_entity,
        currency=new.currency,
        invoice_date=new.invoice_date,
        due_date=due,
        period_from=period_from,
        period_to=period_to,
        total_minor=new.total_minor,
        tax_minor=new.tax_minor,
        state=VendorInvoiceState.RECEIVED.value,
        received_at=unit.now,
        warn_at=vendor_invoice.compute_payment_warning_time(due, new.warn_days_before),
    )
    if not await vendor_invoice_queries.insert_vendor_invoice(unit, row):
        raise ExternalReferenceTaken(f"another vendor invoice has the number {new.number}")
    await unit.lock_subjects(row.id)
    unit.publish(VendorInvoiceReceived(**_event_fields(row), period_from=row.period_from, period_to=row.period_to))
    await vendor_postings.post_vendor_tax(unit, row)
    unit.wake_after_commit("sweeps")
    unit.record(AuditedChange("vendor_invoice", row.id))
    return row


def _event_fields(row: VendorInvoiceRow) -> dict[str, object]:
    """Build what every event about a vendor invoice says of it."""
    names = ("number", "legal_entity", "currency", "invoice_date", "due_date", "total_minor", "tax_minor")
    return {"vendor_invoice_id": row.id} | {name: getattr(row, name) for name in names}


async def record_vendor_payment(
    unit: Unit, invoice_id: UUID, amount: Money, paid_on: date, actor: str, reason: str
) -> VendorInvoiceRow:
    """We paid the vendor. Raises NotFound, VendorInvoiceAlreadyPaid, CurrencyMismatch, VendorInvoiceRefused."""
    await vendor_invoice_queries.get_vendor_invoice_row(unit, invoice_id)
    await unit.lock_subjects(invoice_id)
    row = await vendor_invoice_queries.get_vendor_invoice_row(unit, invoice_id)
    state = vendor_invoice.get_paid_vendor_state(VendorInvoiceState(row.state))
    before = row.model_dump()
    if amount.currency != row.currency:
        raise CurrencyMismatch(f"the vendor invoice is in {row.currency}, not in {amount.currency}")
    vendor_invoice.check_vendor_payment(amount.minor, row.total_minor, paid_on, unit.now)
    changed = {"paid_on": paid_on, "paid_minor": amount.minor, "paid_by": actor, "paid_reason": reason}
    row.sqlmodel_update(changed | {"state": state.value, "warn_at": None})
    unit.publish(VendorInvoicePaid(**_event_fields(row), paid_on=paid_on, paid_minor=amount.minor))
    await vendor_postings.post_vendor_payment(unit, row)
    unit.session.add(row)
    await unit.session.flush()
    unit.record(AuditedChange("vendor_invoice", row.id, None, before, row.model_dump()))
    return row


async def warn_of_vendor_payments(unit: Unit, invoice_ids: list[str]) -> None:
    """Raise an alarm for each of these that is still to be paid; they are locked. It comes once for an invoice."""
    due = await vendor_invoice_queries.list_vendor_payments_due(unit, [UUID(id_) for id_ in invoice_ids])
    today = unit.now.date()
    for row in due:
        unit.publish(VendorPaymentDue(**_event_fields(row), days_left=(row.due_date - today) // timedelta(days=1)))
    await vendor_invoice_queries.mark_vendor_invoices_warned(unit, [row.id for row in due])
