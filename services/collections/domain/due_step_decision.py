"""Decisions about steps that are due: what each kind of action does to an account."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from services.collections.domain.account import (
    DueSuspension,
    InvoiceInNotice,
    NoticeMessage,
    group_notices_by_message,
    group_suspensions,
)
from services.collections.domain.account_changes import FreshFactsQuestion, NewDunningStep, NewNotice
from services.collections.domain.account_decision import settle_account
from services.collections.domain.account_draft import AccountDecision, AccountDraft, EvaluationContext
from services.collections.domain.actions.notice import NOTICE
from services.collections.domain.actions.suspend import SUSPEND
from services.collections.domain.actions.terminate import TERMINATE
from services.collections.domain.deferral_decision import announce_step_deferral
from services.collections.domain.dunning_account import AnnouncedDeferral, DunningAccount
from services.collections.domain.evaluated_item import EvaluatedItem
from services.collections.domain.item_evaluation import DueDunningStep, ItemEvaluation
from services.collections.domain.notice_items import build_step_item, render_notice_items
from services.collections.domain.suspension_decision import request_suspension
from shared.events.collections import TerminationRequested, WaitsFor

Carrier = Callable[[AccountDraft, Sequence[EvaluatedItem]], None]
"""Carries out the actions of its kind that are due for the items of an account; called if there are any."""


class SuspensionDelay(NamedTuple):
    """The thing that suspensions wait for, in words, and when to look again; None if a person must act first."""

    cause: str
    again: datetime | None
    waits_for: WaitsFor


def evaluate_due_steps(account: DunningAccount, context: EvaluationContext) -> AccountDecision:
    """Decide to take the steps of an account that are due, and what follows from the facts then."""
    draft = AccountDraft(account, context)
    items = draft.evaluate_items()
    kinds = {action.kind.name: action.kind for result in items for action in result.evaluation.actions}
    for name in sorted(kinds, key=list(CARRIERS).index):
        CARRIERS[name](draft, items)
    awaits = any(kind.awaits_fresh_facts for kind in kinds.values())
    settle_account(draft, {result.item.invoice_id: None for result in items} if awaits else {})
    return draft.finish()


def _send_notices(draft: AccountDraft, items: Sequence[EvaluatedItem]) -> None:
    results = {result.item.invoice_id: result for result in items}
    for message in group_notices_by_message([result.evaluation for result in items]):
        _write_notice(draft, message, results)


def _write_notice(draft: AccountDraft, message: NoticeMessage, results: Mapping[UUID, EvaluatedItem]) -> None:
    """Write the message of the steps that fall on one instant, and record the steps as taken."""
    notice_id, suspended = next(draft.context.new_ids), draft.account.suspended_subscriptions
    step_items, steps, outlooks = [], list[NewDunningStep](), {}
    for notice_item in message.items:
        invoice_id = notice_item.evaluation.invoice_id
        result = results[invoice_id]
        step_items.append(build_step_item(notice_item, result.version, suspended))
        steps += _list_taken_steps(notice_item, result.version, notice_id, draft.context.now)
        outlooks[invoice_id] = result.assess_outlook(suspended, notice_item.action)
    draft.apply(NewNotice(notice_id, message.main_template, tuple(render_notice_items(step_items, outlooks))))
    for step in steps:
        draft.apply(step)


def _list_taken_steps(
    notice_item: InvoiceInNotice, policy_version: int, notice_id: UUID, now: datetime
) -> Iterator[NewDunningStep]:
    """List the step that a notice is for, and those that it stands for."""
    evaluation, action = notice_item.evaluation, notice_item.action
    taken = _build_step(evaluation, action, policy_version, now)._replace(outcome="notice", notice_id=notice_id)
    yield taken
    for name in action.skipped:
        attempt = evaluation.attempts_by_step[name] + 1
        yield taken._replace(step=name, outcome="skipped", notice_id=None, replaced_by=action.step, attempt=attempt)


def _build_step(
    evaluation: ItemEvaluation, action: DueDunningStep, policy_version: int, now: datetime
) -> NewDunningStep:
    """Build the step that an action takes, as one that is requested."""
    return NewDunningStep(
        invoice_id=evaluation.invoice_id,
        round=evaluation.round,
        step=action.step,
        outcome="requested",
        taken_at=now,
        instant=action.at,
        policy_version=policy_version,
        dunnable_minor=evaluation.dunnable_minor,
        notice_id=None,
        replaced_by=None,
        attempt=evaluation.attempts_by_step[action.step] + 1,
    )


def _request_terminations(draft: AccountDraft, items: Sequence[EvaluatedItem]) -> None:
    for result in items:
        for action in result.evaluation.actions:
            if action.kind == TERMINATE:
                _request_termination(draft, result, action)


def _request_termination(draft: AccountDraft, result: EvaluatedItem, action: DueDunningStep) -> None:
    """Record the step as taken, and ask for the end of what the invoice has suspended."""
    evaluation, invoice_id = result.evaluation, result.item.invoice_id
    caused = [suspension for suspension in draft.account.suspensions if invoice_id in suspension.causes]
    draft.apply(_build_step(evaluation, action, result.version, draft.context.now))
    draft.publish(
        TerminationRequested(
            account_id=draft.account.account_id,
            suspension_id=caused[0].id if caused else None,
            policy_version=result.version,
            step=action.step,
            invoice_ids=(invoice_id,),
            subscription_ids=tuple(suspension.subscription_id for suspension in caused),
        )
    )


def _ask_for_fresh_facts(draft: AccountDraft, items: Sequence[EvaluatedItem]) -> None:
    """Ask invoicing before any suspension is requested; `evaluate_due_suspensions` goes on with the answer."""
    draft.apply(FreshFactsQuestion())


CARRIERS: Mapping[str, Carrier] = MappingProxyType(
    {NOTICE.name: _send_notices, TERMINATE.name: _request_terminations, SUSPEND.name: _ask_for_fresh_facts}
)
"""Carriers of each kind of action, by its name, in the order in which an account's actions are carried out."""


def list_due_suspensions(items: Sequence[EvaluatedItem]) -> tuple[DueSuspension, ...]:
    """List the suspensions of an account that are due."""
    return group_suspensions(result.evaluation for result in items)


def evaluate_due_suspensions(
    account: DunningAccount, context: EvaluationContext, delay: SuspensionDelay | None
) -> AccountDecision:
    """Decide on the suspensions that are due by fresh facts: requested, or put off together until the delay is over."""
    draft, asked = AccountDraft(account, context), dict[UUID, datetime | None]()
    items = {result.item.invoice_id: result for result in draft.evaluate_items()}
    for due in list_due_suspensions(list(items.values())):
        if delay is None:
            request_suspension(draft, due, items)
            continue
        for invoice_id, _ in due.causes:
            asked[invoice_id] = delay.again
            announce_step_deferral(
                draft, items[invoice_id], AnnouncedDeferral(due.step, delay.cause, delay.again, delay.waits_for)
            )
    settle_account(draft, asked)
    return draft.finish()
