"""Dunning items one by one: the terms that hold for an invoice, and its next step."""

from uuid import UUID

from services.collections.domain.item_evaluation import NextDunningStep
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy_version import PolicyVersion, find_policy
from services.collections.repository import fact_queries, policy_queries
from services.collections.repository.fact_queries import DunningItemKey
from shared.contracts.dunning_item import DunningItem, DunningNext, DunningTerms
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date


async def describe_dunning_item(unit: Unit, invoice_id: UUID) -> DunningItem:
    """Describe an invoice as collections sees it now. Raises NotFound."""
    key = await fact_queries.get_dunning_item_key(unit, invoice_id)
    versions = await policy_queries.list_policy_versions(unit)
    version = find_policy(versions, key.recorded_at, key.zone)
    account = (await fact_queries.load_dunning_accounts(unit, [key.account_id]))[key.account_id]
    item = next((item for item in account.items if item.invoice_id == invoice_id), None)
    upcoming = evaluate_dunning_item(item, version.policy, unit.now).next if item and version else None
    return DunningItem(
        invoice_id=invoice_id,
        account_id=key.account_id,
        terms=_describe_terms(version),
        next=_describe_next(upcoming, key),
    )


def _describe_terms(version: PolicyVersion | None) -> DunningTerms | None:
    if version is None:
        return None
    policy = version.policy
    return DunningTerms(
        policy_version=version.number,
        dispute_window_days=policy.dispute_window_days,
        after_release_days=policy.after_release_days,
    )


def _describe_next(upcoming: NextDunningStep | None, key: DunningItemKey) -> DunningNext | None:
    if upcoming is None:
        return None
    return DunningNext(step=upcoming.step, at=upcoming.at, on=get_local_date(upcoming.at, key.zone))
