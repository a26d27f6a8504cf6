"""Postings of vendor invoices: their tax, our payment, and what was decided about differences."""

from collections.abc import Callable, Mapping
from datetime import UTC
from uuid import UUID

from services.invoicing.ledger.domain import (
    Entries,
    build_accepted_difference_entries,
    build_billed_difference_entries,
    build_vendor_payment_entries,
    build_vendor_tax_entries,
)
from services.invoicing.vendor_costs.domain.line_verdicts import Decision
from services.invoicing.vendor_costs.repository import vendor_invoice_queries
from services.invoicing.vendor_costs.repository.vendor_invoice_queries import (
    list_vendor_invoices_unposted,
    mark_vendor_invoices_posted,
)
from services.invoicing.vendor_costs.repository.vendor_posting_queries import VendorPosting, insert_vendor_postings
from services.invoicing.vendor_costs.tables import VendorDifferenceRow, VendorInvoiceRow
from shared.persistence.database import Unit

_DIFFERENCE_ENTRIES: Mapping[Decision, Callable[[int], Entries]] = {
    Decision.ACCEPT: build_accepted_difference_entries,
    Decision.BILL_CUSTOMER: build_billed_difference_entries,
}
"""Decisions that take a difference out of the payable; what is disputed stays in it."""


async def post_vendor_tax(unit: Unit, row: VendorInvoiceRow) -> None:
    """Post the tax of a vendor invoice, which its accruals leave out, on its invoice date."""
    await insert_vendor_postings(unit, [_build_tax_posting(unit, row)])


async def post_vendor_payment(unit: Unit, row: VendorInvoiceRow) -> None:
    """Post our payment of a vendor invoice that is paid, on the day of the payment; its tax too if that waits."""
    await insert_vendor_postings(unit, _list_waiting(unit, row) if row.post_at else [_build_payment_posting(unit, row)])
    row.post_at = None


async def post_unposted_vendor_invoices(unit: Unit, invoice_ids: list[str]) -> None:
    """Post those of these vendor invoices that were never posted, and their payments; they are locked."""
    rows = await list_vendor_invoices_unposted(unit, [UUID(invoice_id) for invoice_id in invoice_ids])
    await insert_vendor_postings(unit, [posting for row in rows for posting in _list_waiting(unit, row)])
    await mark_vendor_invoices_posted(unit, [row.id for row in rows])


async def post_vendor_difference(unit: Unit, row: VendorDifferenceRow, decision: Decision) -> None:
    """Take a difference that is accepted, or billed to the customer, out of the payable, on today's date (UTC)."""
    build_entries = _DIFFERENCE_ENTRIES.get(decision)
    if build_entries is None:
        return
    invoice = await vendor_invoice_queries.get_vendor_invoice_row(unit, row.vendor_invoice_id)
    posting = VendorPosting(
        invoice.legal_entity,
        row.currency,
        "vendor_difference",
        row.id,
        unit.get_last_sequence(invoice.id),
        unit.now.astimezone(UTC).date(),
        build_entries(row.billed_minor - row.expected_minor),
        row.account_id,
    )
    await insert_vendor_postings(unit, [posting])


def _list_waiting(unit: Unit, row: VendorInvoiceRow) -> list[VendorPosting]:
    postings = [_build_tax_posting(unit, row)]
    return [*postings, _build_payment_posting(unit, row)] if row.paid_on else postings


def _build_tax_posting(unit: Unit, row: VendorInvoiceRow) -> VendorPosting:
    return VendorPosting(
        row.legal_entity,
        row.currency,
        "vendor_invoice",
        row.id,
        unit.get_last_sequence(row.id),
        row.invoice_date,
        build_vendor_tax_entries(row.tax_minor),
    )


def _build_payment_posting(unit: Unit, row: VendorInvoiceRow) -> VendorPosting:
    assert row.paid_on is not None
    assert row.paid_minor is not None
    return VendorPosting(
        row.legal_entity,
        row.currency,
        "vendor_payment",
        row.id,
        unit.get_last_sequence(row.id),
        row.paid_on,
        build_vendor_payment_entries(row.paid_minor),
    )
