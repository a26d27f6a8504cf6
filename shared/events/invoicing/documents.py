"""Documents that are sent to customers by mail."""

from datetime import datetime
from uuid import UUID

from shared.events.invoicing.base import InvoicingEvent


class DocumentDelivery(InvoicingEvent, abstract=True):
    """An invoice or a credit note (`document_type`) was to be sent; each sending again is a delivery of its own."""

    delivery_id: UUID
    document_type: str
    document_id: UUID


class DocumentSent(DocumentDelivery):
    """The next mail hop took it."""

    delivered_at: datetime


class DocumentFailed(DocumentDelivery):
    """The next mail hop refused it for good, or it came back; `cause` is its three-digit code, or the bounce's."""

    cause: str
