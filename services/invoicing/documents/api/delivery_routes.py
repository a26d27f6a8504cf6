"""Whether documents were sent, and sending them again."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Response
from pydantic import AliasChoices, BaseModel, Field

from services.invoicing.deliveries.tables import DocumentDeliveryRow
from services.invoicing.documents.use_cases import document_deliveries
from services.invoicing.documents.use_cases.document_deliveries import DocumentDeliveryPending
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(prefix="/v1", tags=["documents"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["documents"], dependencies=[needs("invoicing:billing")], responses=PROBLEMS)


class DocumentDeliveryOut(BaseModel):
    """A document that is sent by mail; `id` is in the Message-ID."""

    model_config = set_model_example(
        id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        document_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        kind="invoice",
        state="sent",
        requested_at="2026-04-01T09:00:00Z",
        requested_by=None,
        reason=None,
        delivered_at="2026-04-01T09:00:02Z",
        failure=None,
    )

    id: UUID
    document_id: UUID
    kind: str
    state: str = Field(description="pending, sent or failed")
    requested_at: datetime = Field(validation_alias=AliasChoices("requested_at", "wanted_at"))
    requested_by: str | None = Field(
        validation_alias=AliasChoices("requested_by", "wanted_by"), description="null: it was sent when it was issued"
    )
    reason: str | None
    delivered_at: datetime | None
    failure: str | None = Field(description="why the next mail hop refused it")

    @classmethod
    def from_document_delivery_row(cls, row: DocumentDeliveryRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


@reads.get("/invoices/{invoice_id}/delivery", summary="Whether an invoice was sent")
async def get_invoice_delivery(invoice_id: UUID, read: Read) -> DocumentDeliveryOut:
    """The last delivery of the invoice; 404 if it was never to be sent."""
    return DocumentDeliveryOut.from_document_delivery_row(
        await read(lambda unit: document_deliveries.get_latest_document_delivery(unit, "invoice", invoice_id))
    )


@reads.get("/credit-notes/{credit_note_id}/delivery", summary="Whether a credit note was sent")
async def get_credit_note_delivery(credit_note_id: UUID, read: Read) -> DocumentDeliveryOut:
    """The last delivery of the credit note; 404 if it was never to be sent."""
    return DocumentDeliveryOut.from_document_delivery_row(
        await read(lambda unit: document_deliveries.get_latest_document_delivery(unit, "credit_note", credit_note_id))
    )


@writes.post(
    "/invoices/{invoice_id}/delivery:resend",
    status_code=201,
    response_model=DocumentDeliveryOut,
    summary="Send an invoice again",
    responses=refusals(DocumentDeliveryPending),
)
async def resend_invoice(
    invoice_id: UUID,
    reason_body: ReasonIn,
    command: Annotated[CommandRunner, perform_command("invoice_document.resend")],
) -> Response:
    """Send the invoice by mail again, or for the first time: a delivery of its own, with who wanted it and why."""
    return await _resend(command, "invoice", invoice_id, reason_body.reason)


@writes.post(
    "/credit-notes/{credit_note_id}/delivery:resend",
    status_code=201,
    response_model=DocumentDeliveryOut,
    summary="Send a credit note again",
    responses=refusals(DocumentDeliveryPending),
)
async def resend_credit_note(
    credit_note_id: UUID,
    reason_body: ReasonIn,
    command: Annotated[CommandRunner, perform_command("credit_note_document.resend")],
) -> Response:
    """Send the credit note by mail again, or for the first time."""
    return await _resend(command, "credit_note", credit_note_id, reason_body.reason)


async def _resend(command: CommandRunner, kind: str, document_id: UUID, reason: str) -> Response:
    async def resend_and_show_delivery(unit: Unit) -> DocumentDeliveryOut:
        return DocumentDeliveryOut.from_document_delivery_row(
            await document_deliveries.resend_document(unit, kind, document_id, command.caller.subject, reason)
        )

    return await command.run(resend_and_show_delivery, reason=reason)
