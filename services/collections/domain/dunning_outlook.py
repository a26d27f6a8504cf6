"""Outlook: the steps that come of themselves if nothing new becomes known of an item."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.collections.domain.dunning_item import ItemFacts, TakenDunningStep
from services.collections.domain.item_evaluation import DueDunningStep, ItemEvaluation, NextDunningStep
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy import Policy
from services.collections.domain.policy_step import PolicyStep
from shared.pure.calendar import get_local_date


class UpcomingDunningStep(NamedTuple):
    """A step that will come, and the first local date on which it can."""

    step: str
    action: str
    """The name of its kind."""
    template: str | None
    day: date


class DunningOutlook(NamedTuple):
    """Statement of a message on an item, beside its step; amounts are minor units."""

    open_minor: int
    to_pay_minor: int
    """The dunnable amount."""
    subscription_ids: tuple[UUID, ...]
    """Those that have access and lose it with the coming suspension."""
    coming: tuple[UpcomingDunningStep, ...]


def assess_dunning_outlook(
    item: ItemFacts,
    policy: Policy,
    evaluation: ItemEvaluation,
    action: DueDunningStep | None,
    suspended: Collection[UUID],
) -> DunningOutlook:
    """Assess what a message states of an item that was judged, where these subscriptions are suspended."""
    return DunningOutlook(
        evaluation.open_minor,
        evaluation.dunnable_minor,
        tuple(sorted(evaluation.dunnable_subscriptions - frozenset(suspended))),
        forecast_dunning_steps(item, policy, action, evaluation.judged_at),
    )


def forecast_dunning_steps(
    item: ItemFacts, policy: Policy, action: DueDunningStep | None, now: datetime
) -> tuple[UpcomingDunningStep, ...]:
    """Foresee the steps of an item after an action that is carried out now, up to the one that ends access.

    Each notice is supposed to reach the next hop at its own time: it may come later, never sooner.
    """
    steps = {step.name: step for step in policy.steps}
    evaluation = evaluate_dunning_item(item, policy, now)
    if action is not None:
        item, evaluation = _take_step(item, policy, evaluation, action.step, now, now, action.skipped)
    coming: list[UpcomingDunningStep] = []
    while (upcoming := evaluation.next) and len(coming) < len(steps):
        step = steps[upcoming.step]
        coming.append(_coming_step(item, step, upcoming))
        if step.kind.ends_access:
            break
        item, evaluation = _take_step(item, policy, evaluation, step.name, upcoming.at, now)
    return tuple(coming)


def _coming_step(item: ItemFacts, step: PolicyStep, upcoming: NextDunningStep) -> UpcomingDunningStep:
    return UpcomingDunningStep(step.name, step.kind.name, step.template, get_local_date(upcoming.at, item.zone))


def _take_step(
    item: ItemFacts,
    policy: Policy,
    evaluation: ItemEvaluation,
    name: str,
    at: datetime,
    now: datetime,
    skipped: Iterable[str] = (),
) -> tuple[ItemFacts, ItemEvaluation]:
    """Suppose that a step was taken, and its notice delivered, at an instant, and judge the item again."""
    steps = [TakenDunningStep(name, evaluation.round, at, "sent", delivered_at=at)]
    steps += [TakenDunningStep(missed, evaluation.round, at, "skipped", replaced_by=name) for missed in skipped]
    supposed = replace(item, taken=(*item.taken, *steps))
    return supposed, evaluate_dunning_item(supposed, policy, now)
