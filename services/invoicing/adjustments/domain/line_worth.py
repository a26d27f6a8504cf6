"""The worth of an invoice's lines: so much can be given back by hand, in all documents together.

Pure. Amounts are minor units of one currency, with tax.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InvoiceLineWorth:
    """The supply of each line that has one, and what was billed of each supply and not given back."""

    supply_by_line: Mapping[int, int] = field(default_factory=dict)
    worth_by_supply: Mapping[int, int] = field(default_factory=dict)

    def limit_credits_to_worth(self, wanted: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Lower amounts of lines, in their order, to what their supplies are worth together."""
        remaining = Counter(self.worth_by_supply)
        limited = []
        for line, amount in wanted:
            supply = self.supply_by_line.get(line)
            share = amount if supply is None else min(amount, remaining[supply])
            if supply is not None:
                remaining[supply] -= share
            limited.append((line, share))
        return limited


@dataclass(frozen=True, slots=True)
class BilledSupplyCharge:
    """Amounts of a charge on documents: minor units with tax, those of a reversal below 0."""

    invoiced_minor: int = 0
    drafted_minor: int = 0
    """On a draft that comes to more than nothing."""
    settled_by_credits_minor: int = 0
    """Part of a reversal that credit notes of bill runs have given back, so that no invoice line takes it."""
    forgiven_minor: int = 0


def compute_forgiven_minor(credited_minor: int, written_off_minor: int, credited_by_runs_minor: int) -> int:
    """Compute what people credited, wrote off or let go of a line: all but the credits that a bill run has made of it.

    `repository.supplies.COMPUTE_FORGIVEN_MINOR` does it for the lines of many charges.
    """
    return credited_minor + written_off_minor - credited_by_runs_minor


def compute_supply_worth(charges: Iterable[BilledSupplyCharge]) -> int:
    """Compute what a supply is still worth: what was billed of its charges and not given back, and never below 0.

    `repository.line_worth_queries.COMPUTE_SUPPLY_WORTH` does it for the supplies of an invoice's lines.
    """
    return max(
        0,
        sum(
            charge.invoiced_minor + charge.drafted_minor + charge.settled_by_credits_minor - charge.forgiven_minor
            for charge in charges
        ),
    )
