"""A second opinion on how an invoice moves through the policy: time passes in ticks of half an hour.

Nothing is calculated ahead or looked back at: at each tick the facts arrive, then a local midnight may move
the position, then the overdue and the steps are judged, and what is done is written down.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.collections.domain.dunning_item import (
    ItemBalance,
    ItemFacts,
    LineBalance,
    OverdueJudgement,
    PaymentPromise,
    SuspensionRelease,
    TakenDunningStep,
)
from services.collections.domain.policy import Policy
from services.collections.domain.policy_step import PolicyStep

TICK = timedelta(minutes=30)
INVOICE = UUID(int=1)
LINES = (UUID(int=101), None, UUID(int=103))
"""The subscriptions of the three lines that an invoice may have."""

Amounts = tuple[tuple[int, int, int], ...]
"""Of each line: open, disputed, in flight."""
Done = tuple[str, tuple[str, ...], dict[UUID, int]]
"""A step, the notices that it skipped, the subscriptions that it suspends."""


@dataclass(frozen=True)
class Story:
    """The story of an invoice. Ticks count from local noon, ten days before the due date, in UTC."""

    zone: ZoneInfo
    due_date: date
    policy: Policy
    changes: tuple[tuple[int, Amounts], ...]
    promises: tuple[tuple[int, int, int], ...] = ()
    """Amount, first tick, first tick after it."""
    deliveries: dict[str, int | None] = field(default_factory=dict)
    """How many ticks after it went out a notice reached the next hop; None: never; else at once."""
    releases: tuple[tuple[int, int], ...] = ()
    """The tick at which a person releases what is suspended, and how many days later the last day is."""
    outage: tuple[int, int] = (0, 0)
    """The ticks from the first up to the second, in which nothing sweeps."""
    ticks: int = 48 * 50

    def instant(self, tick: int) -> datetime:
        """The instant of a tick."""
        first = datetime.combine(self.due_date - timedelta(days=10), time(12), UTC)
        return first + tick * TICK


@dataclass(frozen=True)
class Seen:
    """State at the last instant with a local time of the policy."""

    day: date
    position: int
    dunnable: bool
    overdue: bool
    round: int
    void: frozenset[int]
    """The places, among the steps taken, of those that did not count any more."""


class Model:
    """The invoice of a story, tick by tick."""

    def __init__(self, story: Story) -> None:
        promises = tuple(
            PaymentPromise(amount, story.instant(first), story.instant(end)) for amount, first, end in story.promises
        )
        start = story.instant(0)
        self.story, self.tick = story, -1
        self.item = ItemFacts(INVOICE, "1", story.due_date, "EUR", story.zone, start, promises=promises)
        self.amounts: Amounts = ()
        self.sequence, self.round, self.position, self.overdue = 0, 0, 0, False
        self.days: set[date] = set()
        self.hours = {step.at for step in story.policy.steps}
        self.seen: dict[time, Seen] = {}
        self.is_instant = self.has_news = False
        self.void: frozenset[int] = frozenset()
        self.released: dict[int, date] = {}
        self.ticks_of_day = self.midnights_to_come = self.ticks_to_come = 0
        self.was_blocked = False

    @property
    def now(self) -> datetime:
        """The instant of the tick."""
        return self.story.instant(self.tick)

    def advance(self) -> None:
        """One tick on: facts, the midnight and the overdue, then a look at what the steps will ask."""
        self.tick += 1
        wall = self.now.astimezone(self.story.zone).replace(tzinfo=None)
        self._pass_time(wall)
        self.is_instant = self.has_news = False
        for tick, amounts in self.story.changes:
            if tick == self.tick:
                self._balance(amounts)
        self._let_go()
        self._block()
        for tick, days in self.story.releases:
            if tick == self.tick:
                self._release(days)
        self._deliver()
        if wall.date() not in self.days:
            self.days.add(wall.date())
            self._midnight(wall.date())
        for at in self.hours:
            if wall.time() >= at and (at not in self.seen or self.seen[at].day < wall.date()):
                dunnable = sum(self.dunnable()) > 0
                self.seen[at] = Seen(wall.date(), self.position, dunnable, self.overdue, self.round, self.void)
                self.is_instant = True

    def dunnable(self) -> list[int]:
        """List the dunnable amount of each line: nothing in the days after a release."""
        if self.midnights_to_come or self.ticks_to_come:
            return [0 for _ in self.amounts]
        return self._free()

    def _free(self) -> list[int]:
        """List what is free of each line; a promise takes it away unit by unit, from the first line on."""
        free = [max(opened - disputed - in_flight, 0) for opened, disputed, in_flight in self.amounts]
        for amount, first, end in self.story.promises:
            for _ in range(amount if first <= self.tick < end else 0):
                index = next((index for index, units in enumerate(free) if units), None)
                if index is not None:
                    free[index] -= 1
        return free

    def _pass_time(self, wall: datetime) -> None:
        """A tick of the local day, and of what is to come of the days after a release."""
        self.ticks_of_day += 1
        self.ticks_to_come = max(self.ticks_to_come - (not self.midnights_to_come), 0)
        if wall.date() not in self.days:
            self.ticks_of_day = 0 if self.days else wall.hour * 2 + wall.minute // 30
            if not self.midnights_to_come:
                self.ticks_to_come = 0
            self.midnights_to_come = max(self.midnights_to_come - 1, 0)

    def _let_go(self) -> None:
        """A dispute or a promise over everything ends: as many midnights more, and up to the same tick of the day."""
        unpaid = sum(opened - in_flight for opened, _, in_flight in self.amounts)
        is_blocked = unpaid > 0 and not sum(self._free())
        if self.was_blocked and not is_blocked and self.story.policy.after_release_days:
            self.midnights_to_come = self.story.policy.after_release_days
            self.ticks_to_come = self.ticks_of_day
        self.was_blocked = is_blocked

    def sweep(self) -> list[Done]:
        """Do what is due now, and write it down as taken."""
        if not sum(self.dunnable()):
            return []
        due = [step for step in self.story.policy.steps if self._is_due(step)]
        done: list[Done] = []
        notices = [step for step in due if step.kind.name == "notice" and self._may_go_out(step)]
        if notices:
            done.append((notices[-1].name, self._list_missed(notices[-1]), {}))
        suspends = {LINES[i]: units for i, units in enumerate(self.dunnable()) if units and LINES[i]}
        for step in due:
            if step.kind.name == "suspend" and suspends and all(self._is_met(step, r.notice) for r in step.requires):
                done.append((step.name, (), {key: units for key, units in suspends.items() if key}))
            if step.kind.name == "terminate" and self._is_suspended():
                done.append((step.name, (), {}))
        for name, skipped, _ in done:
            self._take(name, skipped)
        return done

    def find_taken(self, name: str) -> TakenDunningStep | None:
        """How a step was taken in this round, as far as that counts now."""
        return self._counting(name, self.void)

    def _counting(self, name: str, void: frozenset[int]) -> TakenDunningStep | None:
        places = (place for place in self._places(name) if place not in void)
        return next((self.item.taken[place] for place in places), None)

    def _places(self, name: str) -> list[int]:
        """The places of a step among those taken, if they are of this round."""
        taken = enumerate(self.item.taken)
        return [place for place, step in taken if step.step == name and step.round == self.round]

    def _required_notices(self) -> list[str]:
        return [required.notice for step in self.story.policy.steps for required in step.requires]

    def _block(self) -> None:
        """A dispute or a promise over everything: the notices on which no suspension rests yet are void."""
        unpaid = sum(opened - in_flight for opened, _, in_flight in self.amounts)
        if unpaid > 0 and not sum(self.dunnable()) and not self.find_taken("suspend"):
            self.void |= {place for name in self._required_notices() for place in self._places(name)}

    def _is_suspended(self) -> bool:
        return any(place not in self.void | set(self.released) for place in self._places("suspend"))

    def _release(self, days: int) -> None:
        """A person releases what is suspended; what it rests on is void when the last day is over."""
        if not self._is_suspended():
            return
        self.has_news = True
        until = self.now.astimezone(self.story.zone).date() + timedelta(days=days)
        self.item = replace(self.item, releases=(*self.item.releases, SuspensionRelease(self.now, until)))
        names = [*self._required_notices(), "suspend", "terminate"]
        self.released |= {place: until for name in names for place in self._places(name)}

    def _balance(self, amounts: Amounts) -> None:
        self.has_news = True
        was_open = sum(line[0] for line in self.amounts) > 0
        self.amounts, self.sequence = amounts, self.sequence + 1
        if sum(line[0] for line in amounts) > 0 and not was_open:
            self.round, self.overdue = self.round + 1, False
        lines = tuple(LineBalance(i + 1, LINES[i], *line) for i, line in enumerate(amounts))
        balance = ItemBalance(self.sequence, self.now, lines)
        self.item = replace(self.item, balances=(*self.item.balances, balance))

    def _midnight(self, day: date) -> None:
        self.void |= {place for place, until in self.released.items() if day > until}
        after = day > self.story.due_date
        if not after:
            self.position = (day - self.story.due_date).days
        elif sum(self.dunnable()):
            self.position += 1
        if after and not self.overdue and sum(o - d - f for o, d, f in self.amounts) > 0:
            self.overdue, self.sequence = True, self.sequence + 1
            overdue = OverdueJudgement(self.sequence, self.now)
            self.item = replace(self.item, overdue=(*self.item.overdue, overdue))

    def _is_due(self, step: PolicyStep) -> bool:
        seen = self.seen.get(step.at)
        if not seen or not seen.dunnable or seen.round != self.round or self.find_taken(step.name):
            return False
        if self._counting(step.name, seen.void):
            return False
        if step.day <= 0:
            days = (seen.day - self.story.due_date).days
            return step.day <= days <= 0
        return seen.overdue and seen.position >= step.day

    def _may_go_out(self, step: PolicyStep) -> bool:
        """Not before a notice that went out, unless it went out itself and counts no more."""
        is_void = bool(self._places(step.name)) and not self.find_taken(step.name)
        return is_void or (step.day > self._furthest_notice() and not self.find_taken(step.name))

    def _furthest_notice(self) -> int:
        steps = self.story.policy.steps
        return max((s.day for s in steps if s.kind.name == "notice" and self.find_taken(s.name)), default=-1000)

    def _list_missed(self, sent: PolicyStep) -> tuple[str, ...]:
        before = (s for s in self.story.policy.steps if s.kind.name == "notice" and s.day < sent.day)
        return tuple(step.name for step in before if self._may_go_out(step))

    def _is_met(self, step: PolicyStep, notice: str) -> bool:
        (required,) = (r for r in step.requires if r.notice == notice)
        taken = self.find_taken(notice)
        if taken and taken.replaced_by:
            taken = self.find_taken(taken.replaced_by)
        if not taken or not taken.delivered_at:
            return False
        delivered = taken.delivered_at.astimezone(self.story.zone).date()
        return (self.seen[step.at].day - delivered).days >= required.days_before

    def _take(self, name: str, skipped: tuple[str, ...]) -> None:
        is_notice = name not in ("suspend", "terminate")
        new = TakenDunningStep(name, self.round, self.now, "pending" if is_notice else "requested")
        missed = (TakenDunningStep(step, self.round, self.now, "skipped", replaced_by=name) for step in skipped)
        self.item = replace(self.item, taken=(*self.item.taken, *missed, new))
        self._deliver()

    def _deliver(self) -> None:
        if not any(step.outcome == "pending" for step in self.item.taken):
            return
        self.item = replace(self.item, taken=tuple(self._hear_delivery(step) for step in self.item.taken))

    def _hear_delivery(self, taken: TakenDunningStep) -> TakenDunningStep:
        delay = self.story.deliveries.get(taken.step, 0)
        if taken.outcome != "pending" or delay is None or self.now < taken.at + delay * TICK:
            return taken
        self.has_news = True
        return replace(taken, outcome="sent", delivered_at=self.now)
