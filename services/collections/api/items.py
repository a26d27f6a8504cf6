"""Dunning items over REST."""

from uuid import UUID

from services.collections import use_cases
from shared.contracts.dunning_item import DunningItem
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/items", tags=["standing"], dependencies=[needs("collections:read")], responses=PROBLEMS)


@reads.get("/{invoice_id}", summary="One invoice as collections sees it")
async def get_dunning_item(invoice_id: UUID, read: Read) -> DunningItem:
    """The terms of the policy that hold for an invoice, and its next step if no new fact comes."""
    return await read(lambda unit: use_cases.items.describe_dunning_item(unit, invoice_id))
