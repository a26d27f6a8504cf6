"""Accounts evaluated: all facts of a batch are loaded at once, decided about one by one, and written together."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.collections.domain import account as domain_account
from services.collections.domain import evaluated_item
from services.collections.domain.account_changes import FreshFactsQuestion, NewNotice
from services.collections.domain.account_decision import evaluate_account
from services.collections.domain.account_draft import AccountDecision, AccountDraft, EvaluationContext
from services.collections.domain.dunning_account import DunningAccount
from services.collections.domain.evaluated_item import EvaluatedItem
from services.collections.repository import fact_queries, policy_queries
from services.collections.repository.decision_queries import WantedChange, save_account_changes
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import NewIntent
from shared.pure.ids import new_id

CHECK_SUSPENSION = "check_suspension"
"""The kind of the intent that asks invoicing for fresh balances before a suspension is requested."""
SEND_NOTICE = "send_notice"
"""The kind of the intent that sends a notice; its id is the notice's."""


async def load_evaluation_context(unit: Unit) -> EvaluationContext:
    """Load what a decision depends on beside the facts of its account."""
    return EvaluationContext(await policy_queries.list_policy_versions(unit), unit.now, iter(new_id, None))


async def load_account_draft(unit: Unit, account_id: UUID) -> AccountDraft:
    """Load the facts of an account that is known, for a decision. Raises KeyError."""
    context = await load_evaluation_context(unit)
    return AccountDraft((await fact_queries.load_dunning_accounts(unit, [account_id]))[account_id], context)


async def evaluate_known_items(unit: Unit, account: DunningAccount) -> list[EvaluatedItem]:
    """Evaluate the items of an account by the versions of the policy."""
    return evaluated_item.evaluate_items(await policy_queries.list_policy_versions(unit), account, unit.now)


async def load_accounts_to_evaluate(
    unit: Unit, account_ids: Sequence[UUID]
) -> tuple[Sequence[DunningAccount], EvaluationContext]:
    """Load the facts of these accounts, as far as they are known, and what decisions depend on beside them."""
    context = await load_evaluation_context(unit)
    return list((await fact_queries.load_dunning_accounts(unit, account_ids)).values()), context


async def reevaluate_account(unit: Unit, account_id: UUID) -> None:
    """Look at an account again, of which a fact has changed: settle what follows from the facts alone."""
    accounts, context = await load_accounts_to_evaluate(unit, [account_id])
    await apply_account_decisions(unit, [evaluate_account(account, context) for account in accounts])


async def apply_account_decisions(unit: Unit, decisions: Sequence[AccountDecision]) -> None:
    """Write what was decided, and publish its events."""
    await save_account_decisions(unit, decisions)
    for decision in decisions:
        publish_decision_events(unit, decision)


async def save_account_decisions(unit: Unit, decisions: Sequence[AccountDecision]) -> None:
    """Write the changes that were decided, each kind at once, and when to look at each item next."""
    wanted = [
        WantedChange(decision.account.account_id, change) for decision in decisions for change in decision.changes
    ]
    await save_account_changes(unit, wanted)
    await _enqueue_intents(unit, wanted)
    await fact_queries.save_next_evaluation_times(
        unit, [due for decision in decisions for due in decision.due_at.items()]
    )


def publish_decision_events(unit: Unit, decision: AccountDecision) -> None:
    """Announce what was decided."""
    for event in decision.events:
        unit.publish(event)


async def _enqueue_intents(unit: Unit, wanted: Iterable[WantedChange]) -> None:
    """Want the calls to the outside that changes need: notices to be sent, invoicing to be asked."""
    notices, questions = [], []
    for account_id, change in wanted:
        if isinstance(change, NewNotice):
            notices.append(NewIntent(change.id, account_id, str(change.id)))
        elif isinstance(change, FreshFactsQuestion):
            questions.append(NewIntent(new_id(), account_id, str(account_id)))
    await intents.enqueue_intents(unit, SEND_NOTICE, notices)
    await intents.enqueue_intents(unit, CHECK_SUSPENSION, questions)


async def list_invoices_not_dunnable(
    unit: Unit, account_id: UUID, rounds: Iterable[tuple[UUID, int]]
) -> frozenset[UUID]:
    """The invoices of a notice (each with its round) that are not dunnable now, as far as is known here."""
    account = (await fact_queries.load_dunning_accounts(unit, [account_id]))[account_id]
    evaluations = [result.evaluation for result in await evaluate_known_items(unit, account)]
    return domain_account.list_not_dunnable(rounds, evaluations)
