"""Steps that were taken and count no more: a person's release forgets them, and so does a dispute or a promise.

A release forgets, once its last day is over, the suspension and termination that were taken before it, and the notices
that the suspension required. A dispute or promise that blocks the whole invoice after such a notice voids the notice,
unless the suspension that rests on it was taken: access ends only after a notice that is not older than that.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from services.collections.domain.dunning_item import ItemFacts, SuspensionRelease, TakenDunningStep
from services.collections.domain.dunning_timeline import MIDNIGHT, DunnableSpan, DunningTimeline
from services.collections.domain.policy import Policy
from shared.pure.calendar import ONE_DAY, find_local_instant

VoidedBy = Literal["release", "block"]
_BEST_FIRST = {"in_effect": 2, "awaited": 1, "over": 0}


class VoidedDunningStep(NamedTuple):
    """A step that was taken and does not count; at an instant from `again_from` on it can be taken again."""

    taken: TakenDunningStep
    cause: VoidedBy
    again_from: datetime


class StepValidity(NamedTuple):
    """The steps of a round, by name, as they count at an instant."""

    counting: Mapping[str, TakenDunningStep]
    void: Mapping[str, VoidedDunningStep]
    """Those of which none counts."""


class VoidingCauses(NamedTuple):
    """The causes that can void the steps of an item: its releases, and the spans in which it is blocked, in order."""

    releases: tuple[SuspensionRelease, ...]
    blocks: tuple[DunnableSpan, ...]
    forgettable: frozenset[str]
    """The steps that a release forgets by their kind, and the notices that the suspension requires."""
    required: frozenset[str]
    """The notices that the suspension requires."""
    suspensions: frozenset[str]
    """The steps that end access."""
    zone: ZoneInfo

    def list_voiding_instants(self, now: datetime) -> list[datetime]:
        """The instants after `now` at which steps may become void if no new fact comes, in order."""
        ends = {_end_of(release, self.zone) for release in self.releases}
        return sorted(at for at in ends | {span.start for span in self.blocks} if at > now)


def gather_voiding_causes(item: ItemFacts, policy: Policy, timeline: DunningTimeline) -> VoidingCauses:
    """Gather what can void the steps of an item under a policy."""
    required = list_required_notices(policy)
    forgotten = frozenset(step.name for step in policy.steps if step.kind.is_forgotten_on_release)
    suspensions = frozenset(step.name for step in policy.steps if step.kind.ends_access)
    return VoidingCauses(
        item.releases, timeline.blocked_dunning_spans, required | forgotten, required, suspensions, item.zone
    )


def find_step_validity(voiding: VoidingCauses, taken: Iterable[TakenDunningStep], instant: datetime) -> StepValidity:
    """Find which of the steps taken in a round count at an instant, and which are void."""
    ends = {step: _forgotten_from(voiding, step) for step in taken}
    remembered = [step for step, end in ends.items() if end is None or end > instant]
    void = [VoidedDunningStep(step, "release", end) for step, end in ends.items() if end and end <= instant]
    if not any(step.step in voiding.suspensions for step in remembered):
        blocked = {step: end for step in remembered if (end := _blocked_until(voiding, step, instant))}
        remembered = [step for step in remembered if step not in blocked]
        void += [VoidedDunningStep(step, "block", end) for step, end in blocked.items()]
    counting = {step.step: step for step in sorted(remembered, key=_rank)}
    return StepValidity(counting, _latest(step for step in void if step.taken.step not in counting))


def _rank(step: TakenDunningStep) -> tuple[datetime, int]:
    return step.at, _BEST_FIRST[step.effect]


def _latest(void: Iterable[VoidedDunningStep]) -> dict[str, VoidedDunningStep]:
    return {step.taken.step: step for step in sorted(void, key=lambda step: (step.again_from, step.taken.at))}


def _forgotten_from(voiding: VoidingCauses, step: TakenDunningStep) -> datetime | None:
    """When the last of the releases that came after a step is over; None where the step is not forgotten."""
    if step.step not in voiding.forgettable:
        return None
    ends = (_end_of(release, voiding.zone) for release in voiding.releases if release.at >= step.at)
    return max(ends, default=None)


def _blocked_until(voiding: VoidingCauses, step: TakenDunningStep, instant: datetime) -> datetime | None:
    """The end of the last block that began by an instant and lasted beyond a required notice; None without any."""
    if step.step not in voiding.required:
        return None
    return max((span.end for span in voiding.blocks if span.start <= instant and span.end > step.at), default=None)


def _end_of(release: SuspensionRelease, zone: ZoneInfo) -> datetime:
    """The midnight that ends the last day of a release."""
    return find_local_instant(release.until + ONE_DAY, MIDNIGHT, zone)


def list_required_notices(policy: Policy) -> frozenset[str]:
    """List the names of the notices that the suspension of a policy requires."""
    return frozenset(required.notice for step in policy.steps for required in step.requires)


def find_customer_warned_at(item: ItemFacts, required: frozenset[str], requested_at: datetime) -> datetime:
    """Find since when an invoice may not be blocked, for a suspension that was requested to stand.

    That is since the oldest of the notices on which the request rests: of each that is required, the last one before
    it. Without any it is the request itself.
    """
    notices = {step.step: step.at for step in _sort_taken(item) if step.step in required and step.at <= requested_at}
    return min(notices.values(), default=requested_at)


def _sort_taken(item: ItemFacts) -> list[TakenDunningStep]:
    return sorted(item.taken, key=lambda step: step.at)


def is_invoice_blocked_since(timeline: DunningTimeline, since: datetime, now: datetime) -> bool:
    """Say whether a dispute or a promise blocked the whole invoice at some time after `since`, up to now."""
    return any(span.start <= now and span.end > since for span in timeline.blocked_dunning_spans)


def is_suspension_released(releases: Sequence[SuspensionRelease], suspension: TakenDunningStep) -> bool:
    """Say whether a person released what a step suspended."""
    return any(release.at >= suspension.at for release in releases)
