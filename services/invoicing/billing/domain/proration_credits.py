"""Credits of a bill run: its charges come to less than nothing, so lines that were billed before are credited.

Pure: values in, values out. Amounts are minor units of one currency, gross unless they are called net.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

from services.invoicing.ledger.domain import CreditNoteLineShare
from services.invoicing.subscriptions.domain.proration import BillingCycle

Key = TypeVar("Key")


class ChargedSupply(NamedTuple):
    """Supply that charges are for: a subscription's cycle, or beside it another `kind` (set-up, usage, …)."""

    subscription_id: UUID
    kind: str
    cycle: BillingCycle


@dataclass(frozen=True, slots=True)
class DueCharge:
    """A charge that is due, with its tax; a reversal's amounts are negative."""

    charge_id: UUID
    supply: ChargedSupply
    net: int
    tax: int

    @property
    def charge_gross_minor(self) -> int:
        """Amount with tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class InvoicedSupplyLine:
    """A line of a supply: what it comes to, what is collected for it, and what bill runs have credited of that."""

    amount: int
    collectable: int
    credited_by_runs: int

    @property
    def excess_minor(self) -> int:
        """Collected for the line beyond what it comes to; below 0 where it is collected on lines of others."""
        return self.collectable - self.credited_by_runs - self.amount


def compute_supply_excess(lines: Iterable[InvoicedSupplyLine], settled_by_credits_minor: Iterable[int]) -> int:
    """Compute what is collected for a supply beyond what its lines and its reversals that credits settled come to.

    `repository.proration_credit_queries.LIST_CREDITABLE_LINES` does it for all supplies of the accounts of a bill run.
    """
    return sum(line.excess_minor for line in lines) - sum(settled_by_credits_minor)


@dataclass(frozen=True, slots=True)
class CreditableInvoiceLine:
    """A line of an issued invoice of which something can still be credited."""

    invoice_id: UUID
    line: int
    supply: ChargedSupply
    amount: int
    tax: int
    credited: int
    creditable: int
    excess: int
    """What can be credited of all lines of its supply beyond what these are worth: so much of their reversals lowered
    the lines of others, since they were on an invoice with them."""


@dataclass(frozen=True, slots=True)
class CreditSettledCharge:
    """Part of a charge that credit notes settle; `kept` of its net amount stays to be billed."""

    charge_id: UUID
    net: int
    tax: int
    kept: int


@dataclass(frozen=True, slots=True)
class SurplusLineCredits:
    """Credits by line (invoice, line, amount), and what becomes of the charges."""

    credits: tuple[tuple[UUID, int, int], ...]
    charges: tuple[CreditSettledCharge, ...]

    @property
    def uncreditable_net_minor(self) -> int:
        """Rest that no line could take, net: a credit that is still to be billed."""
        return -sum(charge.kept for charge in self.charges)


def credit_charge_reversal_surplus(
    due: Sequence[DueCharge], billed: Sequence[CreditableInvoiceLine]
) -> SurplusLineCredits:
    """Credit what the charges come to below 0, on the lines that their reversals take back, in the order of `billed`.

    What no line can take stays with the reversals; if none can take anything, every charge stays as it is.
    """
    wanted = sum_credits_by_supply(due)
    taken = list(_match_lines(wanted, billed))
    if not taken:
        return SurplusLineCredits(
            (), tuple(CreditSettledCharge(due_charge.charge_id, 0, 0, due_charge.net) for due_charge in due)
        )
    remaining_by_supply = _compute_remaining(wanted, due, taken)
    amounts: Counter[tuple[UUID, int]] = Counter()
    for _, line, amount in taken:
        amounts[line.invoice_id, line.line] += amount
    credits = tuple((invoice_id, line, amount) for (invoice_id, line), amount in amounts.items())
    return SurplusLineCredits(credits, tuple(_split_settled(due, remaining_by_supply)))


def sum_credits_by_supply(due: Iterable[DueCharge]) -> dict[ChargedSupply, int]:
    """Sum the credits of each supply.

    Charges use up their own subscription's reversals first, the earliest first, then those of the others.
    """
    sums: Counter[ChargedSupply] = Counter()
    for due_charge in due:
        sums[due_charge.supply] += due_charge.charge_gross_minor
    ordered = sorted(sums, key=_build_sort_key)
    charges: Counter[UUID] = Counter()
    for supply in ordered:
        charges[supply.subscription_id] += max(0, sums[supply])
    back = {supply: -sums[supply] for supply in ordered if sums[supply] < 0}
    for supply, amount in back.items():
        back[supply] -= _consume(charges, supply.subscription_id, amount)
    others = {"": charges.total()}
    for supply, amount in back.items():
        back[supply] -= _consume(others, "", amount)
    return {supply: amount for supply, amount in back.items() if amount}


def _build_sort_key(supply: ChargedSupply) -> tuple[date, date, UUID, str]:
    return supply.cycle.begin, supply.cycle.end, supply.subscription_id, supply.kind


def _consume(remaining: dict[Key, int], key: Key, amount: int) -> int:
    """Use up to an amount of what is left; how much that is."""
    used = min(remaining[key], amount)
    remaining[key] -= used
    return used


def _match_lines(
    wanted: Mapping[ChargedSupply, int], billed: Sequence[CreditableInvoiceLine]
) -> Iterator[tuple[ChargedSupply, CreditableInvoiceLine, int]]:
    """Match each supply with the lines that give it back: its own lines, then lines with an excess, those of its
    subscription first.
    """
    short = dict(wanted)
    room = {(billed_line.invoice_id, billed_line.line): billed_line.creditable for billed_line in billed}
    excess = {billed_line.supply: max(0, billed_line.excess) for billed_line in billed}
    for supply in short:
        own = [billed_line for billed_line in billed if billed_line.supply == supply]
        yield from _credit_lines(short, supply, own, room, {supply: short[supply]})
    for supply in short:
        others = sorted(billed, key=lambda billed_line: billed_line.supply.subscription_id != supply.subscription_id)
        yield from _credit_lines(short, supply, others, room, excess)


def _credit_lines(
    short: dict[ChargedSupply, int],
    supply: ChargedSupply,
    lines: Iterable[CreditableInvoiceLine],
    room: dict[tuple[UUID, int], int],
    limits: dict[ChargedSupply, int],
) -> Iterator[tuple[ChargedSupply, CreditableInvoiceLine, int]]:
    for billed_line in lines:
        place = (billed_line.invoice_id, billed_line.line)
        amount = min(short[supply], room[place], limits[billed_line.supply])
        if amount > 0:
            short[supply] -= amount
            room[place] -= amount
            limits[billed_line.supply] -= amount
            yield supply, billed_line, amount


def _compute_remaining(
    wanted: Mapping[ChargedSupply, int],
    due: Iterable[DueCharge],
    taken: Iterable[tuple[ChargedSupply, CreditableInvoiceLine, int]],
) -> Counter[ChargedSupply]:
    """Compute the rest of each supply, net.

    Once all is credited with tax, or all without it, nothing is left: the tax of a line and that of its reversal
    may differ by their rounding, or by a rate that is another now.
    """
    gross, net = Counter(wanted), Counter(_net_wanted(wanted, due))
    credited: Counter[tuple[UUID, int]] = Counter()
    for supply, billed_line, amount in taken:
        place = (billed_line.invoice_id, billed_line.line)
        gross[supply] -= amount
        net[supply] -= (
            amount
            - CreditNoteLineShare(
                amount, billed_line.credited + credited[place], billed_line.amount, billed_line.tax
            ).tax_minor
        )
        credited[place] += amount
    return Counter({supply: net[supply] for supply in wanted if gross[supply] > 0 and net[supply] > 0})


def _net_wanted(wanted: Mapping[ChargedSupply, int], due: Iterable[DueCharge]) -> dict[ChargedSupply, int]:
    """Compute what is to be given back of each supply without tax, in proportion, half up."""
    sums: defaultdict[ChargedSupply, list[DueCharge]] = defaultdict(list)
    for due_charge in due:
        sums[due_charge.supply].append(due_charge)
    net_by_supply = {}
    for supply, amount in wanted.items():
        net, gross = (
            sum(subtotal.net for subtotal in sums[supply]),
            sum(subtotal.charge_gross_minor for subtotal in sums[supply]),
        )
        net_by_supply[supply] = (2 * amount * net + gross) // (2 * gross)
    return net_by_supply


def _split_settled(
    due: Sequence[DueCharge], remaining_by_supply: Counter[ChargedSupply]
) -> Iterator[CreditSettledCharge]:
    """All is settled but what is left, which stays with the last reversals."""
    for due_charge in reversed(due):
        kept = _consume(remaining_by_supply, due_charge.supply, max(0, -due_charge.net))
        tax = due_charge.tax * kept // due_charge.net if kept else 0
        yield CreditSettledCharge(due_charge.charge_id, due_charge.net + kept, due_charge.tax + tax, -kept)
