"""What a bill run gives back: its charges come to less than nothing, so lines that were billed before are credited.

Pure: values in, values out. Amounts are minor units of one currency, gross unless they are called net.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

from services.invoicing.ledger.domain import Share
from services.invoicing.subscriptions.domain.proration import Cycle

Key = TypeVar("Key")


class Supply(NamedTuple):
    """What charges are for: a subscription's cycle, or beside it another `kind` (set-up, usage, …)."""

    subscription_id: UUID
    kind: str
    cycle: Cycle


@dataclass(frozen=True, slots=True)
class Due:
    """A charge that is due, with its tax; a reversal's amounts are negative."""

    charge_id: UUID
    supply: Supply
    net: int
    tax: int

    @property
    def amount(self) -> int:
        """With tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Billed:
    """A line of an issued invoice of which something can still be credited."""

    invoice_id: UUID
    line: int
    supply: Supply
    amount: int
    tax: int
    credited: int
    creditable: int
    excess: int
    """What can be credited of all lines of its supply beyond what these are worth: so much of their reversals lowered
    the lines of others, since they were on an invoice with them."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What of a charge is settled by the credit notes; `kept` of its net amount stays to be billed."""

    charge_id: UUID
    net: int
    tax: int
    kept: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What is credited of which lines (invoice, line, amount), and what becomes of the charges."""

    credits: tuple[tuple[UUID, int, int], ...]
    charges: tuple[Settled, ...]

    @property
    def left(self) -> int:
        """What no line could take, net: a credit that is still to be billed."""
        return -sum(one.kept for one in self.charges)


def give_back(due: Sequence[Due], billed: Sequence[Billed]) -> GivenBack:
    """Credit what the charges come to below 0, on the lines that their reversals take back, in the order of `billed`.

    What no line can take stays with the reversals; if none can take anything, every charge stays as it is.
    """
    wanted = wanted_back(due)
    taken = list(_taken(wanted, billed))
    if not taken:
        return GivenBack((), tuple(Settled(one.charge_id, 0, 0, one.net) for one in due))
    left = _left(wanted, due, taken)
    amounts: Counter[tuple[UUID, int]] = Counter()
    for _, line, amount in taken:
        amounts[line.invoice_id, line.line] += amount
    credits = tuple((invoice_id, line, amount) for (invoice_id, line), amount in amounts.items())
    return GivenBack(credits, tuple(_settled(due, left)))


def wanted_back(due: Iterable[Due]) -> dict[Supply, int]:
    """What is to be given back of each supply: charges use up their own subscription's reversals first, the earliest
    first, then those of the others.
    """
    sums: Counter[Supply] = Counter()
    for one in due:
        sums[one.supply] += one.amount
    ordered = sorted(sums, key=_place)
    charges: Counter[UUID] = Counter()
    for supply in ordered:
        charges[supply.subscription_id] += max(0, sums[supply])
    back = {supply: -sums[supply] for supply in ordered if sums[supply] < 0}
    for supply, amount in back.items():
        back[supply] -= _use(charges, supply.subscription_id, amount)
    others = {"": charges.total()}
    for supply, amount in back.items():
        back[supply] -= _use(others, "", amount)
    return {supply: amount for supply, amount in back.items() if amount}


def _place(supply: Supply) -> tuple[date, date, UUID, str]:
    return supply.cycle.begin, supply.cycle.end, supply.subscription_id, supply.kind


def _use(left: dict[Key, int], key: Key, amount: int) -> int:
    """Use up to an amount of what is left; how much that is."""
    used = min(left[key], amount)
    left[key] -= used
    return used


def _taken(wanted: Mapping[Supply, int], billed: Sequence[Billed]) -> Iterator[tuple[Supply, Billed, int]]:
    """Which supply takes what back of which line: of its own lines, then of lines with an excess, its subscription's
    first.
    """
    short = dict(wanted)
    room = {(one.invoice_id, one.line): one.creditable for one in billed}
    excess = {one.supply: max(0, one.excess) for one in billed}
    for supply in short:
        own = [one for one in billed if one.supply == supply]
        yield from _take(short, supply, own, room, {supply: short[supply]})
    for supply in short:
        others = sorted(billed, key=lambda one: one.supply.subscription_id != supply.subscription_id)
        yield from _take(short, supply, others, room, excess)


def _take(
    short: dict[Supply, int],
    supply: Supply,
    lines: Iterable[Billed],
    room: dict[tuple[UUID, int], int],
    limits: dict[Supply, int],
) -> Iterator[tuple[Supply, Billed, int]]:
    for one in lines:
        place = (one.invoice_id, one.line)
        amount = min(short[supply], room[place], limits[one.supply])
        if amount > 0:
            short[supply] -= amount
            room[place] -= amount
            limits[one.supply] -= amount
            yield supply, one, amount


def _left(
    wanted: Mapping[Supply, int], due: Iterable[Due], taken: Iterable[tuple[Supply, Billed, int]]
) -> Counter[Supply]:
    """What is left of each supply, net. Once all is credited with tax, or all without it, nothing is: the tax of a
    line and that of its reversal may differ by their rounding, or by a rate that is another now.
    """
    gross, net = Counter(wanted), Counter(_net_wanted(wanted, due))
    credited: Counter[tuple[UUID, int]] = Counter()
    for supply, one, amount in taken:
        place = (one.invoice_id, one.line)
        gross[supply] -= amount
        net[supply] -= amount - Share(amount, one.credited + credited[place], one.amount, one.tax).tax
        credited[place] += amount
    return Counter({supply: net[supply] for supply in wanted if gross[supply] > 0 and net[supply] > 0})


def _net_wanted(wanted: Mapping[Supply, int], due: Iterable[Due]) -> dict[Supply, int]:
    """What is to be given back of each supply without tax, in proportion, half up."""
    sums: defaultdict[Supply, list[Due]] = defaultdict(list)
    for one in due:
        sums[one.supply].append(one)
    found = {}
    for supply, amount in wanted.items():
        net, gross = sum(one.net for one in sums[supply]), sum(one.amount for one in sums[supply])
        found[supply] = (2 * amount * net + gross) // (2 * gross)
    return found


def _settled(due: Sequence[Due], left: Counter[Supply]) -> Iterator[Settled]:
    """All is settled but what is left, which stays with the last reversals."""
    for one in reversed(due):
        kept = _use(left, one.supply, max(0, -one.net))
        tax = one.tax * kept // one.net if kept else 0
        yield Settled(one.charge_id, one.net + kept, one.tax + tax, -kept)
