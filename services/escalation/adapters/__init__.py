"""Adapters to the outside. This is the one place that chooses them; nothing else knows one by its class."""

from typing import TYPE_CHECKING

from services.escalation.adapters.collections import CollectionsItems
from services.escalation.adapters.incidents import VendorIncidents
from services.escalation.adapters.invoicing import InvoicingRecords
from services.escalation.adapters.service_requests import VendorServiceRequests
from services.escalation.domain.service_health import ServiceHealth
from services.escalation.domain.vendor_tickets import VendorSupportDesk

if TYPE_CHECKING:
    from shared.process.runtime import Runtime


def open_support_desk(runtime: "Runtime") -> VendorSupportDesk:
    """Open the vendor's support."""
    return VendorServiceRequests(runtime.vendor)


def open_service_health(runtime: "Runtime") -> ServiceHealth:
    """Open the vendor's service health."""
    return VendorIncidents(runtime.vendor)


def open_invoicing_records(runtime: "Runtime") -> InvoicingRecords:
    """Open the records of invoicing."""
    return InvoicingRecords(runtime.clients["invoicing"])


def open_collections_items(runtime: "Runtime") -> CollectionsItems:
    """Open what collections says of invoices."""
    return CollectionsItems(runtime.clients["collections"])
