"""Verdicts of comparing the vendor's lines with what we expected, and decisions of people about them.

A comparison is about one subscription, charge kind and period: several lines and charges of it are added up on
either side. Amounts are minor units; a difference above zero means that the vendor bills more than we expected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import floor, isqrt
from typing import ClassVar

from shared.pure.errors import Refusal
from shared.pure.money import Money, get_minor_digits


class Verdict(StrEnum):
    """Result of a comparison."""

    MATCHED = "matched"
    WITHIN_TOLERANCE = "within_tolerance"
    QUANTITY_DIFFERENCE = "quantity_difference"
    PRICE_DIFFERENCE = "price_difference"
    MISSING_WITH_US = "missing_with_us"
    """Customer and subscription are known, and nothing (more) was expected."""
    MISSING_AT_VENDOR = "missing_at_vendor"
    """Expected in the invoice's period, and not in the file."""
    NO_CUSTOMER = "no_customer"
    NOT_COMPARABLE = "not_comparable"
    """A charge type that we do not model, or charges in another currency."""


CLEAN = frozenset({Verdict.MATCHED, Verdict.WITHIN_TOLERANCE})
COMPARED = CLEAN | {Verdict.QUANTITY_DIFFERENCE, Verdict.PRICE_DIFFERENCE}
"""Verdicts for which there was something on either side."""


class ReconciliationStatus(StrEnum):
    """Result of a reconciliation as a whole."""

    CLEAN = "clean"
    DIFFERENCES = "differences"
    NOT_COMPARED = "not_compared"


class Decision(StrEnum):
    """A person's decision about a difference."""

    DISPUTE_WITH_VENDOR = "dispute_with_vendor"
    BILL_CUSTOMER = "bill_customer"
    ACCEPT = "accept"


class DifferenceState(StrEnum):
    """Where a difference is."""

    OPEN = "open"
    DECIDED = "decided"


class VendorFileSumsRefused(Refusal):
    """The file does not add up to its invoice."""

    code: ClassVar[str] = "sums_differ"
    status: ClassVar[int] = 422


class VendorDifferenceAlreadyDecided(Refusal):
    """A difference is decided once."""

    code: ClassVar[str] = "already_decided"


@dataclass(frozen=True, slots=True)
class ReconciliationVerdictSum:
    """All comparisons of one verdict: how many, of how many lines, and the sums of both sides.

    `billed_to_customers` is what customers were billed for them, by currency, as at the comparison.
    """

    verdict: Verdict
    comparisons: int
    lines: int
    billed_minor: int
    expected_minor: int
    billed_to_customers: tuple[Money, ...] = ()


def compute_vendor_sum_tolerance(lines: int) -> int:
    """By how many minor units a file may miss the sum of its invoice.

    The vendor rounds lines and invoice apart. Independent roundings of n lines miss by 0.29 √n (one standard
    deviation), so √n is more than three of them, and at least 1.
    """
    return max(1, isqrt(lines))


def check_vendor_file_sums(lines: int, file_sums: tuple[Money, Money], invoice: tuple[Money, Money]) -> None:
    """The file's total and tax are those of its invoice (tax is checked here, not line by line).

    Raises VendorFileSumsRefused.
    """
    for name, of_file, of_invoice in zip(("total", "tax"), file_sums, invoice, strict=True):
        if abs((of_file - of_invoice).minor) > compute_vendor_sum_tolerance(lines):
            raise VendorFileSumsRefused(
                f"the {name} of the file's {lines} lines is {of_file}, and that of the invoice {of_invoice}",
                file_minor=of_file.minor,
                invoice_minor=of_invoice.minor,
                currency=of_file.currency,
            )


def compute_vendor_unit_tolerance(currency: str) -> Decimal:
    """The tolerance for each unit of quantity: 0.01 of the currency, in its minor units (1 for EUR, 0.01 for JPY)."""
    return Decimal(10) ** get_minor_digits(currency) / 100


@dataclass(frozen=True, slots=True)
class BilledVendorCost:
    """The vendor's lines of a comparison in one file, added up; `units` adds up the quantities without their signs."""

    quantity: Decimal
    units: Decimal
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ExpectedVendorCost:
    """Our charges of a comparison, added up, less what other invoices of the vendor have billed of them."""

    quantity: Decimal
    amount_minor: int
    in_foreign_currency: bool
    """A charge of it is in another currency than the invoice."""
    is_billed_before: bool


