"""The comparison of a reconciliation file in Python: one subscription, kind and period after the other.

The verdict on each is that of the domain; what is added up on either side is counted here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from services.invoicing.vendor_costs.domain.line_verdicts import (
    BilledVendorCost,
    ExpectedVendorCost,
    compute_vendor_unit_tolerance,
    compute_vendor_verdict,
    is_missing_at_vendor,
    is_vendor_cost_expected,
)
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
        billed = BilledVendorCost(
            Decimal(sum(line.quantity for line in lines)),
            Decimal(sum(abs(line.quantity) for line in lines)),
            sum(line.subtotal for line in lines),
        )
        is_ours = self.customers.get(key[0]) == customer
        rest = self._compute_rest(key) if is_ours else None
        verdict = compute_vendor_verdict(
            billed, rest, compute_vendor_unit_tolerance("EUR"), is_subscription_ours=is_ours
        )
        expected_minor = rest.amount_minor if rest and is_vendor_cost_expected(billed, rest) else 0
        return (verdict, len(lines), billed.amount_minor, expected_minor)

    def _compute_rest(self, key: Key) -> ExpectedVendorCost | None:
        """Add up what was expected and is not billed yet; None if nothing ever was."""
        charges, before = self.list_expected(key), self.before(key)
        if not charges:
            return None
        return ExpectedVendorCost(
            Decimal(sum(charge.quantity for charge in charges) - sum(line.quantity for line in before)),
            sum(charge.amount for charge in charges) - sum(line.subtotal for line in before),
            in_foreign_currency=any(charge.currency != "EUR" for charge in charges),
            is_billed_before=bool(before),
        )

    def _missing(self, in_file: set[Key]) -> list[Entry]:
        entries: list[Entry] = []
        for key in {
            (self.ids[charge.subscription_id], charge.kind, charge.starts, charge.to) for charge in self.charges
        }:
            charges, rest = self.list_expected(key), self._compute_rest(key)
            in_march = any(MARCH[0] <= charge.charged_on < MARCH[1] and charge.currency == "EUR" for charge in charges)
            if rest and in_march and is_missing_at_vendor(rest, is_billed=key in in_file):
                entries.append(("missing_at_vendor", 0, 0, rest.amount_minor))
        return entries
