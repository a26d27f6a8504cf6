"""Facts that another service states in a notice to a customer."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from services.invoicing.accounts.repository import account_queries, legal_entity_queries
from services.invoicing.accounts.tables.legal_entity_tables import LegalEntityRow
from services.invoicing.receivables.repository.notice_fact_queries import (
    list_invoices_for_notice,
    list_subscriptions_for_notice,
    list_supplies_for_notice,
)
from shared.contracts.notice_facts import (
    NoticeFacts,
    NoticeInvoice,
    NoticeSeller,
    NoticeSubscription,
    NoticeSupply,
)
from shared.persistence.database import Unit
from shared.pure.payment_references import build_creditor_reference


async def collect_notice_facts(
    unit: Unit, account_id: UUID, invoice_ids: Sequence[UUID], subscription_ids: Sequence[UUID]
) -> NoticeFacts:
    """Collect what a notice about these invoices and subscriptions of an account states. Raises NotFound."""
    account = await account_queries.get_account(unit, account_id)
    subscriptions = await list_subscriptions_for_notice(unit, account_id, subscription_ids)
    return NoticeFacts(
        account_id=account.id,
        name=account.name,
        billing_email=account.billing_email,
        language=account.language,
        seller=_seller(await legal_entity_queries.find_legal_entity(unit, account.legal_entity)),
        invoices=await _list_invoices(unit, account_id, invoice_ids),
        subscriptions=[NoticeSubscription.model_validate(dict(row)) for row in subscriptions],
    )


def _seller(row: LegalEntityRow | None) -> NoticeSeller | None:
    return NoticeSeller.model_validate(row, from_attributes=True) if row else None


async def _list_invoices(unit: Unit, account_id: UUID, invoice_ids: Sequence[UUID]) -> list[NoticeInvoice]:
    rows = await list_invoices_for_notice(unit, account_id, invoice_ids)
    supplies: defaultdict[UUID, list[NoticeSupply]] = defaultdict(list)
    for row in await list_supplies_for_notice(unit, [row["invoice_id"] for row in rows]):
        supplies[row["invoice_id"]].append(NoticeSupply.model_validate(dict(row)))
    return [
        NoticeInvoice(
            **dict(row),
            payment_reference=build_creditor_reference(row["number"]) or row["number"],
            supplies=supplies[row["invoice_id"]],
        )
        for row in rows
    ]
