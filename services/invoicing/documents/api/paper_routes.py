"""Invoices and credit notes as documents."""

from functools import partial
from uuid import UUID

from fastapi import Response

from services.invoicing.documents.api.content_negotiation import (
    FORMS,
    Accept,
    Wanted,
    choose_document_type,
    render_document_response,
)
from services.invoicing.documents.papers.pages import render_document_page
from services.invoicing.documents.use_cases import document_rendering
from services.invoicing.documents.use_cases.document_deliveries import build_policy_url
from services.invoicing.documents.use_cases.document_rendering import DocumentSellerUnknown, InvoiceNotIssued
from shared.outside.printing.printer import PrinterBusy
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(prefix="/v1", tags=["documents"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


@reads.get(
    "/invoices/{invoice_id}/document",
    summary="An invoice as a document",
    responses=FORMS | refusals(InvoiceNotIssued, DocumentSellerUnknown, PrinterBusy),
    response_class=Response,
)
async def download_invoice(invoice_id: UUID, read: Read, accept: Accept = None, wanted: Wanted = None) -> Response:
    """The invoice as HTML or PDF in the customer's language, with what is settled of it now."""
    kind = choose_document_type(accept, wanted)
    paper = await read(lambda unit: document_rendering.build_invoice_document(unit, invoice_id))
    return await render_document_response(
        read.runtime.printer, partial(render_document_page, paper, build_policy_url(read.runtime)), kind, paper.number
    )


@reads.get(
    "/credit-notes/{credit_note_id}/document",
    summary="A credit note as a document",
    responses=FORMS | refusals(DocumentSellerUnknown, PrinterBusy),
    response_class=Response,
)
async def download_credit_note(
    credit_note_id: UUID, read: Read, accept: Accept = None, wanted: Wanted = None
) -> Response:
    """The credit note as HTML or PDF in the customer's language."""
    kind = choose_document_type(accept, wanted)
    paper = await read(lambda unit: document_rendering.build_credit_note_document(unit, credit_note_id))
    return await render_document_response(
        read.runtime.printer, partial(render_document_page, paper, build_policy_url(read.runtime)), kind, paper.number
    )
