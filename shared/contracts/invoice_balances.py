"""Balances of invoices as invoicing has them now; minor units."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from shared.contracts.answers import AnswerContract
from shared.events.values import LineBalance
from shared.pure.fields import RequestBody

MOST_BALANCES = 1000
"""Invoices of one request."""


class InvoiceBalancesQuestion(RequestBody):
    """Request for the balances of these invoices."""

    invoice_ids: list[UUID] = Field(max_length=MOST_BALANCES)


class FreshInvoiceBalance(AnswerContract):
    """Balance of an invoice; its sequence decides against what events say."""

    invoice_id: UUID
    account_id: UUID
    number: str
    currency: str
    due_date: date
    sequence: int
    changed_at: datetime
    lines: tuple[LineBalance, ...]


class FreshInvoiceBalances(AnswerContract):
    """Balances of the invoices that were asked for, without those that are unknown."""

    balances: tuple[FreshInvoiceBalance, ...]


class DisputableLine(AnswerContract):
    """Line of an invoice, by its number."""

    line: int


class DisputableBalance(AnswerContract):
    """Total of an invoice, with tax, and its lines."""

    total_minor: int
    lines: tuple[DisputableLine, ...]
