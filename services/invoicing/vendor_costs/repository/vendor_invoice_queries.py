"""The vendor's invoices."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.invoicing.vendor_costs.tables import VendorInvoiceRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def get_vendor_invoice_row(unit: Unit, invoice_id: UUID) -> VendorInvoiceRow:
    """The vendor invoice as it is now; lock its stream first to change it. Raises NotFound."""
    row = await unit.session.get(VendorInvoiceRow, invoice_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no vendor invoice {invoice_id}")
    return row


async def find_vendor_invoice_row(unit: Unit, number: str) -> VendorInvoiceRow | None:
    """The vendor invoice of this number."""
    return (await unit.session.exec(select(VendorInvoiceRow).where(VendorInvoiceRow.number == number))).first()


async def insert_vendor_invoice(unit: Unit, row: VendorInvoiceRow) -> bool:
    """Write a new vendor invoice; False if another one has its number."""
    new = insert(VendorInvoiceRow).values(row.model_dump()).on_conflict_do_nothing().returning(col(VendorInvoiceRow.id))
    return (await unit.session.exec(new)).first() is not None


async def list_vendor_invoice_rows(
    unit: Unit, state: str | None, due_before: date | None, after: UUID | None, limit: int
) -> Sequence[VendorInvoiceRow]:
    """Vendor invoices in the order of their ids; of one state, due before a day, if that is asked."""
    query = select(VendorInvoiceRow).order_by(col(VendorInvoiceRow.id)).limit(limit)
    if state is not None:
        query = query.where(VendorInvoiceRow.state == state)
    if due_before is not None:
        query = query.where(col(VendorInvoiceRow.due_date) < due_before)
    if after is not None:
        query = query.where(col(VendorInvoiceRow.id) > after)
    return (await unit.session.exec(query)).all()


async def list_vendor_payments_due(unit: Unit, ids: Sequence[UUID]) -> Sequence[VendorInvoiceRow]:
    """Those of these that are still to be paid and whose warning is due, by their due dates."""
    query = (
        select(VendorInvoiceRow)
        .where(col(VendorInvoiceRow.id).in_(ids), col(VendorInvoiceRow.warn_at) <= unit.now)
        .order_by(col(VendorInvoiceRow.due_date), col(VendorInvoiceRow.number))
    )
    return (await unit.session.exec(query)).all()


async def list_vendor_invoices_unposted(unit: Unit, ids: Sequence[UUID]) -> Sequence[VendorInvoiceRow]:
    """List those of these that the ledger does not have, by their ids."""
    query = (
        select(VendorInvoiceRow)
        .where(col(VendorInvoiceRow.id).in_(ids), col(VendorInvoiceRow.post_at) <= unit.now)
        .order_by(col(VendorInvoiceRow.id))
    )
    return (await unit.session.exec(query)).all()


async def mark_vendor_invoices_posted(unit: Unit, ids: Sequence[UUID]) -> None:
    """Note that the ledger has these."""
    await unit.connection.execute("UPDATE vendor_invoices SET post_at = NULL WHERE id = ANY($1::uuid[])", list(ids))


async def mark_vendor_invoices_warned(unit: Unit, ids: Sequence[UUID]) -> None:
    """The warning was given; it comes once."""
    await unit.connection.execute(
        "UPDATE vendor_invoices SET warn_at = NULL, warned_at = $2 WHERE id = ANY($1::uuid[])", list(ids), unit.now
    )
