"""Credit notes over REST."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.adjustments.api.approval_routes import PROPOSED, ApprovalOut, get_approval_status_code
from services.invoicing.adjustments.repository import credit_note_queries
from services.invoicing.adjustments.tables.credit_note_tables import CreditNoteRow
from services.invoicing.adjustments.use_cases import approval_decisions
from services.invoicing.adjustments.use_cases.approval_decisions import AdjustmentReason
from services.invoicing.payments.api.payment_routes import LineAmount
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance, UnknownInvoiceLine
from shared.persistence.database import Unit
from shared.pure.fields import Prose, RequestBody, set_model_example
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

PLACE = "/v1/credit-notes"
reads = Router(prefix=PLACE, tags=["credit notes"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix=PLACE, tags=["credit notes"], dependencies=[needs("invoicing:credits")], responses=PROBLEMS)


class CreditReason(StrEnum):
    """Why something is credited; reports go by it. Beside: `dispute`, upheld; `proration`, by a bill run."""

    BILLING_ERROR = "billing_error"
    PRICE_CORRECTION = "price_correction"
    SERVICE_FAILURE = "service_failure"
    CANCELLATION = "cancellation"
    GOODWILL = "goodwill"


class CreditNoteIn(RequestBody):
    """Amounts of an invoice to be credited, by line."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        lines=[{"line": 1, "amount_minor": 5040}],
        reason_code="goodwill",
        reason="two days without service",
    )

    invoice_id: UUID
    lines: list[LineAmount] = Field(min_length=1, max_length=500)
    reason_code: CreditReason
    reason: Prose


class CreditNoteOut(BaseModel):
    """An issued credit note; it never changes. The reason code `dispute` is that of an upheld dispute, `proration` that
    of a bill run that gives back what was billed before: `bill_id` is common to all that it gave an account.
    """

    model_config = set_model_example(
        id="01a20d65-4d12-7a13-8b5f-7d2e3f9c8a51",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        number="GS-DE-CN-00000001",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        dispute_id=None,
        bill_id=None,
        currency="EUR",
        total_minor=5040,
        reason_code="goodwill",
        issued_at="2026-03-20T09:00:00Z",
        lines=[{"line": 1, "amount_minor": 5040}],
    )

    id: UUID
    account_id: UUID
    number: str
    invoice_id: UUID
    dispute_id: UUID | None
    bill_id: UUID | None = Field(description="the bill of a bill run with which it was given")
    currency: str
    total_minor: int
    reason_code: str
    issued_at: datetime
    lines: list[LineAmount]

    @classmethod
    def from_credit_note_row(cls, row: CreditNoteRow, lines: Sequence[tuple[int, int]]) -> Self:
        """The answer for a row and its lines."""
        return cls.model_validate(row.model_dump() | {"lines": LineAmount.list_from_line_amounts(lines)})


@writes.post(
    "",
    status_code=201,
    response_model=ApprovalOut,
    summary="Credit lines of an invoice",
    responses={**PROPOSED, **refusals(AmountAboveBalance, ChangeAlreadyProposed, UnknownInvoiceLine)},
)
async def credit_invoice(
    wanted: CreditNoteIn, command: Annotated[CommandRunner, perform_command("credit_note.propose")]
) -> Response:
    """Issue a credit note, if the amount is within a limit of your roles; else it is proposed to a second person.

    What is open of a line is credited first; what was paid of it is unapplied cash again.
    """
    lines = [(line.line, line.amount_minor) for line in wanted.lines]
    stated_reason = AdjustmentReason(wanted.reason_code, wanted.reason)

    async def propose_invoice_credit(unit: Unit) -> ApprovalOut:
        return ApprovalOut.from_approval_row(
            await approval_decisions.propose_credit_note(unit, command.caller, wanted.invoice_id, lines, stated_reason)
        )

    return await command.run(
        propose_invoice_credit, status=get_approval_status_code, reason=wanted.reason, subject=wanted.invoice_id
    )


@reads.get("", summary="List credit notes")
async def list_credit_notes(
    read: Read, paging: Paging, account_id: Annotated[UUID | None, Query()] = None
) -> Page[CreditNoteOut]:
    """Credit notes in the order of their ids, of one account if it is given."""
    after = paging.get_last_id()

    async def load_credit_notes(unit: Unit) -> list[CreditNoteOut]:
        rows = await credit_note_queries.list_credit_notes(unit, account_id, after, paging.limit + 1)
        lines = await credit_note_queries.list_credit_note_lines(unit, [row.id for row in rows])
        return [CreditNoteOut.from_credit_note_row(row, lines[row.id]) for row in rows]

    return paging.page(await read(load_credit_notes), key=lambda row: row.id)


@reads.get("/{credit_note_id}", summary="One credit note")
async def get_credit_note(credit_note_id: UUID, read: Read) -> CreditNoteOut:
    """The issued document."""

    async def load_credit_note(unit: Unit) -> CreditNoteOut:
        row = await credit_note_queries.get_credit_note(unit, credit_note_id)
        return CreditNoteOut.from_credit_note_row(
            row, (await credit_note_queries.list_credit_note_lines(unit, [row.id]))[row.id]
        )

    return await read(load_credit_note)
