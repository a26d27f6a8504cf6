"""Documents that are to be sent: the row and its intent, committed with the document."""

from uuid import UUID

from services.invoicing.deliveries.tables import DocumentDeliveryRow
from shared.base.telemetry import get_traceparent
from shared.persistence.database import Unit
from shared.process.intents import build_intents_statement
from shared.pure.bounces import compute_bounce_id

SEND_DOCUMENT = "send_document"
"""The kind of the intent; its id is the delivery's, and the first delivery of a document has the document's."""

_WANT = """
WITH new AS (
    INSERT INTO document_deliveries (id, document_id, account_id, kind, state, wanted_at)
    SELECT d.id, d.id, d.account_id, $5, 'pending', $3
    FROM ({which}) d JOIN legal_entities e ON e.code = d.legal_entity AND e.sends_documents
    RETURNING id, account_id
)
""" + build_intents_statement("SELECT id, account_id, id::text, '{{}}'::jsonb FROM new")
_WANT_ONE = _WANT.format(which="SELECT $6::uuid AS id, $7::uuid AS account_id, $8::text AS legal_entity")
_WANT_ISSUED = _WANT.format(which="SELECT invoice_id AS id, account_id, legal_entity FROM bill_invoices")


async def enqueue_document_delivery(
    unit: Unit, kind: str, document_id: UUID, account_id: UUID, legal_entity: str
) -> None:
    """Let a document be sent, if its legal entity sends any."""
    intent = SEND_DOCUMENT, unit.now, unit.now, get_traceparent()
    await unit.connection.execute(_WANT_ONE, *intent, kind, document_id, account_id, legal_entity)
    unit.wake_after_commit("intents")


async def enqueue_issued_documents(unit: Unit) -> None:
    """Let what a bill run just issued be sent, where the legal entity sends documents."""
    intent = SEND_DOCUMENT, unit.now, unit.now, get_traceparent()
    await unit.connection.execute(_WANT_ISSUED, *intent, "invoice")
    unit.wake_after_commit("intents")


async def get_document_delivery(unit: Unit, delivery_id: UUID) -> DocumentDeliveryRow:
    """The delivery of an intent."""
    row = await unit.session.get(DocumentDeliveryRow, delivery_id)
    assert row is not None
    return row


_LATEST = """
SELECT id FROM document_deliveries WHERE document_id = $1 AND kind = $2 ORDER BY wanted_at DESC, id DESC LIMIT 1
"""


async def find_latest_document_delivery(unit: Unit, kind: str, document_id: UUID) -> DocumentDeliveryRow | None:
    """The last delivery of a document, if it was ever to be sent."""
    delivery_id = await unit.connection.fetchval(_LATEST, document_id, kind)
    return await get_document_delivery(unit, delivery_id) if delivery_id else None


async def save_document_delivery_secret(unit: Unit, delivery_id: UUID, secret: str) -> None:
    """Save the secret of a delivery, unless it has one."""
    await unit.connection.execute(
        "UPDATE document_deliveries SET secret = $2, bounce_id = $3 WHERE id = $1 AND secret IS NULL",
        delivery_id,
        secret,
        compute_bounce_id(secret),
    )


async def find_bounced_document_delivery(unit: Unit, bounce_id: UUID) -> tuple[UUID, UUID] | None:
    """Find the delivery that a bounce names, and its account."""
    query = "SELECT id, account_id FROM document_deliveries WHERE bounce_id = $1"
    row = await unit.connection.fetchrow(query, bounce_id)
    return (row["id"], row["account_id"]) if row else None


async def save_document_delivery_result(unit: Unit, delivery_id: UUID, failure: str | None) -> None:
    """Save that a delivery was sent now, or why it was refused for good or came back."""
    await unit.connection.execute(
        "UPDATE document_deliveries SET state = CASE WHEN $2::text IS NULL THEN 'sent' ELSE 'failed' END,"
        " failure = $2, delivered_at = CASE WHEN $2::text IS NULL THEN $3::timestamptz END WHERE id = $1",
        delivery_id,
        failure,
        unit.now,
    )
