"""The worth of an invoice's lines: so much can be given back by hand, in all documents together.

Pure. Amounts are minor units of one currency, with tax.
"""

from collections import Counter
from collections.abc import Mapping
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
