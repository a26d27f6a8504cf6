"""Vendor disputes, and what is contested of vendor invoices."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from services.escalation.domain.cases import UNRESOLVED
from services.escalation.tables import VendorDisputeRow
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


async def get_vendor_dispute(unit: Unit, vendor_dispute_id: UUID) -> VendorDisputeRow:
    """Get a vendor dispute as it is in the database now. Raises NotFound."""
    row = await unit.session.get(VendorDisputeRow, vendor_dispute_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no vendor dispute {vendor_dispute_id}")
    return row


async def save_vendor_dispute(unit: Unit, row: VendorDisputeRow) -> None:
    """Write a vendor dispute, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def list_vendor_disputes(
    unit: Unit,
    vendor_invoice_id: UUID | None,
    state: str | None,
    dispute_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> Sequence[VendorDisputeRow]:
    """List vendor disputes in the order of their ids, after this one."""
    return await list_rows_after(
        unit, VendorDisputeRow, after, limit, vendor_invoice_id=vendor_invoice_id, state=state, dispute_id=dispute_id
    )


async def take_vendor_dispute_warnings(unit: Unit, vendor_invoice_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Take the warnings that are due for vendor disputes of these invoices; the vendor disputes as they are."""
    query = """
        UPDATE vendor_disputes SET warn_at = NULL WHERE vendor_invoice_id = ANY ($1) AND warn_at <= $2
        RETURNING id AS vendor_dispute_id, vendor_invoice_id, currency, contested_minor, deadline
    """
    return await unit.connection.fetch(query, vendor_invoice_ids, unit.now)  # type: ignore[no-any-return]


async def sum_contested_amounts(unit: Unit, vendor_invoice_id: UUID) -> int:
    """Sum what is contested of a vendor invoice, and what the vendor has accepted of it; minor units."""
    total: int = await unit.connection.fetchval(
        "SELECT coalesce(sum(coalesce(accepted_minor, contested_minor)), 0)::bigint FROM vendor_disputes"
        " WHERE vendor_invoice_id = $1",
        vendor_invoice_id,
    )
    return total


async def list_contested_differences(
    unit: Unit, vendor_invoice_id: UUID, difference_ids: Collection[UUID]
) -> list[str]:
    """List those of these differences that open vendor disputes of the invoice contest."""
    query = """
        SELECT DISTINCT item ->> 'difference_id' AS difference_id
        FROM vendor_disputes, jsonb_array_elements(items) AS item
        WHERE vendor_invoice_id = $1 AND state = 'open' AND item ->> 'difference_id' = ANY ($2::text[])
        ORDER BY difference_id
    """
    wanted = [str(difference_id) for difference_id in difference_ids]
    return [row["difference_id"] for row in await unit.connection.fetch(query, vendor_invoice_id, wanted)]


async def find_vendor_difference_task(unit: Unit, difference_ids: Collection[UUID]) -> UUID | None:
    """Find the oldest task that is linked to one of these vendor differences and not resolved."""
    query = """
        SELECT c.id FROM case_links l JOIN cases c ON c.id = l.case_id
        WHERE l.target_id = ANY ($1) AND l.kind = 'vendor_difference' AND c.kind = 'task' AND c.state = ANY ($2)
        ORDER BY c.number LIMIT 1
    """
    case_id: UUID | None = await unit.connection.fetchval(query, list(difference_ids), sorted(UNRESOLVED))
    return case_id
