"""The entries of each fact: what they are and that they balance. Debit is positive, credit negative, minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class LedgerCode(StrEnum):
    """The accounts of the chart that facts are posted to."""

    RECEIVABLES = "receivables"
    CASH = "cash"
    UNAPPLIED = "unapplied"
    TAX = "tax"
    DEFERRED = "deferred_revenue"
    REVENUE = "revenue"
    CREDITS = "credits"
    REFUNDS = "refunds"
    BAD_DEBT = "bad_debt"
    RECOVERIES = "recoveries"
    SMALL_BALANCES = "small_balances"
    VENDOR_PAYABLE = "vendor_payable"
    VENDOR_COST = "vendor_cost"
    INPUT_TAX = "input_tax"
    VENDOR_DIFFERENCES = "vendor_differences"


Entries = Mapping[LedgerCode, int]
"""What a fact moves on each account; adds up to 0."""


@dataclass(frozen=True, slots=True)
class CreditShare:
    """Part of a credit note on one line of an invoice, of which so much was credited before."""

    amount: int
    credited_before: int
    line_amount: int
    line_tax: int

    @property
    def tax(self) -> int:
        """The tax in it, in proportion; all credits of a line together never take more than its tax."""
        if self.line_amount <= 0:
            return 0
        upto = self.credited_before + self.amount
        return self.line_tax * upto // self.line_amount - self.line_tax * self.credited_before // self.line_amount


def build_invoice_entries(total: int, tax: int) -> Entries:
    """Build the entries of an invoice by hand, in minor units: the tax in it is owed, the rest is earned at once."""
    return {LedgerCode.RECEIVABLES: total, LedgerCode.TAX: -tax, LedgerCode.REVENUE: tax - total}


def build_payment_entries(amount: int, allocated: int, recovered: int = 0) -> Entries:
    """Money came in and paid something, or what had been written off; the rest is unapplied cash."""
    rest = amount - allocated - recovered
    return {
        LedgerCode.CASH: amount,
        LedgerCode.RECEIVABLES: -allocated,
        LedgerCode.RECOVERIES: -recovered,
        LedgerCode.UNAPPLIED: -rest,
    }


def build_allocation_entries(allocated: int, recovered: int = 0) -> Entries:
    """Unapplied cash paid something."""
    return {
        LedgerCode.UNAPPLIED: allocated + recovered,
        LedgerCode.RECEIVABLES: -allocated,
        LedgerCode.RECOVERIES: -recovered,
    }


def build_reversal_entries(amount: int, allocated: int, recovered: int = 0) -> Entries:
    """A payment was taken back: what it paid is owed again, what of it was unapplied is gone."""
    return {code: -minor for code, minor in build_payment_entries(amount, allocated, recovered).items()}


def build_credit_entries(shares: list[CreditShare], deferred: int = 0, freed: int = 0) -> Entries:
    """A credit note lowers what is owed, and the tax in it; what is not earned yet (`deferred`) never will be.

    What of it had been paid (`freed`) is the customer's money again.
    """
    total, tax = sum(share.amount for share in shares), sum(share.tax for share in shares)
    return {
        LedgerCode.CREDITS: total - tax - deferred,
        LedgerCode.DEFERRED: deferred,
        LedgerCode.TAX: tax,
        LedgerCode.RECEIVABLES: freed - total,
        LedgerCode.UNAPPLIED: -freed,
    }


def build_write_off_entries(amount: int) -> Entries:
    """A person gave up a claim; the tax in it stays until the tax office is asked for it."""
    return {LedgerCode.BAD_DEBT: amount, LedgerCode.RECEIVABLES: -amount}


def build_small_balance_entries(amount: int) -> Entries:
    """A rest too small for a reminder was let go."""
    return {LedgerCode.SMALL_BALANCES: amount, LedgerCode.RECEIVABLES: -amount}


def build_held_refund_entries(amount: int) -> Entries:
    """Unapplied cash is to be paid back, once a second person agrees."""
    return {LedgerCode.UNAPPLIED: amount, LedgerCode.REFUNDS: -amount}


def build_paid_refund_entries(amount: int) -> Entries:
    """It is paid back."""
    return {LedgerCode.REFUNDS: amount, LedgerCode.CASH: -amount}


def build_direct_refund_entries(amount: int) -> Entries:
    """Build the entries of unapplied cash that is paid back at once: nothing of it was held before."""
    return {LedgerCode.UNAPPLIED: amount, LedgerCode.CASH: -amount}


def build_declined_refund_entries(amount: int) -> Entries:
    """It stays the customer's unapplied cash."""
    return {code: -minor for code, minor in build_held_refund_entries(amount).items()}


def build_vendor_tax_entries(tax: int) -> Entries:
    """Build the entries of a vendor invoice: its tax, since its net was accrued."""
    return {LedgerCode.INPUT_TAX: tax, LedgerCode.VENDOR_PAYABLE: -tax}


def build_vendor_payment_entries(amount: int) -> Entries:
    """Build the entries of our payment to the vendor; what is held back stays payable."""
    return {LedgerCode.VENDOR_PAYABLE: amount, LedgerCode.CASH: -amount}


def build_accepted_difference_entries(difference: int) -> Entries:
    """Build the entries of a difference that is accepted: above zero, the vendor bills more than was accrued."""
    return {LedgerCode.VENDOR_DIFFERENCES: difference, LedgerCode.VENDOR_PAYABLE: -difference}


def build_billed_difference_entries(difference: int) -> Entries:
    """Build the entries of a difference that the customer is billed for: it is a cost like any other."""
    return {LedgerCode.VENDOR_COST: difference, LedgerCode.VENDOR_PAYABLE: -difference}
