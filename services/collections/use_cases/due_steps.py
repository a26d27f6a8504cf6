"""The steps of the policy that are due are taken by a sweep."""

from uuid import UUID

from services.collections.domain.due_step_decision import evaluate_due_steps
from services.collections.use_cases.account_evaluation import apply_account_decisions, load_accounts_to_evaluate
from shared.persistence.database import Unit


async def take_due_dunning_steps(unit: Unit, account_ids: list[str]) -> None:
    """Take the steps that are due for these accounts, which are locked, and say when to look next."""
    accounts, context = await load_accounts_to_evaluate(unit, [UUID(account_id) for account_id in account_ids])
    await apply_account_decisions(unit, [evaluate_due_steps(account, context) for account in accounts])
