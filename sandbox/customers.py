"""Who lives in the demo's year: customers with their seats, their habits, and what they make of each invoice."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.generated import ACCOUNTS, HABITS, PROFILES, PayingHabit
from sandbox.replay import BillingProfile
from shared.pure.calendar import ONE_DAY

RESOLVE_AFTER = timedelta(days=25)
"""After its issue a disputed invoice is decided about."""
DAYS = (1, 5, 15, 20)
"""On which cycles begin."""


@dataclass(frozen=True, slots=True)
class CustomerAnswer:
    """A customer's answer to an invoice."""

    pays_on: date | None
    disputes: bool = False
    upheld: bool = False


@dataclass(frozen=True, slots=True)
class SandboxCustomer:
    """A buyer, with what they buy and how they pay."""

    name: str
    profile: BillingProfile
    habit: PayingHabit
    starts: date
    seats: int
    changes: tuple[tuple[date, int], ...] = ()
    """From which day on it is how many seats."""
    stops_on: date = date.max
    """What is issued from then on is not paid."""

    def answer(self, issued: date, due: date) -> CustomerAnswer:
        """Choose the answer to an invoice; for the same one it is always the same."""
        dice = random.Random(f"{self.name} {issued}")
        if issued >= self.stops_on:
            return CustomerAnswer(None)
        pays_on = due + timedelta(days=dice.randint(self.habit.earliest, self.habit.latest))
        if dice.randrange(100) >= self.habit.disputes_percent:
            return CustomerAnswer(max(pays_on, issued + ONE_DAY))
        upheld = dice.random() < 0.3
        decided = issued + RESOLVE_AFTER
        return CustomerAnswer(None if upheld else decided + timedelta(days=dice.randint(1, 10)), True, upheld)


@dataclass(frozen=True, slots=True)
class CustomerYear:
    """A made-up year and who lives in it."""

    start: date
    end: date
    customers: tuple[SandboxCustomer, ...]

    @property
    def months(self) -> list[date]:
        """The first of each month."""
        return [date(self.start.year, month, 1) for month in range(1, 13)]

    @property
    def billing_days(self) -> list[date]:
        """The days on which anybody's cycle begins."""
        return sorted(month.replace(day=day) for month in self.months for day in DAYS)


def make_customer_year(seed: int, year: int) -> CustomerYear:
    """A calendar year of 40 customers; the same for the same seed.

    One of them stops paying in the last months, so that somebody is suspended when the year ends.
    """
    dice = random.Random(seed)
    habits = [habit for habit in HABITS for _ in range(habit.share * ACCOUNTS // 20)]
    dice.shuffle(habits)
    customers = tuple(_customer(dice, place, habit, year) for place, habit in enumerate(habits, 1))
    return CustomerYear(date(year, 1, 1), date(year + 1, 1, 1), customers)


def _customer(dice: random.Random, place: int, habit: PayingHabit, year: int) -> SandboxCustomer:
    seats = dice.randint(3, 60)
    grows = date(year, dice.randint(2, 11), dice.randint(2, 27))
    return SandboxCustomer(
        name=f"account-{place:02}",
        profile=dice.choice(PROFILES),
        habit=habit,
        starts=date(year, 1, dice.choice(DAYS)),
        seats=seats,
        # The vendor changes no seats while access is suspended, so those grow who never lose it.
        changes=((grows, seats + dice.randint(1, 9)),) if habit.latest < 7 and place < ACCOUNTS else (),
        stops_on=date(year, 9, 1) if place == ACCOUNTS else date.max,
    )
