"""Being overdue is judged at local midnights: the rules agree with a model that goes from one to the next."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.invoicing.receivables.domain.invoice_balances import Invoice, InvoiceLine
from services.invoicing.receivables.domain.overdue_rules import (
    check_invoice_overdue,
    get_last_local_midnight,
    get_next_local_midnight,
    schedule_invoice_overdue_check,
)
from tests.examples import scale_examples

TICK = timedelta(minutes=30)
DAYS = 9
STARTS = {
    "UTC": ["2026-03-01"],
    "Asia/Kolkata": ["2026-03-01"],
    "Europe/Berlin": ["2026-03-26", "2026-10-22"],
    # the first day of summer begins at 01:00, and the last one has its last hour twice
    "America/Santiago": ["2026-09-03", "2026-04-02"],
    "America/Havana": ["2026-03-05", "2026-10-29"],
    "Africa/Cairo": ["2026-04-21", "2026-10-27"],
    "Pacific/Kiritimati": ["2026-03-01"],
}
STATES = [(0, 0), (10, 0), (4, 0), (0, 10), (0, 4), (4, 6), (4, 10)]
"""What is paid and what is reserved of an invoice over 10."""


@dataclass(frozen=True)
class Story:
    """The life of one invoice, and when the sweep runs (ticks since the start, the first is its issue)."""

    zone: ZoneInfo
    start: datetime
    due_in: int
    changes: dict[int, tuple[int, int]]
    sweeps: list[int]

    def at(self, tick: int) -> datetime:
        """The instant of a tick."""
        return self.start + tick * TICK

    @property
    def due_date(self) -> date:
        """Counted from the local date of the issue."""
        return self.start.astimezone(self.zone).date() + self.due_in * timedelta(days=1)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any order of payments, reversals, disputes and releases, with sweeps on time, late, or not at all."""
    name = draw(st.sampled_from(sorted(STARTS)))
    start = datetime.fromisoformat(draw(st.sampled_from(STARTS[name]))).replace(tzinfo=UTC)
    ticks = st.integers(1, 48 * DAYS)
    changes = draw(st.dictionaries(ticks, st.sampled_from(STATES), max_size=8))
    zone = ZoneInfo(name)
    story = Story(zone, start, draw(st.integers(-2, 4)), changes, [])
    on_time = [tick for tick in range(48 * DAYS) if is_midnight(story.at(tick), zone)]
    late = draw(st.lists(ticks, max_size=12))
    kept = [tick for tick in on_time if draw(st.booleans())]
    return replace(story, sweeps=sorted({*late, *kept}))


