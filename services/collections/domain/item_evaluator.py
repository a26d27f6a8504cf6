"""The judgement: a pure function of an item's facts with their times, the policy, and now.

Each step is judged daily at its local time. A sweep that comes late judges the last such instant that has
passed, and acts only if the item is dunnable now as well; what is released from a dispute or a promise is
thus judged at the next of these instants.
"""

from datetime import date, datetime, time
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from services.collections.domain.dunning_item import ItemBalance, ItemFacts, TakenDunningStep, find_dunning_round
from services.collections.domain.dunning_timeline import DunnableSpan, DunningTimeline, build_dunning_timeline
from services.collections.domain.item_evaluation import (
    DeferredDunningStep,
    DueDunningStep,
    ItemEvaluation,
    NextDunningStep,
    PolicyRung,
)
from services.collections.domain.policy import Policy
from services.collections.domain.policy_ladder import list_policy_rungs, list_takeable_rungs
from services.collections.domain.policy_step import PolicyStep
from services.collections.domain.voided_steps import VoidingCauses, gather_voiding_causes, is_suspension_released
from shared.pure.calendar import (
    ONE_DAY,
    find_first_day_from,
    find_last_passed_day,
    find_local_instant,
    get_local_date,
)


class _View(NamedTuple):
    """An item as it looks at `now`, before any step is weighed; `rungs` know the steps of this round only."""

    item: ItemFacts
    now: datetime
    today: date
    """The local date."""
    round: int
    began: ItemBalance | None
    overdue_at: datetime | None
    timeline: DunningTimeline
    current: DunnableSpan
    policy: Policy
    voiding: VoidingCauses
    taken: tuple[TakenDunningStep, ...]
    """The steps of this round."""
    rungs: tuple[PolicyRung, ...]
    takeable: tuple[PolicyRung, ...]
    """Those that can still be taken."""
    last: dict[time, tuple[date, datetime]]
    """For each local time of the policy, the last day and instant with it that have passed."""


def evaluate_dunning_item(item: ItemFacts, policy: Policy, now: datetime) -> ItemEvaluation:
    """Evaluate an item by the policy at `now`.

    `next` supposes that the actions named here are carried out; who refuses one (the guard, a fresh
    balance) judges again when that has changed.
    """
    view = _build_view(item, policy, now)
    due = [rung for rung in view.takeable if _is_due(view, rung)] if view.current.dunnable else []
    actions, deferred = _weigh_due_rungs(view, due)
    return _build_evaluation(view, actions, deferred)


def _build_view(item: ItemFacts, policy: Policy, now: datetime) -> _View:
    history = item.list_balance_history(now)
    number, began = find_dunning_round(history)
    timeline = build_dunning_timeline(item, history, policy.after_release_days)
    voiding = gather_voiding_causes(item, policy, timeline)
    taken = tuple(step for step in item.taken if step.round == number)
    rungs = list_policy_rungs(item, policy, timeline, voiding, taken, now)
    return _View(
        item=item,
        now=now,
        today=get_local_date(now, item.zone),
        round=number,
        began=began,
        overdue_at=_overdue_at(item, began, now),
        timeline=timeline,
        current=timeline.get_span_at(now),
        policy=policy,
        voiding=voiding,
        taken=taken,
        rungs=rungs,
        takeable=list_takeable_rungs(rungs),
        last={at: _last_instant(at, item, now) for at in {step.at for step in policy.steps}},
    )


def _overdue_at(item: ItemFacts, began: ItemBalance | None, now: datetime) -> datetime | None:
    """When the item became overdue in its round; an earlier round's judgement says nothing about this one."""
    if began is None:
        return None
    evaluated_items = (o.judged_at for o in item.overdue if o.sequence > began.sequence and o.judged_at <= now)
    return min(evaluated_items, default=None)