def is_vendor_cost_expected(billed: BilledVendorCost, expected: ExpectedVendorCost | None) -> bool:
    """Say whether more was expected, so that both sides can be compared.

    After another invoice has billed it, only what corrects the remaining amount and quantity was: a third bill for what
    was billed twice goes the other way, and its difference is its own amount.

    `repository.cost_comparison.IS_VENDOR_COST_EXPECTED` does it for a whole file.
    """
    if expected is None or expected.in_foreign_currency:
        return False
    goes_elsewhere = billed.amount_minor * expected.amount_minor < 0 or (expected.quantity == 0 != billed.quantity)
    return not (expected.is_billed_before and goes_elsewhere)


def compute_vendor_verdict(
    billed: BilledVendorCost,
    expected: ExpectedVendorCost | None,
    unit_tolerance: Decimal,
    *,
    is_subscription_ours: bool,
) -> Verdict:
    """Compare what the vendor bills with what we expected.

    `expected` is None if we have no charge; `unit_tolerance` is that of a unit of quantity, in minor units. The sum may
    miss by as much for each unit, in whole minor units and at least by one.

    `repository.cost_comparison.COMPUTE_VENDOR_VERDICT` does it for a whole file.
    """
    if not is_subscription_ours:
        return Verdict.NO_CUSTOMER
    if expected is not None and expected.in_foreign_currency:
        return Verdict.NOT_COMPARABLE
    if expected is None or not is_vendor_cost_expected(billed, expected):
        return Verdict.MISSING_WITH_US
    if billed.quantity != expected.quantity:
        return Verdict.QUANTITY_DIFFERENCE
    difference = abs(billed.amount_minor - expected.amount_minor)
    if not difference:
        return Verdict.MATCHED
    tolerated = max(1, floor(billed.units * unit_tolerance))
    return Verdict.WITHIN_TOLERANCE if difference <= tolerated else Verdict.PRICE_DIFFERENCE


def is_missing_at_vendor(expected: ExpectedVendorCost, *, is_billed: bool) -> bool:
    """Say whether the vendor has forgotten a charge; `is_billed` says whether the file has a line for it.

    `repository.cost_comparison.IS_MISSING_AT_VENDOR` does it for a whole file.
    """
    is_open = expected.quantity != 0 or expected.amount_minor != 0
    return is_open and not (is_billed or expected.in_foreign_currency or expected.is_billed_before)


def get_reconciliation_status(sums: Iterable[ReconciliationVerdictSum]) -> ReconciliationStatus:
    """Clean only if something was compared, and nothing else is left."""
    verdicts = {subtotal.verdict for subtotal in sums if subtotal.comparisons}
    if not verdicts & COMPARED:
        return ReconciliationStatus.NOT_COMPARED
    return ReconciliationStatus.CLEAN if verdicts <= CLEAN else ReconciliationStatus.DIFFERENCES


def get_decided_difference_state(state: DifferenceState) -> DifferenceState:
    """The state of a difference about which a person decides. Raises VendorDifferenceAlreadyDecided."""
    if state is not DifferenceState.OPEN:
        raise VendorDifferenceAlreadyDecided("the difference is decided, and that is not taken back")
    return DifferenceState.DECIDED


_CAUSES = {
    Verdict.QUANTITY_DIFFERENCE: "the vendor bills {billed_quantity} units, and we expected {expected_quantity}",
    Verdict.PRICE_DIFFERENCE: "the quantity is as expected, and the vendor bills {billed} instead of {expected}",
    Verdict.MISSING_WITH_US: "the subscription is ours, and nothing more was expected for this charge and period",
    Verdict.MISSING_AT_VENDOR: "we expected {expected} in the period of the invoice, and the file has no line for it",
    Verdict.NO_CUSTOMER: "no subscription of ours has these ids of the vendor's",
    Verdict.NOT_COMPARABLE: "charges of this type, or in another currency than the invoice, are not compared",
}


def describe_difference_cause(
    verdict: Verdict, billed: Money, expected: Money, quantities: tuple[Decimal, Decimal]
) -> str:
    """Why a difference is on the work list, in a sentence."""
    return _CAUSES[verdict].format(
        billed=billed,
        expected=expected,
        billed_quantity=format_vendor_quantity(quantities[0]),
        expected_quantity=format_vendor_quantity(quantities[1]),
    )


def format_vendor_quantity(quantity: Decimal) -> str:
    """A quantity without trailing zeros or an exponent."""
    return f"{quantity.normalize():f}"
