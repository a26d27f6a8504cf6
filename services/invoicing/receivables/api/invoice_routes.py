"""Invoices over REST: issued with explicit lines, read, never changed."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.accounts.repository.legal_entity_queries import UnknownLegalEntity
from services.invoicing.receivables.api.allocation_answers import AllocationOut
from services.invoicing.receivables.repository import invoice_search
from services.invoicing.receivables.repository.invoice_search import InvoiceSearchCriteria, InvoiceWithAllocations
from services.invoicing.receivables.tables import InvoiceRow
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Instant, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/invoices", tags=["invoices"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class InvoiceOut(BaseModel):
    """An issued invoice; what is open of it says its balance."""

    model_config = set_model_example(
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
    issue_date: date
    due_date: date
    total_minor: int
    issued_at: datetime

    @classmethod
    def from_invoice_row(cls, row: InvoiceRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class ListedInvoiceOut(InvoiceOut):
    """An issued invoice and where it stands: `open`, `overdue` or `closed`, and since when its balance is as it is."""

    model_config = set_model_example(
        **get_model_example(InvoiceOut),
        legal_entity="GS-DE",
        open_minor=25200,
        state="overdue",
        updated_at="2026-04-02T09:30:00Z",
    )

    legal_entity: str
    open_minor: int
    state: Literal["open", "overdue", "closed"]
    updated_at: datetime


class InvoiceLineOut(BaseModel):
    """A line as it was issued, in minor units; what a bill run charged has a kind, and a period (`to` is exclusive).

    Usage has meters and what of them was used, and no unit price.
    """

    model_config = set_model_example(
        line=1,
        description="Business Premium, March",
        kind="cycle",
        period_from="2026-03-01",
        period_to="2026-04-01",
        quantity=25,
        unit_price_minor=1008,
        meters=None,
        used=None,
        net_minor=25200,
        tax_minor=0,
        tax_rate_bp=0,
        tax_class="standard",
        amount_minor=25200,
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
    )

    line: int
    description: str
    kind: str | None
    period_from: date | None
    period_to: date | None
    quantity: int | None
    unit_price_minor: int | None
    meters: str | None
    used: str | None = Field(description="the quantity of usage; null where there are several meters")
    net_minor: int
    tax_minor: int
    tax_rate_bp: int | None = Field(
        description="hundredths of a percent; null where no rate was in force, or the tax has several"
    )
    tax_class: str | None = Field(description="null where an invoice by hand was issued without a class of tax")
    amount_minor: int
    subscription_id: UUID | None


class InvoiceDetailsOut(ListedInvoiceOut):
    """An invoice with its lines and what paid it."""

    model_config = set_model_example(
        **get_model_example(ListedInvoiceOut),
        net_minor=25200,
        tax_minor=0,
        lines=[get_model_example(InvoiceLineOut)],
        allocations=[get_model_example(AllocationOut)],
    )

    net_minor: int
    tax_minor: int
    lines: list[InvoiceLineOut]
    allocations: list[AllocationOut]

    @classmethod
    def from_invoice_details(cls, details: InvoiceWithAllocations) -> Self:
        """Build the answer for an invoice that was read whole."""
        lines = [InvoiceLineOut.model_validate(dict(row)) for row in details.lines]
        return cls(
            **details.head,
            net_minor=sum(line.net_minor for line in lines),
            tax_minor=sum(line.tax_minor for line in lines),
            lines=lines,
            allocations=AllocationOut.list_from_allocation_rows(details.allocations),
        )


async def _read_criteria(
    account_id: Annotated[UUID | None, Query()] = None,
    number: Annotated[Code | None, Query(description="of the invoice")] = None,
    external_reference: Annotated[Code | None, Query()] = None,
    legal_entity: Annotated[Code | None, Query()] = None,
    state: Annotated[Literal["open", "overdue", "closed"] | None, Query()] = None,
    due_from: Annotated[Day | None, Query(description="due on this day or later")] = None,
    due_to: Annotated[Day | None, Query(description="due on this day or earlier")] = None,
    updated_since: Annotated[Instant | None, Query(description="whose balance changed since then")] = None,
) -> InvoiceSearchCriteria:
    return InvoiceSearchCriteria(
        account_id, number, external_reference, legal_entity, state, due_from, due_to, updated_since
    )


@reads.get("", summary="List invoices", responses=refusals(UnknownLegalEntity))
async def list_invoices(
    read: Read, paging: Paging, criteria: Annotated[InvoiceSearchCriteria, Depends(_read_criteria)]
) -> Page[ListedInvoiceOut]:
    """Invoices in the order of their ids, which is that in which they were issued."""

    async def load_invoices(unit: Unit) -> list[ListedInvoiceOut]:
        await legal_entity_queries.check_listed_legal_entity(unit, criteria.legal_entity)
        rows = await invoice_search.search_invoices(unit, criteria, paging.get_last_id(), paging.limit + 1)
        return [ListedInvoiceOut.model_validate(dict(row)) for row in rows]

    return paging.page(await read(load_invoices), key=lambda row: row.id)


@reads.get("/{invoice_id}", summary="One invoice")
async def get_invoice(invoice_id: UUID, read: Read) -> InvoiceDetailsOut:
    """The issued document with its lines, where it stands, and what paid it."""
    return InvoiceDetailsOut.from_invoice_details(
        await read(lambda unit: invoice_search.get_invoice_details(unit, invoice_id))
    )
