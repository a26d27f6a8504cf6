"""The entries of each fact: what they are and that they balance. Debit is positive, credit negative, minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The accounts of the chart that facts are posted to."""

    RECEIVABLES = "receivables"
    CASH = "cash"
    UNAPPLIED = "unapplied"
    TAX = "tax"
    DEFERRED = "deferred_revenue"
    REVENUE = "revenue"
    CREDITS = "credits"


Entries = Mapping[Code, int]
"""What a fact moves on each account; adds up to 0."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a credit note takes off a line of an invoice, of which so much was credited before."""

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


def invoiced(total: int) -> Entries:
    """An invoice with explicit amounts was issued: it is earned at once, and says nothing of tax."""
    return {Code.RECEIVABLES: total, Code.REVENUE: -total}


def received(amount: int, allocated: int) -> Entries:
    """Money came in and paid something; the rest is unapplied cash."""
    return {Code.CASH: amount, Code.RECEIVABLES: -allocated, Code.UNAPPLIED: allocated - amount}


def used(allocated: int) -> Entries:
    """Unapplied cash paid something."""
    return {Code.UNAPPLIED: allocated, Code.RECEIVABLES: -allocated}


def reversed_(amount: int, allocated: int) -> Entries:
    """A payment was taken back: what it paid is owed again, what of it was unapplied is gone."""
    return {code: -minor for code, minor in received(amount, allocated).items()}


def credited(shares: list[Share]) -> Entries:
    """A credit note lowers what is owed, and the tax in it."""
    total, tax = sum(share.amount for share in shares), sum(share.tax for share in shares)
    return {Code.CREDITS: total - tax, Code.TAX: tax, Code.RECEIVABLES: -total}
