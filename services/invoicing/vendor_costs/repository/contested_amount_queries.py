"""Contested amounts of vendor invoices: they are owed all the same."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from shared.events.escalation import VendorDisputeEvent
from shared.persistence.database import Unit

_SAVE = """
INSERT INTO contested_amounts (vendor_dispute_id, vendor_invoice_id, currency, contested_minor, ended_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (vendor_dispute_id) DO UPDATE SET ended_at = coalesce(contested_amounts.ended_at, EXCLUDED.ended_at)
"""


async def save_contested_amount(unit: Unit, event: VendorDisputeEvent, ended_at: datetime | None) -> None:
    """Keep what is contested, or that it is no more; whether we have the vendor invoice or not."""
    await unit.connection.execute(
        _SAVE, event.vendor_dispute_id, event.vendor_invoice_id, event.currency, event.contested_minor, ended_at
    )


async def map_contested_amounts(unit: Unit, vendor_invoice_ids: Collection[UUID]) -> dict[UUID, int]:
    """Map vendor invoices to what is contested of them now, with tax; minor units. Those without are left out."""
    rows = await unit.connection.fetch(
        "SELECT vendor_invoice_id, sum(contested_minor)::bigint AS contested_minor FROM contested_amounts"
        " WHERE ended_at IS NULL AND vendor_invoice_id = ANY ($1) GROUP BY vendor_invoice_id",
        list(vendor_invoice_ids),
    )
    return {row["vendor_invoice_id"]: row["contested_minor"] for row in rows}
