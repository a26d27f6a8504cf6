"""The facts of one invoice that collections works on: an item of a dunning case.

Amounts are minor units of the item's currency; times are UTC instants. Facts may be told late, twice and
in any order: their sequence and their time decide, never the order in which they came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.pure.shares import allocate_in_order

Outcome = Literal["sent", "skipped", "pending", "failed", "requested"]
"""`requested` is that of a suspension or termination, the others are those of notices."""
Effect = Literal["awaited", "in_effect", "over"]
"""Whether what a suspension did still is: not yet, now, or no more."""


class LineBalance(NamedTuple):
    """Open amount of one line, and what of it is disputed or in flight; without a subscription it suspends nothing."""

    line: int
    subscription_id: UUID | None
    open_minor: int
    disputed_minor: int = 0
    in_flight_minor: int = 0
    written_off_minor: int = 0


class ItemBalance(NamedTuple):
    """The whole balance of the invoice from `at` until the next; `sequence` is that of the account."""

    sequence: int
    at: datetime
    lines: tuple[LineBalance, ...]

    @property
    def open_minor(self) -> int:
        """Amount that is left to pay, in minor units."""
        return sum(line.open_minor for line in self.lines)


class OverdueJudgement(NamedTuple):
    """Invoicing's judgement that the invoice is overdue; it counts for the round in which it was made."""

    sequence: int
    judged_at: datetime


class PaymentPromise(NamedTuple):
    """A promise to pay covers an amount from `active_from` until just before `active_until`."""

    amount_minor: int
    active_from: datetime
    active_until: datetime

    def get_covered_amount(self, instant: datetime) -> int:
        """The amount that it covers at an instant."""
        return self.amount_minor if self.active_from <= instant < self.active_until else 0


class SuspensionRelease(NamedTuple):
    """A person's release of a suspension that the invoice caused; its last local day is `until`."""

    at: datetime
    until: date


@dataclass(frozen=True, slots=True)
class TakenDunningStep:
    """A step that was carried out or skipped; it happens once for each round of the item, unless it became void."""

    step: str
    round: int
    at: datetime
    outcome: Outcome
    delivered_at: datetime | None = None
    """When the next hop took the notice; None as long as it did not."""
    replaced_by: str | None = None
    """The further notice that went out instead of a skipped one."""
    effect: Effect = "in_effect"
    """Effect of a suspension on access; a step of another kind is always in effect."""
    suspension_id: UUID | None = None
    """The suspension that the step requested, if it did."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One invoice with everything that was told about it."""

    invoice_id: UUID
    number: str
    due_date: date
    currency: str
    zone: ZoneInfo
    recorded_at: datetime
    """When it was recorded here: the policy in force then is the one that judges it."""
    balances: tuple[ItemBalance, ...] = ()
    overdue: tuple[OverdueJudgement, ...] = ()
    promises: tuple[PaymentPromise, ...] = ()
    taken: tuple[TakenDunningStep, ...] = ()
    releases: tuple[SuspensionRelease, ...] = ()

    def add_balance(self, balance: ItemBalance) -> "ItemFacts":
        """Build the same item with one more balance, such as a fresh one that was asked for."""
        return replace(self, balances=(*self.balances, balance))

    def list_balance_history(self, now: datetime) -> tuple[ItemBalance, ...]:
        """The balances known at `now` by sequence, each once; told twice, the earlier time counts."""
        first_told: dict[int, ItemBalance] = {}
        for balance in sorted(self.balances, key=attrgetter("sequence", "at")):
            if balance.at <= now:
                first_told.setdefault(balance.sequence, balance)
        return tuple(first_told.values())

    def sum_promises_at(self, instant: datetime) -> int:
        """The sum of the promises that are active at an instant."""
        return sum(promise.get_covered_amount(instant) for promise in self.promises)


def sort_lines_for_allocation(lines: Iterable[LineBalance]) -> list[LineBalance]:
    """Lines in the order in which payments are allocated to them."""
    return sorted(lines, key=attrgetter("line"))


def compute_dunnable_by_line(lines: Sequence[LineBalance], promised: int) -> tuple[int, ...]:
    """Compute the dunnable amount of each line, in the order of `lines`, that of `sort_lines_for_allocation`.

    Promises cover the first lines first. What a line has disputed or in flight beyond what it has open covers no
    other line, as in invoicing.
    """
    free = [max(line.open_minor - line.disputed_minor - line.in_flight_minor, 0) for line in lines]
    return tuple(amount - covered for amount, covered in zip(free, allocate_in_order(promised, free), strict=True))


def find_dunning_round(history: Sequence[ItemBalance]) -> tuple[int, ItemBalance | None]:
    """The round that an item is in, and the balance that began it; None if nothing was ever open.

    A debt that was settled and is open again, as after a reversed payment, is a new round.
    """
    number, began, was_open = 0, None, False
    for balance in history:
        is_open = balance.open_minor > 0
        if is_open and not was_open:
            number, began = number + 1, balance
        was_open = is_open
    return max(number, 1), began
