"""The comparison of a reconciliation file, by hand: one subscription, kind and period after the other, in Python."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from tests.vendor_files import MARCH, BilledLine, Charge

MODELLED = {"new", "renew", "cycleCharge", "addQuantity", "removeQuantity", "cancelImmediate"}
Key = tuple[str, str, date, date]
"""The vendor's subscription id, the charge type, and the period with its end exclusive."""
Entry = tuple[str, int, int, int]
"""Verdict, lines, billed and expected cents."""


@dataclass
class Ledger:
    """Knowledge of a reseller: whose the subscriptions are, what was expected, what was billed so far."""

    customers: dict[str, str]
    """The vendor's customer of each of the vendor's subscription ids."""
    ids: dict[UUID, str]
    charges: Sequence[Charge]
    billed: list[tuple[Key, BilledLine]] = field(default_factory=list)

    def list_expected(self, key: Key) -> list[Charge]:
        return [
            charge
            for charge in self.charges
            if (self.ids[charge.subscription_id], charge.kind, charge.starts, charge.to) == key
        ]

    def before(self, key: Key) -> list[BilledLine]:
        return [line for billed_key, line in self.billed if billed_key == key]

    def compare(self, lines: Iterable[BilledLine]) -> list[Entry]:
        """The comparisons of an invoice for March in EUR, sorted; what it bills is known from then on."""
        groups: dict[tuple[str, Key], list[BilledLine]] = defaultdict(list)
        entries: list[Entry] = []
        for line in lines:
            if line.charge_type in MODELLED:
                key = (line.subscription, line.charge_type, line.starts, line.ends + timedelta(days=1))
                groups[line.customer, key].append(line)
            else:
                entries.append(("not_comparable", 1, line.subtotal, 0))
        entries += [self._judge(customer, key, some) for (customer, key), some in groups.items()]
        theirs = {key for (customer, key), _ in groups.items() if self.customers.get(key[0]) == customer}
        entries += self._missing(theirs)
        self.billed += [(key, line) for (_, key), some in groups.items() if key in theirs for line in some]
        return sorted(entries)

    def _judge(self, customer: str, key: Key, lines: list[BilledLine]) -> Entry:
        quantity, amount = sum(line.quantity for line in lines), sum(line.subtotal for line in lines)
        if self.customers.get(key[0]) != customer:
            return ("no_customer", len(lines), amount, 0)
        charges, before = self.list_expected(key), self.before(key)
        if not charges:
            return ("missing_with_us", len(lines), amount, 0)
        if any(charge.currency != "EUR" for charge in charges):
            return ("not_comparable", len(lines), amount, 0)
        wanted = sum(charge.quantity for charge in charges) - sum(line.quantity for line in before)
        due = sum(charge.amount for charge in charges) - sum(line.subtotal for line in before)
        goes_elsewhere = (amount > 0 > due) or (amount < 0 < due) or (wanted == 0 != quantity)
        if before and goes_elsewhere:
            return ("missing_with_us", len(lines), amount, 0)
        return (self._verdict(lines, (quantity, amount), (wanted, due)), len(lines), amount, due)

    @staticmethod
    def _verdict(lines: list[BilledLine], billed: tuple[int, int], due: tuple[int, int]) -> str:
        if billed == due:
            return "matched"
        if billed[0] != due[0]:
            return "quantity_difference"
        cents = max(1, sum(abs(line.quantity) for line in lines))
        return "within_tolerance" if abs(billed[1] - due[1]) <= cents else "price_difference"

    def _missing(self, in_file: set[Key]) -> list[Entry]:
        entries: list[Entry] = []
        for key in {
            (self.ids[charge.subscription_id], charge.kind, charge.starts, charge.to) for charge in self.charges
        }:
            charges = self.list_expected(key)
            in_march = any(MARCH[0] <= charge.charged_on < MARCH[1] and charge.currency == "EUR" for charge in charges)
            foreign = any(charge.currency != "EUR" for charge in charges)
            sums = sum(charge.quantity for charge in charges), sum(charge.amount for charge in charges)
            if in_march and not foreign and sums != (0, 0) and key not in in_file and not self.before(key):
                entries.append(("missing_at_vendor", 0, 0, sums[1]))
        return entries
