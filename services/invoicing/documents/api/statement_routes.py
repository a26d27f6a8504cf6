"""Statements of account, as data and as documents."""

from datetime import date
from functools import partial
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.documents.api.content_negotiation import (
    FORMS,
    Accept,
    Wanted,
    choose_document_type,
    render_document_response,
)
from services.invoicing.documents.domain import account_statement
from services.invoicing.documents.domain.account_statement import AccountStatementEntryWithBalance
from services.invoicing.documents.papers.pages import render_account_statement_page
from services.invoicing.documents.use_cases import document_rendering
from services.invoicing.documents.use_cases.document_rendering import (
    AccountStatementDatesRefused,
    DocumentSellerUnknown,
)
from shared.outside.printing.printer import PrinterBusy
from shared.pure.fields import Day, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(prefix="/v1/accounts", tags=["documents"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)

From = Annotated[Day, Query(alias="from", description="the first day, in the account's time zone")]
To = Annotated[Day, Query(alias="to", description="the last day")]


class StatementEntryOut(BaseModel):
    """A change of what is owed (minor units), and the balance after it."""

    occurred_on: date
    kind: str = Field(description="invoice, payment, credit_note, reversal …")
    reference: str | None
    amount_minor: int
    balance_minor: int


class OpenItemOut(BaseModel):
    """An invoice of which something is open at the end."""

    number: str
    issued_on: date
    due_on: date
    total_minor: int
    open_minor: int
    age_bucket: str


class StatementBalancesOut(BaseModel):
    """All of one currency: the closing balance is what is open less what is unapplied."""

    currency: str
    opening_minor: int
    entries: list[StatementEntryOut]
    closing_minor: int
    unapplied_minor: int
    open_items: list[OpenItemOut]
    ageing_minor: dict[str, int]


class StatementOut(BaseModel):
    """A statement of account: the changes of what is owed, in their order."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        period_from="2026-03-01",
        period_to="2026-04-30",
        balances=[
            {
                "currency": "EUR",
                "opening_minor": 0,
                "entries": [
                    {
                        "occurred_on": "2026-03-17",
                        "kind": "invoice",
                        "reference": "GS-DE-00000001",
                        "amount_minor": 25200,
                        "balance_minor": 25200,
                    }
                ],
                "closing_minor": 25200,
                "unapplied_minor": 0,
                "open_items": [
                    {
                        "number": "GS-DE-00000001",
                        "issued_on": "2026-03-17",
                        "due_on": "2026-03-31",
                        "total_minor": 25200,
                        "open_minor": 25200,
                        "age_bucket": "1-30",
                    }
                ],
                "ageing_minor": {"current": 0, "1-30": 25200, "31-60": 0, "61-90": 0, "90+": 0},
            }
        ],
    )

    account_id: UUID
    period_from: date
    period_to: date
    balances: list[StatementBalancesOut]

    @classmethod
    def from_account_statement(cls, account_id: UUID, statement: account_statement.AccountStatement) -> Self:
        """The answer for a statement."""
        balances = [_balances(account, statement.end) for account in statement.accounts]
        return cls(account_id=account_id, period_from=statement.begin, period_to=statement.end, balances=balances)


def _balances(statement: account_statement.AccountStatementInCurrency, end: date) -> StatementBalancesOut:
    return StatementBalancesOut(
        currency=statement.currency,
        opening_minor=statement.opening,
        entries=[_entry(row) for row in statement.rows],
        closing_minor=statement.statement_closing_balance,
        unapplied_minor=statement.unapplied,
        open_items=[_item(item, end) for item in statement.items],
        ageing_minor=statement.sum_statement_ageing_buckets(end),
    )


def _entry(row: AccountStatementEntryWithBalance) -> StatementEntryOut:
    entry = row.entry
    return StatementEntryOut(
        occurred_on=entry.on,
        kind=entry.kind,
        reference=entry.reference,
        amount_minor=entry.amount,
        balance_minor=row.balance,
    )


def _item(item: account_statement.AccountStatementOpenInvoice, end: date) -> OpenItemOut:
    return OpenItemOut(
        number=item.number,
        issued_on=item.issued_on,
        due_on=item.due_on,
        total_minor=item.total,
        open_minor=item.open,
        age_bucket=account_statement.find_ageing_bucket(item.due_on, end),
    )


@reads.get(
    "/{account_id}/statement", summary="A statement of account", responses=refusals(AccountStatementDatesRefused)
)
async def get_account_statement(account_id: UUID, begin: From, end: To, read: Read) -> StatementOut:
    """Opening balance, every invoice, payment, credit note and reversal, closing balance; and what is open then."""
    return StatementOut.from_account_statement(
        account_id, await read(lambda unit: document_rendering.build_account_statement(unit, account_id, begin, end))
    )


@reads.get(
    "/{account_id}/statement/document",
    summary="A statement of account as a document",
    responses=FORMS | refusals(DocumentSellerUnknown, AccountStatementDatesRefused, PrinterBusy),
    response_class=Response,
)
async def download_account_statement(
    account_id: UUID, begin: From, end: To, read: Read, accept: Accept = None, wanted: Wanted = None
) -> Response:
    """Get the statement of account as HTML or PDF in the customer's language."""
    kind = choose_document_type(accept, wanted)
    statement, parties = await read(
        lambda unit: document_rendering.build_account_statement_document(unit, account_id, begin, end)
    )
    return await render_document_response(
        read.runtime.printer,
        partial(render_account_statement_page, statement, parties),
        kind,
        f"statement-{begin}-{end}",
    )
