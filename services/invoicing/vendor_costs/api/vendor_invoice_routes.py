"""The vendor's invoices over REST: received, paid, listed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.accounts.repository.legal_entity_queries import UnknownLegalEntity
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.vendor_costs.domain.vendor_invoice import (
    WARN_DAYS,
    VendorInvoiceAlreadyPaid,
    VendorInvoiceRefused,
)
from services.invoicing.vendor_costs.repository import contested_amount_queries, vendor_invoice_queries
from services.invoicing.vendor_costs.tables import VendorInvoiceRow
from services.invoicing.vendor_costs.use_cases import vendor_invoice_payments
from services.invoicing.vendor_costs.use_cases.vendor_invoice_payments import NewVendorInvoice
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Prose, RequestBody, set_model_example
from shared.pure.money import Currency, CurrencyMismatch, Minor, Money
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(
    prefix="/v1/vendor-invoices", tags=["vendor"], dependencies=[needs("invoicing:read")], responses=PROBLEMS
)
writes = Router(
    prefix="/v1/vendor-invoices", tags=["vendor"], dependencies=[needs("invoicing:vendor")], responses=PROBLEMS
)


class VendorInvoiceIn(RequestBody):
    """An invoice as the vendor sent it; amounts are minor units of its currency, the total is with tax."""

    model_config = set_model_example(
        number="G012345678",
        legal_entity="GS-DE",
        currency="EUR",
        invoice_date="2026-04-08",
        due_date="2026-06-07",
        period_from="2026-03-01",
        period_to="2026-04-01",
        total_minor=11995,
        tax_minor=1915,
        warn_days_before=7,
    )

    number: Code = Field(description="the vendor's; no other vendor invoice has it")
    legal_entity: Code = Field(description="which of our legal entities is billed")
    currency: Currency
    invoice_date: Day
    due_date: Day | None = Field(default=None, description="60 days after the invoice date if left out")
    period_from: Day | None = Field(
        default=None, description="the first day of the charges that are billed; the calendar month before if left out"
    )
    period_to: Day | None = Field(default=None, description="the day after the last one")
    total_minor: Minor
    tax_minor: Minor
    warn_days_before: int = Field(
        default=WARN_DAYS, ge=0, le=60, strict=True, description="how many days before the due date to raise an alarm"
    )

    def build_new_vendor_invoice(self) -> NewVendorInvoice:
        """Build the vendor invoice that was received."""
        return NewVendorInvoice(**self.model_dump())


class VendorInvoiceOut(BaseModel):
    """An invoice of the vendor's. What it was paid is `paid_minor`, which may be less than its total."""

    model_config = set_model_example(
        id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        number="G012345678",
        legal_entity="GS-DE",
        currency="EUR",
        invoice_date="2026-04-08",
        due_date="2026-06-07",
        period_from="2026-03-01",
        period_to="2026-04-01",
        total_minor=11995,
        tax_minor=1915,
        state="received",
        received_at="2026-04-09T08:00:00Z",
        warn_at="2026-05-31T00:00:00Z",
        warned_at=None,
        paid_on=None,
        paid_minor=None,
        paid_by=None,
        paid_reason=None,
        contested_minor=2016,
    )

    id: UUID
    number: str
    legal_entity: str
    currency: str
    invoice_date: date
    due_date: date
    period_from: date
    period_to: date
    total_minor: int
    tax_minor: int
    state: str
    received_at: datetime
    warn_at: datetime | None
    warned_at: datetime | None
    paid_on: date | None
    paid_minor: int | None
    paid_by: str | None
    paid_reason: str | None
    contested_minor: int = Field(description="what of it open vendor disputes contest; it stays payable in full")

    @classmethod
    def from_vendor_invoice_row(cls, row: VendorInvoiceRow, contested_minor: int) -> Self:
        """Build the answer for a row, and what is contested of it."""
        return cls.model_validate(row.model_dump() | {"contested_minor": contested_minor})


