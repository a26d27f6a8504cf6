"""Updates of balances: what every change has in common is saved and published here."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.receivables.domain import overdue_rules
from services.invoicing.receivables.domain.closing_causes import ClosingCause, find_invoice_closing_cause
from services.invoicing.receivables.domain.invoice_balances import Allocation, Invoice
from services.invoicing.receivables.repository import invoice_queries
from shared.events.invoicing import (
    AllocatedAmount,
    FreedCash,
    InvoiceBalance,
    InvoiceBalanceChanged,
    InvoiceClosed,
    InvoiceCredited,
    InvoiceIssued,
    InvoicePaid,
)
from shared.events.values import LineBalance
from shared.persistence.database import Unit


def build_invoice_balance_fields(invoice: Invoice) -> InvoiceBalance:
    """The whole balance of an invoice, as events carry it."""
    return InvoiceBalance(
        invoice_id=invoice.id,
        number=invoice.number,
        currency=invoice.currency,
        due_date=invoice.due_date,
        total_minor=sum(line.amount for line in invoice.lines),
        open_minor=invoice.open_minor,
        disputed_minor=invoice.disputed_minor,
        in_flight_minor=invoice.in_flight_minor,
        credited_minor=sum(line.credited for line in invoice.lines),
        written_off_minor=sum(line.written_off for line in invoice.lines),
        lines=tuple(
            LineBalance(
                line=line.number,
                subscription_id=line.subscription_id,
                open_minor=line.open_minor,
                disputed_minor=line.disputed_minor,
                in_flight_minor=line.in_flight,
                written_off_minor=line.written_off,
            )
            for line in invoice.lines
        ),
    )


def build_invoice_issued(invoice: Invoice, issue_date: date, external_reference: str | None) -> InvoiceIssued:
    """Build what is announced of a new invoice: a line of it that nothing is to be paid of is none of its balance.

    A bill run announces all its invoices at once, with BUILD_INVOICE_ISSUED of `chunk_issuing_statements`.
    """
    return InvoiceIssued(
        account_id=invoice.account_id,
        issue_date=issue_date,
        external_reference=external_reference,
        balance=build_invoice_balance_fields(invoice),
    )


def build_allocation_fields(allocations: tuple[Allocation, ...]) -> tuple[AllocatedAmount, ...]:
    """Allocations as events carry them."""
    return tuple(
        AllocatedAmount(
            invoice_id=allocation.invoice_id,
            line=allocation.line,
            amount_minor=allocation.amount,
            is_recovery=True if allocation.is_recovery else None,
        )
        for allocation in allocations
    )


def build_freed_allocation_fields(allocations: tuple[Allocation, ...]) -> tuple[FreedCash, ...]:
    """Build the fields of events for what is unapplied cash of its payments again."""
    amounts: Counter[UUID] = Counter()
    for allocation in allocations:
        amounts[allocation.payment_id] += allocation.amount
    return tuple(FreedCash(payment_id=id_, amount_minor=amount) for id_, amount in sorted(amounts.items()))


async def save_and_publish_balances(
    unit: Unit, zone: str, before: Mapping[UUID, Invoice], after: Mapping[UUID, Invoice]
) -> None:
    """Save the invoices whose lines changed, publish their balances, and say which are paid now."""
    await invoice_queries.save_invoice_balances(unit, publish_balance_changes(unit, zone, before, after))


def publish_balance_changes(
    unit: Unit, zone: str, before: Mapping[UUID, Invoice], after: Mapping[UUID, Invoice]
) -> dict[UUID, tuple[Invoice, int]]:
    """Publish the balances that changed and say which invoices are paid now; what is to be saved of them."""
    changed: dict[UUID, tuple[Invoice, int]] = {}
    for invoice_id, invoice in after.items():
        if invoice.lines == before[invoice_id].lines:
            continue
        judged = overdue_rules.schedule_invoice_overdue_check(invoice, unit.now, ZoneInfo(zone))
        event = InvoiceBalanceChanged(account_id=invoice.account_id, balance=build_invoice_balance_fields(invoice))
        changed[invoice_id] = (judged, unit.publish(event))
        if invoice.open_minor == 0 and before[invoice_id].open_minor > 0:
            _announce_closing(unit, invoice, find_invoice_closing_cause(before[invoice_id], invoice))
    return changed


def _announce_closing(unit: Unit, invoice: Invoice, cause: ClosingCause) -> None:
    closed = {"account_id": invoice.account_id, "invoice_id": invoice.id, "number": invoice.number}
    if cause == "payment":
        unit.publish(InvoicePaid(**closed))
    if cause == "credit_note":
        unit.publish(InvoiceCredited(**closed))
    unit.publish(InvoiceClosed(**closed, closed_by=cause))
