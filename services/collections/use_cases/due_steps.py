"""The steps that are due: what carries out each kind of action."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from services.collections.domain import account as domain_account
from services.collections.domain.actions.notice import NOTICE
from services.collections.domain.actions.suspend import SUSPEND
from services.collections.domain.actions.terminate import TERMINATE
from services.collections.domain.item_evaluation import Action
from services.collections.repository import fact_queries, notice_queries
from services.collections.repository.fact_queries import DunningFacts
from services.collections.use_cases import notice_writing
from services.collections.use_cases.account_evaluation import (
    EvaluatedItem,
    apply_account_facts,
    evaluate_account,
    list_suspended_subscriptions,
)
from shared.events.collections import TerminationRequested
from shared.persistence.database import Unit
from shared.process import intents

CHECK_SUSPENSION = "check_suspension"
"""The kind of the intent that asks invoicing for fresh balances before a suspension is requested."""

Carrier = Callable[[Unit, DunningFacts, Sequence[EvaluatedItem]], Awaitable[None]]
"""Carries out the actions of its kind that are due for the items of an account; called if there are any."""


async def take_due_dunning_steps(unit: Unit, account_ids: list[str]) -> None:
    """Take the steps that are due for these accounts, which are locked, and say when to judge next."""
    ids = [UUID(account_id) for account_id in account_ids]
    asked: dict[UUID, datetime | None] = {}
    for account in (await fact_queries.load_account_facts(unit, ids)).values():
        items = await evaluate_account(unit, account)
        kinds = {action.kind.name: action.kind for result in items for action in result.evaluation.actions}
        for name in sorted(kinds, key=list(CARRIERS).index):
            await CARRIERS[name](unit, account, items)
        if any(kind.awaits_fresh_facts for kind in kinds.values()):
            asked |= {result.item.invoice_id: None for result in items}
    await apply_account_facts(unit, ids, asked=asked)


async def _send_notices(unit: Unit, account: DunningFacts, items: Sequence[EvaluatedItem]) -> None:
    evaluations = [result.evaluation for result in items]
    versions = {result.item.invoice_id: result.version for result in items}
    suspended = list_suspended_subscriptions(account)
    for message in domain_account.group_notices_by_message(evaluations):
        actions = {item.evaluation.invoice_id: item.action for item in message.items}
        prospects = {
            judged_item.item.invoice_id: judged_item.assess_outlook(suspended, action)
            for judged_item in items
            if (action := actions.get(judged_item.item.invoice_id))
        }
        await notice_writing.create_step_notice(unit, account.account_id, message, versions, suspended, prospects)


async def _request_terminations(unit: Unit, account: DunningFacts, items: Sequence[EvaluatedItem]) -> None:
    for result in items:
        for action in result.evaluation.actions:
            if action.kind != TERMINATE:
                continue
            await _record_requested_step(unit, account, result, action)
            caused = [suspension for suspension in account.suspensions if result.item.invoice_id in suspension.causes]
            unit.publish(
                TerminationRequested(
                    account_id=account.account_id,
                    suspension_id=caused[0].id if caused else None,
                    policy_version=result.version,
                    step=action.step,
                    invoice_ids=(result.item.invoice_id,),
                    subscription_ids=tuple(suspension.subscription_id for suspension in caused),
                )
            )


async def _record_requested_step(unit: Unit, account: DunningFacts, result: EvaluatedItem, action: Action) -> None:
    """Record a step that asks somebody to act as taken."""
    evaluation = result.evaluation
    step = notice_queries.NewDunningStep(
        invoice_id=result.item.invoice_id,
        round=evaluation.round,
        step=action.step,
        outcome="requested",
        instant=action.at,
        policy_version=result.version,
        dunnable_minor=evaluation.dunnable_minor,
        notice_id=None,
        replaced_by=None,
        attempt=evaluation.attempts_by_step[action.step] + 1,
    )
    await notice_queries.insert_dunning_steps(unit, account.account_id, [step])


async def _ask_for_fresh_facts(unit: Unit, account: DunningFacts, items: Sequence[EvaluatedItem]) -> None:
    """Ask invoicing before any suspension is requested; `suspension_check` goes on with the answer."""
    await intents.enqueue_intent(unit, CHECK_SUSPENSION, account.account_id, account.account_id, {})


CARRIERS: Mapping[str, Carrier] = MappingProxyType(
    {NOTICE.name: _send_notices, TERMINATE.name: _request_terminations, SUSPEND.name: _ask_for_fresh_facts}
)
"""Carriers of each kind of action, by its name, in the order in which an account's actions are carried out."""