def _last_instant(at: time, item: ItemFacts, now: datetime) -> tuple[date, datetime]:
    day = find_last_passed_day(now, at, item.zone)
    return day, find_local_instant(day, at, item.zone)


def _is_due(view: _View, rung: PolicyRung) -> bool:
    """Whether at the last instant with the step's local time it was reached and the item dunnable."""
    day, instant = view.last[rung.step.at]
    if rung.reached_on is None or day < rung.reached_on or _has_lapsed(view, rung.step, day):
        return False
    if rung.step.day > 0 and (view.overdue_at is None or view.overdue_at > instant):
        return False
    if view.began is None or instant < view.began.at:
        return False
    if rung.void and instant < rung.void.again_from:
        return False
    return view.timeline.get_span_at(instant).dunnable > 0


def _has_lapsed(view: _View, step: PolicyStep, day: date) -> bool:
    """Whether a step before the due date comes too late: a reminder of what falls due is no use after it."""
    return step.day <= 0 and day > view.item.due_date


def _weigh_due_rungs(
    view: _View, due: list[PolicyRung]
) -> tuple[tuple[DueDunningStep, ...], tuple[DeferredDunningStep, ...]]:
    """Weigh what is due: what is done, messages first, and what waits.

    Of a kind that replaces what was missed only the furthest step is done; the missed ones are recorded as skipped.
    """
    actions: list[DueDunningStep] = []
    deferred: list[DeferredDunningStep] = []
    standing = _map_standing_steps(view, view.rungs) if due else {}
    for rung in sorted(due, key=lambda rung: not rung.step.kind.replaces_missed):
        if any(_replaces(other.step, rung.step) for other in due):
            continue
        if rung.step.kind.assess_basis(standing) != "in_effect":
            continue
        if reason := _find_blocking_reason(view, rung):
            deferred.append(DeferredDunningStep(rung.step.name, reason, _next_instant(view, rung, view.now)))
        else:
            actions.append(_build_action(view, rung.step))
    return tuple(actions), tuple(deferred)


def _replaces(step: PolicyStep, missed: PolicyStep) -> bool:
    """Whether a step that is taken stands for another one that was missed."""
    return step.kind.replaces_missed and step.kind == missed.kind and missed.day < step.day


def _map_standing_steps(view: _View, rungs: tuple[PolicyRung, ...]) -> dict[str, TakenDunningStep]:
    """Map kinds of action, by name, to the furthest step of these rungs that was taken and no person has released."""
    return {
        rung.step.kind.name: rung.taken
        for rung in rungs
        if rung.taken and not is_suspension_released(view.item.releases, rung.taken)
    }


def _find_blocking_reason(view: _View, rung: PolicyRung) -> str | None:
    """Why a step that is due otherwise may not be taken yet."""
    day, _ = view.last[rung.step.at]
    unmet = (r for r in rung.requirements if r.fulfilled_on is None or r.fulfilled_on > day)
    if reason := "; ".join(requirement.reason for requirement in unmet):
        return reason
    return rung.step.kind.find_step_obstacle(view.current)


def _build_action(view: _View, step: PolicyStep) -> DueDunningStep:
    missed = (rung.step for rung in view.takeable if _replaces(step, rung.step))
    skipped, subscriptions = tuple(other.name for other in missed), step.kind.list_subscriptions(view.current)
    _, instant = view.last[step.at]
    return DueDunningStep(step.name, step.kind, step.day, instant, step.template, skipped, subscriptions)


def _find_next_step(view: _View, actions: tuple[DueDunningStep, ...]) -> NextDunningStep | None:
    """The first step that comes by time alone, once these actions are carried out.

    What becomes void before it comes may come first: so each stretch between such instants is looked at.
    """
    taken = (*view.taken, *(step for action in actions for step in _list_taken(view, action)))
    coming, since = None, view.now
    for until in (*view.voiding.list_voiding_instants(view.now), None):
        coming = _next_since(view, taken, since)
        if until is None or (coming and coming.at < until):
            break
        since = until
    return coming