def is_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether a local day begins: just before it was still an earlier one."""
    return (instant - TICK).astimezone(zone).date() < instant.astimezone(zone).date()


@dataclass
class Model:
    """Goes through all ticks; `judged` says which midnights made the invoice overdue, and at which tick."""

    story: Story

    def run(self) -> Iterator[tuple[int, datetime]]:
        """Every tick at which a sweep finds it overdue, with the midnight that it judges."""
        story = self.story
        paid, reserved = 0, 0
        overdue, pending = False, None
        for tick in range(48 * DAYS + 1):
            now = story.at(tick)
            if tick in story.changes:
                paid, reserved = story.changes[tick]
            if paid == 10:
                overdue, pending = False, None
            due = 10 - paid - min(reserved, 10 - paid)
            if is_midnight(now, story.zone) and now.astimezone(story.zone).date() > story.due_date:
                pending = (now, due > 0)
            if tick in story.sweeps and pending:
                (midnight, was_due), pending = pending, None
                if was_due and due and not overdue:
                    overdue = True
                    yield tick, midnight


class Ledger:
    """Invoicing: says when to judge at each change, and judges when the sweep finds it due."""

    def __init__(self, story: Story) -> None:
        self.story = story
        invoice = Invoice(UUID(int=1), UUID(int=2), "GS-1", "EUR", story.due_date, (InvoiceLine(1, None, 10),))
        self.invoice = schedule_invoice_overdue_check(invoice, story.start, story.zone)
        self.history = [(story.start, self.invoice.due_minor)]

    def run(self) -> Iterator[tuple[int, datetime]]:
        """Every tick at which a sweep finds it overdue, with the midnight that it judges."""
        for tick in sorted({*self.story.changes, *self.story.sweeps}):
            now = self.story.at(tick)
            if tick in self.story.changes:
                self._change(now, *self.story.changes[tick])
            judge_at = self.invoice.judge_at
            if tick in self.story.sweeps and judge_at and judge_at <= now:
                self.invoice = check_invoice_overdue(self.invoice, self._due_at_midnight(now), now, self.story.zone)
                if self.invoice.overdue_at:
                    yield tick, self.invoice.overdue_at

    def _change(self, now: datetime, paid: int, reserved: int) -> None:
        line = replace(self.invoice.get_invoice_line(1), paid=paid, reserved=reserved)
        if line == self.invoice.get_invoice_line(1):
            return
        self.invoice = schedule_invoice_overdue_check(self.invoice.replace_invoice_lines([line]), now, self.story.zone)
        self.history.append((now, self.invoice.due_minor))

    def _due_at_midnight(self, now: datetime) -> int:
        midnight = get_last_local_midnight(now, self.story.zone)
        place = bisect_right([at for at, _ in self.history], midnight)
        return self.history[place - 1][1] if place else 0


@settings(max_examples=scale_examples(250), deadline=None)
@given(story=stories())
def test_an_invoice_becomes_overdue_when_the_model_says(story: Story) -> None:
    assert list(Ledger(story).run()) == list(Model(story).run())


@settings(max_examples=scale_examples(100), deadline=None)
@given(story=stories())
def test_what_is_wholly_held_at_the_sweep_or_was_at_its_midnight_is_never_overdue(story: Story) -> None:
    ledger = Ledger(story)
    for tick, midnight in ledger.run():
        assert ledger.invoice.due_minor > 0
        assert ledger._due_at_midnight(story.at(tick)) > 0
        assert midnight.astimezone(story.zone).date() > story.due_date


def berlin(text: str) -> datetime:
    """An instant from its local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def test_after_a_reversal_it_becomes_overdue_anew_at_the_next_midnight() -> None:
    zone = ZoneInfo("Europe/Berlin")
    issued = Invoice(UUID(int=1), UUID(int=2), "GS-1", "EUR", date(2026, 3, 27), (InvoiceLine(1, None, 10),))
    waiting = schedule_invoice_overdue_check(issued, berlin("2026-03-02T09:00"), zone)
    assert waiting.judge_at == berlin("2026-03-28T00:00")
    overdue = check_invoice_overdue(waiting, 10, berlin("2026-03-28T00:00"), zone)
    assert (overdue.overdue_at, overdue.judge_at) == (berlin("2026-03-28T00:00"), None)
    paid = schedule_invoice_overdue_check(
        overdue.replace_invoice_lines([InvoiceLine(1, None, 10, paid=10)]), berlin("2026-03-28T12:00"), zone
    )
    assert (paid.overdue_at, paid.judge_at) == (None, None)
    reopened = schedule_invoice_overdue_check(
        paid.replace_invoice_lines([InvoiceLine(1, None, 10)]), berlin("2026-03-29T12:00"), zone
    )
    assert (reopened.overdue_at, reopened.judge_at) == (None, berlin("2026-03-30T00:00"))


def test_a_part_that_is_paid_and_taken_back_stays_overdue() -> None:
    zone = ZoneInfo("Europe/Berlin")
    since = berlin("2026-03-28T00:00")
    overdue = Invoice(UUID(int=1), UUID(int=2), "GS-1", "EUR", date(2026, 3, 27), (InvoiceLine(1, None, 10),), since)
    part = schedule_invoice_overdue_check(
        overdue.replace_invoice_lines([InvoiceLine(1, None, 10, paid=9)]), berlin("2026-03-28T12:00"), zone
    )
    back = schedule_invoice_overdue_check(
        part.replace_invoice_lines([InvoiceLine(1, None, 10)]), berlin("2026-03-29T12:00"), zone
    )
    assert (back.overdue_at, back.judge_at) == (since, None)


@pytest.mark.parametrize("name", sorted(STARTS))
def test_midnights_are_the_instants_at_which_a_date_begins(name: str) -> None:
    zone = ZoneInfo(name)
    for start in STARTS[name]:
        first = datetime.fromisoformat(start).replace(tzinfo=UTC)
        ticks = [first + tick * TICK for tick in range(48 * DAYS)]
        midnights = [now for now in ticks if is_midnight(now, zone)]
        for now in ticks:
            if midnights[0] <= now <= midnights[-1]:
                assert get_last_local_midnight(now, zone) == max(midnight for midnight in midnights if midnight <= now)
                assert get_next_local_midnight(now, zone) == min(midnight for midnight in midnights if midnight >= now)
