"""Dunnable amounts of an item over time, and the position on the ladder that follows from them.

The position is the number of whole local days since the due date, less the local midnights after it at
which nothing was dunnable: while an invoice is wholly held or has nothing open, its clock stands still.
Once a dispute or a promise that held it wholly has ended, it counts as wholly held for as many more local
midnights as the policy says, up to the same time after midnight.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.collections.domain.dunning_item import (
    ItemBalance,
    ItemFacts,
    LineBalance,
    compute_dunnable_by_line,
    sort_lines_for_allocation,
)
from shared.pure.calendar import ONE_DAY, find_first_day_from, find_local_instant, get_local_date

MIDNIGHT = time(0)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_AFTER_ALL = datetime.max.replace(tzinfo=UTC)

Days = tuple[date, date]
"""Local dates from the first up to, not including, the second."""


class DunnableSpan(NamedTuple):
    """A stretch of time, [start, end), in which the amounts did not change."""

    start: datetime
    end: datetime
    lines: tuple[LineBalance, ...]
    promised: int
    by_line: tuple[int, ...]
    """Dunnable amount of each of `lines`."""
    dunnable: int
    """Dunnable amount of the whole invoice."""
    is_after_release: bool = False
    """Whether nothing is dunnable only since a dispute or a promise ended less days ago than the policy says."""

    @property
    def is_open_ended(self) -> bool:
        """Whether it goes on until a new fact comes."""
        return self.end == _AFTER_ALL

    @property
    def is_blocked(self) -> bool:
        """Whether a dispute or a promise, and not debits in flight alone, leaves nothing of what is open dunnable."""
        return not self.dunnable and any(line.open_minor > line.in_flight_minor for line in self.lines)

    @property
    def dunnable_by_subscription(self) -> dict[UUID, int]:
        """Dunnable amounts by subscription, of which there is any."""
        amounts: dict[UUID, int] = {}
        for line, amount in zip(self.lines, self.by_line, strict=True):
            if line.subscription_id and amount:
                amounts[line.subscription_id] = amounts.get(line.subscription_id, 0) + amount
        return amounts


class DunningTimeline(NamedTuple):
    """The whole of time as it looks from `now`: what has been, and what comes if no new fact does."""

    due_date: date
    spans: tuple[DunnableSpan, ...]
    blocked_days: tuple[Days, ...]
    """The days after the due date at whose local midnight nothing was or will be dunnable; apart, in order."""

    @property
    def blocked_dunning_spans(self) -> tuple[DunnableSpan, ...]:
        """The spans in which a dispute or a promise blocks the whole invoice, in order."""
        return tuple(span for span in self.spans if span.is_blocked)

    def get_span_at(self, instant: datetime) -> DunnableSpan:
        """The span in which an instant lies; a fact of that very instant counts."""
        for span in self.spans:
            if instant < span.end:
                return span
        raise AssertionError("the last span has no end")

    def find_release_pause_end(self, instant: datetime) -> datetime | None:
        """Find until when nothing is dunnable only since a release is too recent; None where that is not so."""
        end = None
        for span in self.spans:
            if span.end > instant and span.start <= (end or instant) and span.is_after_release:
                end = span.end
        return end

    def find_ladder_position(self, day: date) -> int:
        """The position on the ladder on a local date; negative before the due date."""
        return (day - self.due_date).days - sum((end - start).days for start, end in self.list_blocked_days(day))

    def find_step_day(self, day: int) -> date | None:
        """The first local date on a position of at least `day`; None if the clock stands still for good.

        A day on or before the due date is never moved.
        """
        reached = self.due_date + day * ONE_DAY
        if day <= 0:
            return reached
        for start, end in self.blocked_days:
            if start > reached:
                break
            if end == date.max:
                return None
            reached += end - start
        return reached

    def list_blocked_days(self, day: date) -> tuple[Days, ...]:
        """Days of `blocked_days` up to `day`: why the position is not further."""
        return tuple((start, min(end, day + ONE_DAY)) for start, end in self.blocked_days if start <= day)


def build_dunning_timeline(
    item: ItemFacts, history: Sequence[ItemBalance], after_release_days: int = 0
) -> DunningTimeline:
    """The timeline of an item with this history, held for so many local midnights after a release."""
    spans = _build_spans(item, history)
    if after_release_days:
        spans = _extend_holds(spans, item.zone, after_release_days)
    return DunningTimeline(item.due_date, spans, _find_blocked_days(spans, item.zone, item.due_date + ONE_DAY))


def _build_spans(item: ItemFacts, history: Sequence[ItemBalance]) -> tuple[DunnableSpan, ...]:
    balances = _in_effect(history)
    marks = {balance.at for balance in balances}
    for promise in item.promises:
        marks |= {promise.active_from, promise.active_until}
    starts = [_BEFORE_ALL, *sorted(marks)]
    spans: list[DunnableSpan] = []
    lines: tuple[LineBalance, ...] = ()
    coming = 0
    for start, end in zip(starts, [*starts[1:], _AFTER_ALL], strict=True):
        if coming < len(balances) and balances[coming].at == start:
            lines, coming = tuple(sort_lines_for_allocation(balances[coming].lines)), coming + 1
        promised = item.sum_promises_at(start)
        dunnable = compute_dunnable_by_line(lines, promised)
        spans.append(DunnableSpan(start, end, lines, promised, dunnable, sum(dunnable)))
    return tuple(spans)


def _extend_holds(spans: Sequence[DunnableSpan], zone: ZoneInfo, days: int) -> tuple[DunnableSpan, ...]:
    """Extend what a dispute or a promise held wholly: nothing is dunnable until so many midnights later."""
    ends = (span.end for span, following in pairwise(spans) if span.is_blocked and not following.is_blocked)
    holds = [(end, _find_end_of_hold(end, zone, days)) for end in ends]
    return tuple(piece for span in spans for piece in _split_span(span, holds))


def _find_end_of_hold(release: datetime, zone: ZoneInfo, days: int) -> datetime:
    """Find the instant that is as long after the last midnight as the release was after its own, on that day."""
    day = get_local_date(release, zone)
    since_midnight = release - find_local_instant(day, MIDNIGHT, zone)
    last_midnight = find_local_instant(day + days * ONE_DAY, MIDNIGHT, zone)
    return min(last_midnight + since_midnight, find_local_instant(day + (days + 1) * ONE_DAY, MIDNIGHT, zone))


def _split_span(span: DunnableSpan, holds: Iterable[tuple[datetime, datetime]]) -> Iterator[DunnableSpan]:
    """Split a span where holds end within it; of what lies in a hold nothing is dunnable."""
    held_until = max((end for start, end in holds if start <= span.start < end), default=span.start)
    if held_until > span.start:
        nothing = (0,) * len(span.lines)
        yield span._replace(
            end=min(held_until, span.end), by_line=nothing, dunnable=0, is_after_release=span.dunnable > 0
        )
    if held_until < span.end:
        yield span._replace(start=held_until)


def _in_effect(history: Sequence[ItemBalance]) -> list[ItemBalance]:
    """The balances that ever were the one with the highest sequence so far, each at an instant of its own."""
    kept: list[ItemBalance] = []
    for balance in reversed(history):
        if not kept or balance.at < kept[-1].at:
            kept.append(balance)
    return kept[::-1]


def _find_blocked_days(spans: Sequence[DunnableSpan], zone: ZoneInfo, first: date) -> tuple[Days, ...]:
    blocked_days: list[Days] = []
    for span in spans:
        if span.dunnable:
            continue
        start, end = max(first, _first_midnight(span.start, zone)), _first_midnight(span.end, zone)
        if blocked_days and blocked_days[-1][1] == start:
            start = blocked_days.pop()[0]
        if start < end:
            blocked_days.append((start, end))
    return tuple(blocked_days)


def _first_midnight(instant: datetime, zone: ZoneInfo) -> date:
    """The first day whose local midnight is not before an instant."""
    if instant in (_BEFORE_ALL, _AFTER_ALL):
        return instant.date()
    return find_first_day_from(instant, MIDNIGHT, zone)
