"""The items of an account, each with the version of the policy that holds for it and what that says now."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.collections.domain.dunning_account import DunningAccount
from services.collections.domain.dunning_item import ItemFacts
from services.collections.domain.dunning_outlook import DunningOutlook, assess_dunning_outlook
from services.collections.domain.item_evaluation import DueDunningStep, ItemEvaluation
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy import Policy
from services.collections.domain.policy_version import PolicyVersion, find_policy
from services.collections.domain.suspension import SuspensionTerms


@dataclass(frozen=True, slots=True)
class EvaluatedItem:
    """An item, the version of the policy that holds for it, and what that says now."""

    item: ItemFacts
    version: int
    policy: Policy
    evaluation: ItemEvaluation

    def assess_outlook(self, suspended: Collection[UUID], action: DueDunningStep | None = None) -> DunningOutlook:
        """Assess what a message states of it, after an action that is carried out now."""
        return assess_dunning_outlook(self.item, self.policy, self.evaluation, action, suspended)


def evaluate_items(versions: Sequence[PolicyVersion], account: DunningAccount, now: datetime) -> list[EvaluatedItem]:
    """Evaluate every item of an account, each by the version that was in force when it was recorded.

    Without any version there is nothing to evaluate by.
    """
    results = []
    for item in account.items:
        version = find_policy(versions, item.recorded_at, item.zone)
        if version is not None:
            results.append(
                EvaluatedItem(item, version.number, version.policy, evaluate_dunning_item(item, version.policy, now))
            )
    return results


def map_suspension_terms(versions: Sequence[PolicyVersion], account: DunningAccount) -> dict[UUID, SuspensionTerms]:
    """Map the invoices of an account to the terms of their policies on which suspensions rest."""
    pairs = ((item.invoice_id, find_policy(versions, item.recorded_at, item.zone)) for item in account.items)
    return {invoice_id: SuspensionTerms.from_policy(version.policy) for invoice_id, version in pairs if version}


def find_oldest_due_date(items: Iterable[EvaluatedItem]) -> date | None:
    """Find the due date of the oldest invoice that is overdue and open."""
    return min((result.item.due_date for result in items if result.evaluation.is_overdue_and_open), default=None)
