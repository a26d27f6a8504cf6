"""Invoices that people make by hand."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import Response
from pydantic import Field, model_validator

from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.billing.use_cases import invoice_issuing
from services.invoicing.billing.use_cases.invoice_issuing import (
    ForeignSubscriptionLine,
    InvoiceDateRefused,
    IssueMonthClosed,
    NewInvoice,
    NewInvoiceLine,
)
from services.invoicing.catalog.repository.tax_rate_queries import (
    STANDARD_CLASS,
    TaxedByOutsideCalculator,
    UnknownTaxClass,
)
from services.invoicing.receivables.api.invoice_routes import InvoiceOut
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Name, RequestBody, set_model_example
from shared.pure.money import MAX_MINOR, CurrencyMismatch, MoneyModel
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(prefix="/v1/invoices", tags=["invoices"], dependencies=[needs("invoicing:billing")], responses=PROBLEMS)


class LineIn(RequestBody):
    """A line of an invoice; one without a subscription never suspends anything. Its amount includes the tax."""

    description: Name
    amount: MoneyModel
    subscription_id: UUID | None = None
    tax_class: Code = Field(
        default=STANDARD_CLASS, description="by which the rate of tax on the issue date is found, as that of a plan"
    )


class InvoiceIn(RequestBody):
    """An invoice to be issued; its lines are numbered from 1 in this order."""

    model_config = set_model_example(
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

    @model_validator(mode="after")
    def _check_total(self) -> Self:
        if sum(line.amount.amount_minor for line in self.lines) > MAX_MINOR:
            raise ValueError("the total of the lines is larger than any invoice")
        return self

    def build_new_invoice(self) -> NewInvoice:
        """Build the invoice to be issued."""
        lines = [
            NewInvoiceLine(line.description, line.amount.money(), line.subscription_id, line.tax_class)
            for line in self.lines
        ]
        return NewInvoice(self.account_id, lines, self.external_reference, self.issue_date, self.due_date)


@writes.post(
    "",
    status_code=201,
    response_model=InvoiceOut,
    summary="Issue an invoice",
    responses=refusals(
        ExternalReferenceTaken,
        CurrencyMismatch,
        InvoiceDateRefused,
        ForeignSubscriptionLine,
        IssueMonthClosed,
        TaxedByOutsideCalculator,
        UnknownTaxClass,
    ),
)
async def issue_invoice(
    invoice: InvoiceIn, command: Annotated[CommandRunner, perform_command("invoice.issue")]
) -> Response:
    """Issue an invoice with the next number of its legal entity; announces `InvoiceIssued`.

    Amounts are gross. Where a rate of tax is in force for the customer on the issue date, its tax is taken out of them;
    where none is, the line has no tax, and the document says so.
    """

    async def issue_and_show_invoice(unit: Unit) -> InvoiceOut:
        return InvoiceOut.from_invoice_row(
            await invoice_issuing.issue_invoice_by_hand(unit, invoice.build_new_invoice())
        )

    return await command.run(issue_and_show_invoice, subject=invoice.account_id)
