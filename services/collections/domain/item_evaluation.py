"""Evaluation of an item: its amounts, what to do now, what waits, what comes next, and why."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.collections.domain.dunning_item import TakenDunningStep
from services.collections.domain.dunning_timeline import Days
from services.collections.domain.policy_step import ActionKind, PolicyStep
from services.collections.domain.voided_steps import VoidedDunningStep


class DueDunningStep(NamedTuple):
    """A step that is due and may be carried out; `at` is the instant at which it was judged."""

    step: str
    kind: ActionKind
    day: int
    at: datetime
    template: str | None = None
    skipped: tuple[str, ...] = ()
    """Earlier notices that were missed: recorded as replaced by this one, never sent."""
    subscriptions: tuple[tuple[UUID, int], ...] = ()
    """Those that it concerns, each with what is dunnable for it."""


class DeferredDunningStep(NamedTuple):
    """A step that is due and waits: for what, and until when if time alone will do."""

    step: str
    reason: str
    until: datetime | None = None


class NextDunningStep(NamedTuple):
    """The step that comes next if no new fact does, when, and by which rule of the policy."""

    step: str
    at: datetime
    rule: str


class NoticeRequirement(NamedTuple):
    """A notice that a suspension rests on, and how far that is."""

    notice: str
    days_before: int
    sent_as: str
    """The notice that went out: the required one, or the one that replaced it."""
    taken: TakenDunningStep | None
    delivered_on: date | None
    """The local date on which the next hop took it."""
    fulfilled_on: date | None
    """The first local date on which the required days have passed."""
    void: VoidedDunningStep | None = None
    """That it was sent and does not count any more."""

    @property
    def reason(self) -> str:
        """Cause for which the suspension still waits, or waited."""
        if self.void:
            cause = "the release" if self.void.cause == "release" else "a dispute or promise that blocked it"
            return f"{self.notice} must go out again after {cause}"
        if self.taken is None:
            return f"{self.notice} has not gone out in this round"
        if self.fulfilled_on is None:
            return f"{self.sent_as} has not reached the next hop ({self.taken.outcome})"
        return f"{self.days_before} days since {self.sent_as} are complete on {self.fulfilled_on}"


class PolicyRung(NamedTuple):
    """A step of the policy as it stands for one item."""

    step: PolicyStep
    reached_on: date | None
    """The local date on which the position reaches the step's day; None while the clock stands still."""
    taken: TakenDunningStep | None
    """How it was taken in this round, as far as that counts."""
    requirements: tuple[NoticeRequirement, ...] = ()
    void: VoidedDunningStep | None = None
    """That it was taken in this round and does not count any more."""
    attempts: int = 0
    """How often it was taken in this round, also where that does not count any more."""


class ItemEvaluation(NamedTuple):
    """Evaluation of an item by a policy at `judged_at`. Amounts are minor units."""

    invoice_id: UUID
    number: str
    currency: str
    judged_at: datetime
    round: int
    position: int
    overdue_at: datetime | None
    """When invoicing judged it overdue in this round."""
    open_minor: int
    disputed_minor: int
    in_flight_minor: int
    promised_minor: int
    dunnable_minor: int
    """Open less disputed and in flight of each line, never below zero, less what is promised; 0 after a release."""
    after_release_until: datetime | None
    """Until when nothing is dunnable only since a dispute or a promise has ended too recently."""
    dunnable_subscriptions: frozenset[UUID]
    """The subscriptions of which anything is dunnable."""
    stage: PolicyStep | None
    """The furthest step taken in this round."""
    actions: tuple[DueDunningStep, ...]
    deferred: tuple[DeferredDunningStep, ...]
    next: NextDunningStep | None
    ladder: tuple[PolicyRung, ...]
    paused_days: tuple[Days, ...]
    """The days after the due date, up to now, that moved the ladder by one each."""

    @property
    def attempts_by_step(self) -> dict[str, int]:
        """How often each step was taken in this round."""
        return {rung.step.name: rung.attempts for rung in self.ladder}

    @property
    def is_fully_blocked(self) -> bool:
        """Whether it is wholly held: something is open, and nothing of it is dunnable."""
        return self.open_minor > 0 and self.dunnable_minor == 0

    @property
    def lacks_required_notice(self) -> bool:
        """Whether a notice that the suspension requires failed: it was refused, or came back."""
        required = [requirement for rung in self.ladder for requirement in rung.requirements]
        return any(notice.taken is not None and notice.taken.outcome == "failed" for notice in required)

    @property
    def is_overdue_and_open(self) -> bool:
        """Whether it keeps a dunning case open."""
        return self.overdue_at is not None and self.open_minor > 0
