"""Invoices over REST: issued with explicit lines, read, never changed."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing import use_cases
from services.invoicing.repository import invoices as repository
from services.invoicing.tables import InvoiceRow
from services.invoicing.use_cases.accounts import ReferenceTaken
from services.invoicing.use_cases.invoices import NewInvoice, NewLine
from shared.auth import needs
from shared.commands import CommandRunner, perform_command
from shared.database import Unit
from shared.fields import Body, Code, Day, Name, example
from shared.http import PROBLEMS, Page, Paging, Read, Router, refusals
from shared.money import MoneyModel

reads = Router(prefix="/v1/invoices", tags=["invoices"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/invoices", tags=["invoices"], dependencies=[needs("invoicing:write")], responses=PROBLEMS)


class LineIn(Body):
    """A line of an invoice; one without a subscription never suspends anything."""

    description: Name
    amount: MoneyModel
    subscription_id: UUID | None = None


class InvoiceIn(Body):
    """An invoice to be issued; its lines are numbered from 1 in this order."""

    model_config = example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        lines=[
            {
                "description": "Business Premium, 25 seats, March",
                "amount": {"amount_minor": 25200, "currency": "EUR"},
                "subscription_id": "01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
            }
        ],
        due_date="2026-03-31",
    )

    account_id: UUID
    lines: list[LineIn] = Field(min_length=1, max_length=500)
    external_reference: Code | None = None
    issue_date: Day | None = Field(default=None, description="today in the account's time zone if left out")
    due_date: Day | None = Field(default=None, description="today and the account's terms if left out")

    def new(self) -> NewInvoice:
        """What is to be issued."""
        lines = [NewLine(line.description, line.amount.money(), line.subscription_id) for line in self.lines]
        return NewInvoice(self.account_id, lines, self.external_reference, self.issue_date, self.due_date)


class InvoiceOut(BaseModel):
    """An issued invoice; what is open of it says its balance."""

    model_config = example(
        id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        number="GS-DE-00000001",
        external_reference=None,
        currency="EUR",
        issue_date="2026-03-17",
        due_date="2026-03-31",
        total_minor=25200,
        issued_at="2026-03-17T08:00:00Z",
    )

    id: UUID
    account_id: UUID
    number: str
    external_reference: str | None
    currency: str
    issue_date: Day
    due_date: Day
    total_minor: int
    issued_at: datetime

    @classmethod
    def of(cls, row: InvoiceRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


@writes.post(
    "", status_code=201, response_model=InvoiceOut, summary="Issue an invoice", responses=refusals(ReferenceTaken)
)
async def issue_invoice(
    invoice: InvoiceIn, command: Annotated[CommandRunner, perform_command("invoice.issue")]
) -> Response:
    """Issue an invoice with the next number of its legal entity; announces `InvoiceIssued`."""

    async def issue(unit: Unit) -> InvoiceOut:
        return InvoiceOut.of(await use_cases.invoices.issue(unit, invoice.new()))

    return await command.run(issue, about=invoice.account_id)


@reads.get("", summary="List invoices")
async def list_invoices(
    read: Read, paging: Paging, account_id: Annotated[UUID | None, Query()] = None
) -> Page[InvoiceOut]:
    """Invoices in the order of their ids, of one account if it is given."""
    after = paging.after_id()
    rows = await read(lambda unit: repository.invoices_after(unit, account_id, after, paging.limit + 1))
    return paging.page([InvoiceOut.of(row) for row in rows], key=lambda row: row.id)


@reads.get("/{invoice_id}", summary="One invoice")
async def get_invoice(invoice_id: UUID, read: Read) -> InvoiceOut:
    """The issued document."""
    return InvoiceOut.of(await read(lambda unit: repository.invoice_row(unit, invoice_id)))