def _list_taken(view: _View, action: DueDunningStep) -> list[TakenDunningStep]:
    """The steps that an action will have taken."""
    skipped = (
        TakenDunningStep(name, view.round, view.now, "skipped", replaced_by=action.step) for name in action.skipped
    )
    return [TakenDunningStep(action.step, view.round, view.now, action.kind.outcome), *skipped]


def _next_since(view: _View, taken: tuple[TakenDunningStep, ...], since: datetime) -> NextDunningStep | None:
    """The first step that comes by time alone after `since`, by what counts then."""
    rungs = list_policy_rungs(view.item, view.policy, view.timeline, view.voiding, taken, since)
    standing = _map_standing_steps(view, rungs)
    coming = [
        (instant, rung.step)
        for rung in list_takeable_rungs(rungs)
        if rung.step.kind.assess_basis(standing) != "over" and (instant := _next_instant(view, rung, since))
    ]
    if not coming:
        return None
    at, step = min(coming, key=itemgetter(0))
    return NextDunningStep(step.name, at, _describe_rule(step))


def _next_instant(view: _View, rung: PolicyRung, since: datetime) -> datetime | None:
    """The first instant after now, not before `since`, at which a rung can be taken if no new fact comes."""
    step = rung.step
    if rung.reached_on is None or not _can_be_overdue(view, step):
        return None
    last_day, _ = view.last[step.at]
    day = max(last_day + ONE_DAY, rung.reached_on, find_first_day_from(since, step.at, view.item.zone))
    for requirement in rung.requirements:
        if requirement.fulfilled_on is None:
            return None
        day = max(day, requirement.fulfilled_on)
    while not _has_lapsed(view, step, day):
        instant = find_local_instant(day, step.at, view.item.zone)
        span = view.timeline.get_span_at(instant)
        if span.dunnable and step.kind.find_step_obstacle(span) is None:
            return instant
        if span.is_open_ended:
            return None
        day = find_first_day_from(span.end, step.at, view.item.zone)
    return None


def _can_be_overdue(view: _View, step: PolicyStep) -> bool:
    """A step after the due date needs the overdue, which can be foreseen until the due date has passed."""
    return step.day <= 0 or view.overdue_at is not None or view.today <= view.item.due_date


@lru_cache(100)
def _describe_rule(step: PolicyStep) -> str:
    """The rule of the policy in words."""
    side = "after" if step.day > 0 else "before"
    when = f"{abs(step.day)} days {side} the due date" if step.day else "on the due date"
    required = (f"; {r.notice} at least {r.days_before} days earlier" for r in step.requires)
    return f"{step.name}: {when}, at {step.at:%H:%M} local time{''.join(required)}"


def _build_evaluation(
    view: _View, actions: tuple[DueDunningStep, ...], deferred: tuple[DeferredDunningStep, ...]
) -> ItemEvaluation:
    item, current = view.item, view.current
    return ItemEvaluation(
        invoice_id=item.invoice_id,
        number=item.number,
        currency=item.currency,
        judged_at=view.now,
        round=view.round,
        position=view.timeline.find_ladder_position(view.today),
        overdue_at=view.overdue_at,
        open_minor=sum(line.open_minor for line in current.lines),
        disputed_minor=sum(line.disputed_minor for line in current.lines),
        in_flight_minor=sum(line.in_flight_minor for line in current.lines),
        promised_minor=current.promised,
        dunnable_minor=current.dunnable,
        after_release_until=view.timeline.find_release_pause_end(view.now),
        dunnable_subscriptions=frozenset(current.dunnable_by_subscription),
        stage=max((r.step for r in view.rungs if r.taken), key=lambda step: step.day, default=None),
        actions=actions,
        deferred=deferred,
        next=_find_next_step(view, actions),
        ladder=view.rungs,
        paused_days=view.timeline.list_blocked_days(view.today),
    )
