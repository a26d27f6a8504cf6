"""Issued invoice, as far as its disputes need it; minor units."""

from datetime import date

from shared.contracts.answers import AnswerContract


class InvoiceIssueDate(AnswerContract):
    """Day on which an invoice was issued."""

    issue_date: date


class InvoiceLineTotal(AnswerContract):
    """Line of an invoice and its amount, with tax."""

    line: int
    amount_minor: int


class InvoiceLineTotals(AnswerContract):
    """Lines of an invoice with their amounts."""

    lines: tuple[InvoiceLineTotal, ...]
