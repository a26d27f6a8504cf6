"""The demo's own ledger: made from a seed, with payers of several habits."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.ledger import LedgerInvoice
from sandbox.replay import BillingProfile

ACCOUNTS = 40
TERMS = timedelta(days=14)
NEVER = timedelta(days=3650)

PROFILES = (
    BillingProfile("EUR", "Europe/Berlin", "GS-DE"),
    BillingProfile("USD", "UTC", "GS-US"),
    BillingProfile("JPY", "Asia/Tokyo", "GS-JP"),
)
PRICES = {"EUR": 1008, "USD": 1200, "JPY": 1650}
"""For one seat and month, in minor units."""


@dataclass(frozen=True, slots=True)
class PayingHabit:
    """How somebody pays: so many days after the due date, at the least and at the most, and how often they dispute."""

    name: str
    share: int
    """Of twenty accounts."""
    earliest: int
    latest: int
    disputes_percent: int = 0


HABITS = (
    PayingHabit("prompt", 8, -10, 0),
    PayingHabit("needs a reminder", 5, 1, 6),
    PayingHabit("slow", 3, 5, 13, disputes_percent=10),
    PayingHabit("disputes", 2, -5, 12, disputes_percent=35),
    PayingHabit("pays when access is gone", 2, 10, 27),
)


@dataclass(frozen=True, slots=True)
class GeneratedYear:
    """A made-up year: its invoices, how each account is billed, and who stops paying at the end."""

    invoices: list[LedgerInvoice]
    profiles: dict[str, BillingProfile]
    end: date


def generate_year_of_invoices(seed: int, start: date) -> GeneratedYear:
    """A year of monthly invoices of 40 accounts from `start` on; the same for the same seed.

    One account stops paying in the last months, so that somebody is suspended when the year ends.
    """
    dice = random.Random(seed)
    habits = [habit for habit in HABITS for _ in range(habit.share * ACCOUNTS // 20)]
    dice.shuffle(habits)
    end = date(start.year + 1, start.month, start.day)
    invoices: list[LedgerInvoice] = []
    profiles = {}
    for place, habit in enumerate(habits, 1):
        customer = f"account-{place:02}"
        profiles[customer] = dice.choice(PROFILES)
        amount = PRICES[profiles[customer].currency] * dice.randint(3, 60)
        day = dice.choice((1, 5, 15, 20))
        for month in range(12):
            issued = date(start.year + (start.month + month - 1) // 12, (start.month + month - 1) % 12 + 1, day)
            stops = place == ACCOUNTS and month > 8
            invoices.append(_invoice(dice, f"{customer}-{month + 1:02}", customer, issued, amount, habit, stops))
    return GeneratedYear(invoices, profiles, end)


def _invoice(
    dice: random.Random, number: str, customer: str, issued: date, amount: int, habit: PayingHabit, stops: bool
) -> LedgerInvoice:
    due = issued + TERMS
    paid = due + timedelta(days=dice.randint(habit.earliest, habit.latest))
    disputed = dice.randrange(100) < habit.disputes_percent and not stops
    upheld = disputed and dice.random() < 0.3
    if disputed:  # it takes a while to decide
        paid = issued + timedelta(days=dice.randint(18, 40))
    if stops:
        paid = due + NEVER
    return LedgerInvoice(customer, number, issued, due, amount, disputed, paid, upheld)
