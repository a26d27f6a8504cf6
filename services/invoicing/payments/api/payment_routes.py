"""Payments over REST."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field, model_validator

from services.invoicing.payments.repository import payment_queries
from services.invoicing.payments.repository.payment_queries import RecordedPayment
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.payments.use_cases import payment_recording, payment_reversals
from services.invoicing.payments.use_cases.payment_recording import NewPayment, NoUnappliedCash
from services.invoicing.payments.use_cases.payment_reversals import PaymentCashRefunded, PaymentChargedBack
from services.invoicing.receivables.api.allocation_answers import AllocationOut
from services.invoicing.receivables.domain.invoice_balances import (
    AmountAboveBalance,
    PaymentAlreadyReversed,
    UnknownInvoiceLine,
)
from services.invoicing.receivables.repository.invoice_search import list_allocation_records
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.fields import Code, Name, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.money import CurrencyMismatch, MoneyModel, PositiveMinor
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/payments", tags=["payments"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/payments", tags=["payments"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)


class LineAmount(RequestBody):
    """An amount for one line, in minor units of the invoice's currency."""

    model_config = set_model_example(line=1, amount_minor=25200)

    line: int = Field(ge=1, le=500, strict=True)
    amount_minor: PositiveMinor

    @classmethod
    def list_from_line_amounts(cls, pairs: Iterable[Sequence[int]]) -> list[Self]:
        """Return lines that are kept as (number, minor units)."""
        return [cls(line=line, amount_minor=amount) for line, amount in pairs]


class RemittanceLineIn(RequestBody):
    """The customer's remittance advice: what the money is for."""

    model_config = set_model_example(number="GS-DE-00000001", amount_minor=25200)

    number: Code = Field(description="of the invoice")
    amount_minor: PositiveMinor


class PaymentIn(RequestBody):
    """Money received: for a named invoice (and lines of it), by a remittance advice, or for the oldest open ones."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        amount={"amount_minor": 25200, "currency": "EUR"},
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        reference="statement 112, entry 4",
    )

    account_id: UUID
    amount: MoneyModel
    invoice_id: UUID | None = None
    lines: list[LineAmount] = Field(default=[], max_length=500, description="needs invoice_id; else by line number")
    remittance: list[RemittanceLineIn] = Field(default=[], max_length=500, description="instead of invoice_id")
    reference: Name | None = None

    @model_validator(mode="after")
    def _lines_of_an_invoice(self) -> Self:
        if self.lines and self.invoice_id is None:
            raise ValueError("lines need an invoice_id")
        if self.remittance and self.invoice_id is not None:
            raise ValueError("either invoice_id or remittance")
        return self

    def build_new_payment(self) -> NewPayment:
        """Build the payment that was received."""
        lines = [(line.line, line.amount_minor) for line in self.lines]
        advice = [(advised_invoice.number, advised_invoice.amount_minor) for advised_invoice in self.remittance]
        return NewPayment(self.account_id, self.amount.money(), self.invoice_id, lines, self.reference, advice)


class ApplyIn(RequestBody):
    """Invoices that unapplied cash is to pay."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", lines=[], reason="the customer asked for it"
    )

    invoice_id: UUID
    lines: list[LineAmount] = Field(default=[], max_length=500, description="by line number if left out")
    reason: Prose


class PaymentOut(BaseModel):
    """A payment; what is not allocated is unapplied cash, and what was charged back is with the card network."""

    model_config = set_model_example(
        id="01a20d63-20aa-7d15-8c3e-1b7f60e2a94c",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        amount_minor=25200,
        currency="EUR",
        reference="statement 112, entry 4",
        unapplied_minor=0,
        charged_back_minor=0,
        state="received",
        received_at="2026-03-30T10:12:00Z",
    )

    id: UUID
    account_id: UUID
    amount_minor: int
    currency: str
    reference: str | None
    unapplied_minor: int
    charged_back_minor: int = 0
    state: str
    received_at: datetime

    @classmethod
    def from_payment_row(cls, row: PaymentRow | RecordedPayment) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class PaymentDetailsOut(PaymentOut):
    """A payment and what it paid."""

    model_config = set_model_example(**get_model_example(PaymentOut), allocations=[get_model_example(AllocationOut)])

    allocations: list[AllocationOut]


