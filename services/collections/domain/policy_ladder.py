"""The ladder: the steps of a policy as they stand for one item, with the notices that each requires."""

from collections import Counter
from datetime import datetime
from math import inf

from services.collections.domain.dunning_item import ItemFacts, TakenDunningStep
from services.collections.domain.dunning_timeline import DunningTimeline
from services.collections.domain.item_evaluation import NoticeRequirement, PolicyRung
from services.collections.domain.policy import Policy
from services.collections.domain.policy_step import RequiredNotice
from services.collections.domain.voided_steps import StepValidity, VoidingCauses, find_step_validity
from shared.pure.calendar import ONE_DAY, get_local_date


def list_policy_rungs(
    item: ItemFacts,
    policy: Policy,
    timeline: DunningTimeline,
    voiding: VoidingCauses,
    taken: tuple[TakenDunningStep, ...],
    instant: datetime,
) -> tuple[PolicyRung, ...]:
    """List the steps of the policy as they stand at an instant, with these taken in the round."""
    validity = find_step_validity(voiding, taken, instant)
    attempts = Counter(name for name, _ in {(step.step, step.at) for step in taken})
    return tuple(
        PolicyRung(
            step,
            timeline.find_step_day(step.day),
            validity.counting.get(step.name),
            tuple(_requirement(required, item, validity) for required in step.requires),
            validity.void.get(step.name),
            attempts[step.name],
        )
        for step in policy.steps
    )


def _requirement(required: RequiredNotice, item: ItemFacts, validity: StepValidity) -> NoticeRequirement:
    """How far a required notice is; one that was skipped is stood for by the notice that replaced it."""
    notice = validity.counting.get(required.notice)
    if notice and notice.replaced_by:
        notice = validity.counting.get(notice.replaced_by)
    sent_as = notice.step if notice else required.notice
    void = validity.void.get(required.notice)
    if notice is None or notice.delivered_at is None:
        return NoticeRequirement(required.notice, required.days_before, sent_as, notice, None, None, void)
    on = get_local_date(notice.delivered_at, item.zone)
    fulfilled_on = on + required.days_before * ONE_DAY
    return NoticeRequirement(required.notice, required.days_before, sent_as, notice, on, fulfilled_on, void)


def list_takeable_rungs(rungs: tuple[PolicyRung, ...]) -> tuple[PolicyRung, ...]:
    """List the rungs that can still be taken: a notice before one that was taken goes out only if it became void."""
    furthest_by_kind = {rung.step.kind.name: rung.step.day for rung in rungs if rung.taken}
    return tuple(
        rung
        for rung in rungs
        if not rung.taken
        and (
            rung.void
            or not rung.step.kind.replaces_missed
            or rung.step.day >= furthest_by_kind.get(rung.step.kind.name, -inf)
        )
    )
