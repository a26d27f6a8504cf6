"""Facts that a notice to a customer states, over REST."""

from uuid import UUID

from services.invoicing.receivables.use_cases import notice_facts
from shared.contracts.notice_facts import NoticeFacts, NoticeFactsIn
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/accounts", tags=["accounts"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


@reads.post("/{account_id}/notice-facts", summary="What a notice to a customer states")
async def get_notice_facts(account_id: UUID, named: NoticeFactsIn, read: Read) -> NoticeFacts:
    """Return contact, language, sender, bank account and, of these invoices and subscriptions, what they are for.

    All at the same moment. Changes nothing, so it needs no key.
    """
    return await read(
        lambda unit: notice_facts.collect_notice_facts(unit, account_id, named.invoice_ids, named.subscription_ids)
    )
