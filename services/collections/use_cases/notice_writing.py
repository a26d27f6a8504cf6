"""News about access are written as notices, which gather for a while; a worker sends them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from services.collections.repository import notice_queries
from services.collections.use_cases.account_evaluation import SEND_NOTICE
from shared.persistence.database import Unit
from shared.process import intents
from shared.pure.ids import new_id

GATHERED_FOR = timedelta(minutes=5)
"""Business time for which news about access waits for more of the kind, so that an account gets one message."""


async def create_access_notice(
    unit: Unit,
    account_id: UUID,
    kind: Literal["suspended", "restored"],
    subscription_id: UUID,
    items: Sequence[dict[str, Any]] = (),
) -> None:
    """Inform the customer of the access to a subscription, in a notice of the kind that nobody has begun to send.

    It is sent after a while, in which more of the kind may come. `items` are the invoices as they are stored.
    """
    notice = await notice_queries.find_unsent_notice(unit, account_id, kind, SEND_NOTICE)
    if notice is None:
        notice_id = new_id()
        await notice_queries.insert_access_notice(unit, notice_id, account_id, kind, items, subscription_id)
        await intents.enqueue_intent(unit, SEND_NOTICE, account_id, notice_id, {}, notice_id, GATHERED_FOR)
        return
    items_by_invoice = {item["invoice_id"]: item for item in [*notice.items, *items]}
    subscription_ids = sorted({*notice.subscription_ids, subscription_id})
    await notice_queries.save_unsent_notice(unit, notice.id, list(items_by_invoice.values()), subscription_ids)
