"""A statement of account: what was owed at first, what changed it day by day, what is owed at last, by currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

BUCKETS = ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"))
"""How many days past due a bucket goes."""


@dataclass(frozen=True, slots=True)
class AccountStatementEntry:
    """A fact of the ledger that changed what the customer owes (minor units, a debit is positive)."""

    on: date
    kind: str
    reference: str | None
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class AccountStatementEntryWithBalance:
    """An entry, and what is owed after it."""

    entry: AccountStatementEntry
    balance: int


@dataclass(frozen=True, slots=True)
class AccountStatementOpenInvoice:
    """An invoice of which something is open at the end."""

    number: str
    issued_on: date
    due_on: date
    currency: str
    total: int
    open: int


@dataclass(frozen=True, slots=True)
class AccountStatementInCurrency:
    """All of one currency."""

    currency: str
    opening: int
    rows: tuple[AccountStatementEntryWithBalance, ...]
    unapplied: int
    """What was paid and has paid nothing yet."""
    items: tuple[AccountStatementOpenInvoice, ...]

    @property
    def statement_closing_balance(self) -> int:
        """Balance at the end: open invoices less unapplied cash."""
        return self.rows[-1].balance if self.rows else self.opening

    def sum_statement_ageing_buckets(self, day: date) -> dict[str, int]:
        """Open amount in each bucket, by the days past due on a day."""
        sums = {name: 0 for _, name in BUCKETS} | {"90+": 0}
        for item in self.items:
            sums[find_ageing_bucket(item.due_on, day)] += item.open
        return sums


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """The statement of an account for days, both included."""

    begin: date
    end: date
    accounts: tuple[AccountStatementInCurrency, ...]


def find_ageing_bucket(due_on: date, day: date) -> str:
    """Find the ageing bucket of what was due on a day.

    `AGEING_BUCKETS` of `services.invoicing.metrics` does it for all receivables.
    """
    late = (day - due_on).days
    return next((name for most, name in BUCKETS if late <= most), "90+")


def add_statement_running_balances(
    opening: int, entries: Iterable[AccountStatementEntry]
) -> tuple[AccountStatementEntryWithBalance, ...]:
    """The entries with what is owed after each."""
    rows: list[AccountStatementEntryWithBalance] = []
    for entry in entries:
        opening += entry.amount
        rows.append(AccountStatementEntryWithBalance(entry, opening))
    return tuple(rows)
