"""Answers of collections about an invoice: asked for a while, outside of any transaction, and not needed."""

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from services.escalation.adapters import open_collections_items, open_invoicing_records
from services.escalation.domain.disputes import DisputeWindow
from shared.base.telemetry import log
from shared.contracts.dunning_item import DunningItem
from shared.pure.errors import RetryLater, Unavailable
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 2.0
"""How long a customer's dispute, or a message, waits for what it can do without."""


class TermsUnavailable(Unavailable):
    """Collections, or invoicing, does not let us ask for the terms of an invoice: a person mends that."""

    code = "terms_unavailable"


async def fetch_next_step_date(runtime: "Runtime", invoice_id: UUID) -> date | None:
    """Find the local date on which the next step of an invoice comes; None where none comes, or nobody can say."""
    try:
        item = await _find_item(runtime, invoice_id)
    except TermsUnavailable:
        return None
    return None if item is None or item.next is None else item.next.on


async def fetch_dispute_window(runtime: "Runtime", invoice_id: UUID) -> DisputeWindow | None:
    """Find within which days an invoice may be disputed; None where its policy has no limit, or nobody can say.

    Invoicing is asked for the issue date, and for the zone of the account, only where there is a limit.
    Raises TermsUnavailable.
    """
    item = await _find_item(runtime, invoice_id)
    if item is None or item.terms is None or item.terms.dispute_window_days is None:
        return None
    records = open_invoicing_records(runtime)
    invoice = await _wait_for_answer(records.fetch_issue_date(invoice_id))
    account = await _wait_for_answer(records.fetch_account_zone(item.account_id))
    if invoice is None or account is None:
        return None
    return DisputeWindow(invoice.issue_date, item.terms.dispute_window_days, ZoneInfo(account.time_zone))


async def _find_item(runtime: "Runtime", invoice_id: UUID) -> DunningItem | None:
    """Find what collections says of an invoice; None without an answer. Raises TermsUnavailable."""
    return await _wait_for_answer(open_collections_items(runtime).fetch_dunning_item(invoice_id))


async def _wait_for_answer(call: Awaitable[Answer]) -> Answer | None:
    """Wait for an answer for a while; None without any, and where there is no such thing.

    Raises TermsUnavailable.
    """
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await call
    except (TimeoutError, RetryLater):
        return None
    except RefusedByService as refused:
        if refused.status == 404:
            return None
        log.error("escalation may not ask for terms", status=refused.status, code=refused.code)
        raise TermsUnavailable(f"the terms of the invoice cannot be asked for: {refused.status}") from refused