async def _build_all(unit: Unit, rows: Sequence[VendorInvoiceRow]) -> list[VendorInvoiceOut]:
    amounts = await contested_amount_queries.map_contested_amounts(unit, [row.id for row in rows])
    return [VendorInvoiceOut.from_vendor_invoice_row(row, amounts.get(row.id, 0)) for row in rows]


async def _build_vendor_invoice(unit: Unit, row: VendorInvoiceRow) -> VendorInvoiceOut:
    return (await _build_all(unit, [row]))[0]


class PaymentToVendorIn(RequestBody):
    """That we paid the vendor: when, how much, and what is to be said about it."""

    model_config = set_model_example(
        amount_minor=11995, currency="EUR", paid_on="2026-06-01", reason="payment run 2026-22"
    )

    amount_minor: Minor = Field(description="the total, or less if something is held back")
    currency: Currency
    paid_on: Day
    reason: Prose


@writes.post(
    "",
    status_code=201,
    response_model=VendorInvoiceOut,
    summary="Record an invoice of the vendor's",
    responses=refusals(ExternalReferenceTaken, VendorInvoiceRefused, UnknownLegalEntity),
)
async def receive_vendor_invoice(
    invoice: VendorInvoiceIn, command: Annotated[CommandRunner, perform_command("vendor_invoice.record")]
) -> Response:
    """Record what the vendor bills us; announces `VendorInvoiceReceived`, and before it is due `VendorPaymentDue`."""

    async def record_and_show_invoice(unit: Unit) -> VendorInvoiceOut:
        return await _build_vendor_invoice(
            unit, await vendor_invoice_payments.record_vendor_invoice(unit, invoice.build_new_vendor_invoice())
        )

    return await command.run(record_and_show_invoice)


@writes.post(
    "/{vendor_invoice_id}:pay",
    status_code=200,
    response_model=VendorInvoiceOut,
    summary="Record that we paid it",
    responses=refusals(VendorInvoiceAlreadyPaid, CurrencyMismatch, VendorInvoiceRefused),
)
async def pay_vendor_invoice(
    vendor_invoice_id: UUID,
    paid: PaymentToVendorIn,
    command: Annotated[CommandRunner, perform_command("vendor_invoice.pay")],
) -> Response:
    """Record our payment, once; announces `VendorInvoicePaid`. There will be no alarm any more."""

    async def pay_and_show_invoice(unit: Unit) -> VendorInvoiceOut:
        amount = Money(paid.amount_minor, paid.currency)
        row = await vendor_invoice_payments.record_vendor_payment(
            unit, vendor_invoice_id, amount, paid.paid_on, command.caller.subject, paid.reason
        )
        return await _build_vendor_invoice(unit, row)

    return await command.run(pay_and_show_invoice, status=200, reason=paid.reason, subject=vendor_invoice_id)


@reads.get("", summary="List the vendor's invoices")
async def list_vendor_invoices(
    read: Read,
    paging: Paging,
    state: Annotated[Literal["received", "paid"] | None, Query(description="received: still to be paid")] = None,
    due_before: Annotated[Day | None, Query(description="due before this day")] = None,
) -> Page[VendorInvoiceOut]:
    """The vendor's invoices in the order of their ids; those still to be paid, or due before a day, if asked."""
    after = paging.get_last_id()

    async def load_vendor_invoices(unit: Unit) -> list[VendorInvoiceOut]:
        return await _build_all(
            unit,
            await vendor_invoice_queries.list_vendor_invoice_rows(unit, state, due_before, after, paging.limit + 1),
        )

    return paging.page(await read(load_vendor_invoices), key=lambda row: row.id)


@reads.get("/{vendor_invoice_id}", summary="One invoice of the vendor's")
async def get_vendor_invoice(vendor_invoice_id: UUID, read: Read) -> VendorInvoiceOut:
    """Show an invoice of the vendor's, whether we paid it, and what of it we contest."""

    async def load_vendor_invoice(unit: Unit) -> VendorInvoiceOut:
        return await _build_vendor_invoice(
            unit, await vendor_invoice_queries.get_vendor_invoice_row(unit, vendor_invoice_id)
        )

    return await read(load_vendor_invoice)
