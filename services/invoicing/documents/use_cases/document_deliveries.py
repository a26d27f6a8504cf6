"""Documents are sent by a worker, and recorded with what the next mail hop said."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.invoicing.accounts.repository import account_queries, legal_entity_queries
from services.invoicing.accounts.tables.legal_entity_tables import LegalEntityRow
from services.invoicing.adjustments.repository import credit_note_queries
from services.invoicing.deliveries import repository as deliveries_repository
from services.invoicing.deliveries.repository import SEND_DOCUMENT
from services.invoicing.deliveries.tables import DocumentDeliveryRow
from services.invoicing.documents.domain.paper import DocumentContent
from services.invoicing.documents.papers.letters import build_document_mail
from services.invoicing.documents.papers.pages import render_document_page
from services.invoicing.documents.use_cases import document_rendering
from services.invoicing.receivables.repository.invoice_queries import get_invoice
from shared.events.escalation import MailBounced
from shared.events.invoicing import DocumentFailed, DocumentSent
from shared.outside.mail import NOT_WRITABLE
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.addresses import is_mail_address
from shared.pure.bounces import build_envelope_sender, create_mail_secret
from shared.pure.errors import NotFound, Refusal, RetryLater, Unavailable
from shared.pure.ids import new_id

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

PRINTED_WITHIN = intents.LEASE - timedelta(seconds=20)
"""Waiting for the printer included: the rest of the lease is for the mail hop, so that no second worker begins."""
POLICY = "policy"
"""The page of the collection policy, beneath its public address."""


class DocumentDeliveryPending(Refusal):
    """The document is on its way already."""

    code = "delivery_pending"


async def get_latest_document_delivery(unit: Unit, kind: str, document_id: UUID) -> DocumentDeliveryRow:
    """The last delivery of a document. Raises NotFound."""
    row = await deliveries_repository.find_latest_document_delivery(unit, kind, document_id)
    if row is None:
        raise NotFound(f"no {kind} {document_id} was to be sent")
    return row


async def resend_document(unit: Unit, kind: str, document_id: UUID, actor: str, reason: str) -> DocumentDeliveryRow:
    """Send a document again, or for the first time. Raises NotFound, DocumentDeliveryPending."""
    account_id = await _account(unit, kind, document_id)
    await unit.lock_subjects(account_id)
    last = await deliveries_repository.find_latest_document_delivery(unit, kind, document_id)
    if last is not None and last.state == "pending":
        raise DocumentDeliveryPending(f"{kind} {document_id} is on its way")
    row = DocumentDeliveryRow(
        id=new_id(),
        document_id=document_id,
        account_id=account_id,
        kind=kind,
        state="pending",
        wanted_at=unit.now,
        wanted_by=actor,
        reason=reason,
        delivered_at=None,
        failure=None,
        secret=None,
        bounce_id=None,
    )
    unit.session.add(row)
    await unit.session.flush()
    await intents.enqueue_intent(unit, SEND_DOCUMENT, account_id, row.id, {}, row.id)
    unit.record(AuditedChange("document_delivery", row.id, account_id))
    return row


async def _account(unit: Unit, kind: str, document_id: UUID) -> UUID:
    if kind == "invoice":
        return (await get_invoice(unit, document_id)).account_id
    return (await credit_note_queries.get_credit_note(unit, document_id)).account_id


async def send_queued_document(runtime: "Runtime", intent: Intent) -> str | None:
    """Draw a document up, print it, and hand it to the next hop; what the hop says if it refuses for good.

    Raises RetryLater: without data of the legal entity nothing goes out. Every attempt has the same Message-ID and
    content: it shows what was settled when the delivery was wanted. One that came back already is not sent again.
    """
    try:
        row, paper, to, entity, now = await runtime.units.run(lambda unit: _drawn_up(unit, UUID(intent.key)))
        if row.state != "pending" or row.secret is None:
            return None
        if not is_mail_address(to):
            return NOT_WRITABLE
        async with asyncio.timeout(PRINTED_WITHIN.total_seconds()):
            html = await asyncio.to_thread(render_document_page, paper, build_policy_url(runtime))
            pdf = await runtime.printer.print_pdf(html)
    except (document_rendering.DocumentSellerUnknown, Unavailable) as error:
        raise RetryLater(error.detail) from error
    except TimeoutError as error:
        raise RetryLater("the printer is busy") from error
    sender = runtime.settings.mail_from
    secret, at = row.secret, row.wanted_at
    letter = build_document_mail(paper, pdf, row.id, sender=sender, to=to, at=at, secret=secret, entity=entity)
    envelope_sender = build_envelope_sender(runtime.settings.support_address, secret)
    return await runtime.mail_hop.deliver_letter_once(letter, now - intent.created_at, envelope_sender)


def build_policy_url(runtime: "Runtime") -> str:
    """Where customers read the collection policy."""
    return f"{runtime.settings.public_url or runtime.settings.collections_url}/{POLICY}"


async def _drawn_up(
    unit: Unit, delivery_id: UUID
) -> tuple[DocumentDeliveryRow, DocumentContent, str, LegalEntityRow | None, datetime]:
    await deliveries_repository.save_document_delivery_secret(unit, delivery_id, create_mail_secret())
    row = await deliveries_repository.get_document_delivery(unit, delivery_id)
    if row.kind == "invoice":
        paper = await document_rendering.build_invoice_document(unit, row.document_id, row.wanted_at)
    else:
        paper = await document_rendering.build_credit_note_document(unit, row.document_id)
    account = await account_queries.get_account(unit, row.account_id)
    entity = await legal_entity_queries.find_legal_entity(unit, account.legal_entity)
    return row, paper, account.billing_email, entity, unit.now


async def record_document_delivery_result(unit: Unit, intent: Intent, refusal: str | None) -> RecordingOutcome:
    """Record what became of a delivery. One that came back already has failed, whatever its last attempt became."""
    row = await deliveries_repository.get_document_delivery(unit, UUID(intent.key))
    if row.state != "pending":
        return RecordingOutcome.DONE
    await deliveries_repository.save_document_delivery_result(unit, row.id, refusal)
    if refusal is None:
        unit.publish(DocumentSent(**_describe_delivery(row), delivered_at=unit.now))
    else:
        unit.publish(DocumentFailed(**_describe_delivery(row), cause=refusal[:3]))
    return RecordingOutcome.DONE


def _describe_delivery(row: DocumentDeliveryRow) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "delivery_id": row.id,
        "document_type": row.kind,
        "document_id": row.document_id,
    }


async def record_document_bounce(unit: Unit, event: MailBounced) -> None:
    """Record that a document came back for good. Nothing happens if it is none of ours, or has failed already."""
    bounced = await deliveries_repository.find_bounced_document_delivery(unit, event.message_id)
    if bounced is None or not event.permanent:
        return
    delivery_id, account_id = bounced
    await unit.lock_subjects(account_id)
    row = await deliveries_repository.get_document_delivery(unit, delivery_id)
    if row.state in ("pending", "sent"):
        failure = f"{event.code} came back after the next mail hop took it"
        await deliveries_repository.save_document_delivery_result(unit, delivery_id, failure)
        unit.publish(DocumentFailed(**_describe_delivery(row), cause=event.code))
