"""The entries of each fact: what they are and that they balance. Debit is positive, credit negative, minor units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class LedgerAccountCode(StrEnum):
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


Entries = Mapping[LedgerAccountCode, int]
"""What a fact moves on each account; adds up to 0."""


@dataclass(frozen=True, slots=True)
class CreditNoteLineShare:
    """Part of a credit note on one line of an invoice, of which so much was credited before."""

    amount: int
    credited_before: int
    line_amount: int
    line_tax: int

    @property
    def tax_minor(self) -> int:
        """The tax in it, in proportion; all credits of a line together never take more than its tax."""
        if self.line_amount <= 0:
            return 0
        upto = self.credited_before + self.amount
        return self.line_tax * upto // self.line_amount - self.line_tax * self.credited_before // self.line_amount


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of a billed invoice, in minor units; `is_deferred` where it is paid in advance and earned later."""

    net: int
    tax: int
    is_deferred: bool


def build_billed_invoice_entries(lines: Iterable[BilledLine]) -> Entries:
    """Build the entries of a billed invoice: its tax is owed, and what is paid in advance is earned day by day.

    A bill run posts all its invoices at once, with BUILD_BILLED_INVOICE_ENTRIES of `chunk_issuing_statements`.
    """
    entries = dict.fromkeys(
        (LedgerAccountCode.RECEIVABLES, LedgerAccountCode.TAX, LedgerAccountCode.DEFERRED, LedgerAccountCode.REVENUE), 0
    )
    for line in lines:
        entries[LedgerAccountCode.RECEIVABLES] += line.net + line.tax
        entries[LedgerAccountCode.TAX] -= line.tax
        entries[LedgerAccountCode.DEFERRED if line.is_deferred else LedgerAccountCode.REVENUE] -= line.net
    return entries


def build_manual_invoice_entries(total: int, tax: int) -> Entries:
    """Build the entries of an invoice by hand, in minor units: the tax in it is owed, the rest is earned at once."""
    return {LedgerAccountCode.RECEIVABLES: total, LedgerAccountCode.TAX: -tax, LedgerAccountCode.REVENUE: tax - total}


def build_payment_entries(amount: int, allocated: int, recovered: int = 0) -> Entries:
    """Money came in and paid something, or what had been written off; the rest is unapplied cash."""
    rest = amount - allocated - recovered
    return {
        LedgerAccountCode.CASH: amount,
        LedgerAccountCode.RECEIVABLES: -allocated,
        LedgerAccountCode.RECOVERIES: -recovered,
        LedgerAccountCode.UNAPPLIED: -rest,
    }


def build_allocation_entries(allocated: int, recovered: int = 0) -> Entries:
    """Unapplied cash paid something."""
    return {
        LedgerAccountCode.UNAPPLIED: allocated + recovered,
        LedgerAccountCode.RECEIVABLES: -allocated,
        LedgerAccountCode.RECOVERIES: -recovered,
    }


def build_payment_reversal_entries(amount: int, allocated: int, recovered: int = 0) -> Entries:
    """A payment was taken back: what it paid is owed again, what of it was unapplied is gone."""
    return {code: -minor for code, minor in build_payment_entries(amount, allocated, recovered).items()}


def build_credit_note_entries(shares: list[CreditNoteLineShare], deferred: int = 0, freed: int = 0) -> Entries:
    """A credit note lowers what is owed, and the tax in it; what is not earned yet (`deferred`) never will be.

    What of it had been paid (`freed`) is the customer's money again.
    """
    total, tax = sum(share.amount for share in shares), sum(share.tax_minor for share in shares)
    return {
        LedgerAccountCode.CREDITS: total - tax - deferred,
        LedgerAccountCode.DEFERRED: deferred,
        LedgerAccountCode.TAX: tax,
        LedgerAccountCode.RECEIVABLES: freed - total,
        LedgerAccountCode.UNAPPLIED: -freed,
    }


def build_write_off_entries(amount: int) -> Entries:
    """A person gave up a claim; the tax in it stays until the tax office is asked for it."""
    return {LedgerAccountCode.BAD_DEBT: amount, LedgerAccountCode.RECEIVABLES: -amount}


def build_small_balance_entries(amount: int) -> Entries:
    """A rest too small for a reminder was let go."""
    return {LedgerAccountCode.SMALL_BALANCES: amount, LedgerAccountCode.RECEIVABLES: -amount}


def build_reserved_refund_entries(amount: int) -> Entries:
    """Unapplied cash is to be paid back, once a second person agrees."""
    return {LedgerAccountCode.UNAPPLIED: amount, LedgerAccountCode.REFUNDS: -amount}


def build_paid_refund_entries(amount: int) -> Entries:
    """It is paid back."""
    return {LedgerAccountCode.REFUNDS: amount, LedgerAccountCode.CASH: -amount}


def build_direct_refund_entries(amount: int) -> Entries:
    """Build the entries of unapplied cash that is paid back at once: nothing of it was held before."""
    return {LedgerAccountCode.UNAPPLIED: amount, LedgerAccountCode.CASH: -amount}


def build_declined_refund_entries(amount: int) -> Entries:
    """It stays the customer's unapplied cash."""
    return {code: -minor for code, minor in build_reserved_refund_entries(amount).items()}


def build_vendor_tax_entries(tax: int) -> Entries:
    """Build the entries of a vendor invoice: its tax, since its net was accrued."""
    return {LedgerAccountCode.INPUT_TAX: tax, LedgerAccountCode.VENDOR_PAYABLE: -tax}


def build_vendor_payment_entries(amount: int) -> Entries:
    """Build the entries of our payment to the vendor; what is held back stays payable."""
    return {LedgerAccountCode.VENDOR_PAYABLE: amount, LedgerAccountCode.CASH: -amount}


def build_accepted_difference_entries(difference: int) -> Entries:
    """Build the entries of a difference that is accepted: above zero, the vendor bills more than was accrued."""
    return {LedgerAccountCode.VENDOR_DIFFERENCES: difference, LedgerAccountCode.VENDOR_PAYABLE: -difference}


def build_billed_difference_entries(difference: int) -> Entries:
    """Build the entries of a difference that the customer is billed for: it is a cost like any other."""
    return {LedgerAccountCode.VENDOR_COST: difference, LedgerAccountCode.VENDOR_PAYABLE: -difference}
