"""Verdicts of comparing the vendor's lines with what we expected, and decisions of people about them.

A comparison is about one subscription, charge kind and period: several lines and charges of it are added up on
either side. Amounts are minor units; a difference above zero means that the vendor bills more than we expected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import isqrt
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
