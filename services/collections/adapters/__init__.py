"""Adapters to the outside. This is the one place that chooses them; nothing else knows one by its class."""

from typing import TYPE_CHECKING

from services.collections.adapters.invoicing import InvoicingFacts

if TYPE_CHECKING:
    from shared.process.runtime import Runtime


def open_invoicing_facts(runtime: "Runtime") -> InvoicingFacts:
    """Open what invoicing says of accounts and invoices."""
    return InvoicingFacts(runtime.clients["invoicing"])
