"""Answers of collections about an invoice: asked for a while, outside of any transaction, and not needed."""

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import ValidationError

from services.escalation.domain.disputes import DisputeWindow
from shared.clients import Answered
from shared.contracts.dunning_item import DunningItem
from shared.errors import Later

if TYPE_CHECKING:
    from shared.runtime import Runtime

PATIENCE_SECONDS = 2.0
"""How long a customer's dispute, or a message, waits for what it can do without."""


async def find_item(runtime: "Runtime", invoice_id: UUID) -> DunningItem | None:
    """Find what collections says of an invoice; None without an answer."""
    answer = await _wait_for_answer(runtime.clients["collections"].get(f"/v1/items/{invoice_id}"))
    try:
        return None if answer is None else DunningItem.model_validate(answer)
    except ValidationError:
        return None


async def find_next_day(runtime: "Runtime", invoice_id: UUID) -> date | None:
    """Find the local date on which the next step of an invoice comes; None where none comes, or nobody can say."""
    item = await find_item(runtime, invoice_id)
    return None if item is None or item.next is None else item.next.on


async def find_window(runtime: "Runtime", invoice_id: UUID) -> DisputeWindow | None:
    """Find within which days an invoice may be disputed; None where its policy has no limit, or nobody can say.

    Invoicing is asked for the issue date only where there is a limit.
    """
    item = await find_item(runtime, invoice_id)
    if item is None or item.terms is None or item.terms.dispute_window_days is None:
        return None
    invoice = await _wait_for_answer(runtime.clients["invoicing"].get(f"/v1/invoices/{invoice_id}"))
    if invoice is None:
        return None
    return DisputeWindow(date.fromisoformat(invoice["issue_date"]), item.terms.dispute_window_days)


async def _wait_for_answer(call: Awaitable[Any]) -> Any:
    """Wait for an answer for a while; None without any."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await call
    except (TimeoutError, Later, Answered):
        return None