@writes.post(
    "",
    status_code=201,
    response_model=PaymentOut,
    summary="Record a payment",
    responses=refusals(AmountAboveBalance, CurrencyMismatch, UnknownInvoiceLine),
)
async def record_payment(
    payment: PaymentIn, command: Annotated[CommandRunner, perform_command("payment.record")]
) -> Response:
    """Record money received and allocate it; announces `PaymentReceived` and each balance that changed."""

    return await command.run_batched(_receive, payment.build_new_payment(), subject=payment.account_id)


async def _receive(unit: Unit, payments: Sequence[NewPayment]) -> list[PaymentOut | Refusal]:
    outcomes = await payment_recording.record_received_payments(unit, payments)
    for outcome in outcomes:
        if not isinstance(outcome, Refusal):
            unit.record(AuditedChange("payment", outcome.id, outcome.account_id))
    return [outcome if isinstance(outcome, Refusal) else PaymentOut.from_payment_row(outcome) for outcome in outcomes]


@writes.post(
    "/{payment_id}:reverse",
    status_code=200,
    response_model=PaymentOut,
    summary="Take a payment back",
    responses=refusals(PaymentAlreadyReversed, PaymentCashRefunded, PaymentChargedBack),
)
async def reverse_payment(
    payment_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("payment.reverse")]
) -> Response:
    """A returned debit or a mistake: what the payment paid is open again, with its original due date."""

    async def reverse_and_show_payment(unit: Unit) -> PaymentOut:
        return PaymentOut.from_payment_row(await payment_reversals.reverse_received_payment(unit, payment_id))

    return await command.run(reverse_and_show_payment, status=200, reason=reason_body.reason, subject=payment_id)


@writes.post(
    "/{payment_id}:apply",
    status_code=200,
    response_model=PaymentOut,
    summary="Use unapplied cash of a payment",
    responses=refusals(AmountAboveBalance, NoUnappliedCash, UnknownInvoiceLine),
)
async def apply_payment(
    payment_id: UUID, wanted: ApplyIn, command: Annotated[CommandRunner, perform_command("payment.apply")]
) -> Response:
    """Pay a named invoice, or lines of it, though it is disputed; announces `UnappliedCashUsed`."""
    lines = [(line.line, line.amount_minor) for line in wanted.lines]

    async def apply_unapplied_payment(unit: Unit) -> PaymentOut:
        return PaymentOut.from_payment_row(
            await payment_recording.apply_payment_to_invoice(unit, payment_id, wanted.invoice_id, lines)
        )

    return await command.run(apply_unapplied_payment, status=200, reason=wanted.reason, subject=payment_id)


@reads.get("", summary="List payments")
async def list_payments(
    read: Read, paging: Paging, account_id: Annotated[UUID | None, Query()] = None
) -> Page[PaymentOut]:
    """Payments in the order of their ids, of one account if it is given."""
    after = paging.get_last_id()
    rows = await read(lambda unit: payment_queries.list_payment_rows(unit, account_id, after, paging.limit + 1))
    return paging.page([PaymentOut.from_payment_row(row) for row in rows], key=lambda row: row.id)


@reads.get("/{payment_id}", summary="One payment")
async def get_payment(payment_id: UUID, read: Read) -> PaymentDetailsOut:
    """The payment, what it paid, and what of it is unapplied cash."""

    async def load_payment_details(unit: Unit) -> PaymentDetailsOut:
        payment = PaymentOut.from_payment_row(await payment_queries.get_payment(unit, payment_id))
        allocations = AllocationOut.list_from_allocation_rows(await list_allocation_records(unit, payment_id))
        return PaymentDetailsOut(**payment.model_dump(), allocations=allocations)

    return await read(load_payment_details)
