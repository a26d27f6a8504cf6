"""What we owe the vendor: its invoices, their reconciliation files, and what differs from what we expected."""

from services.invoicing.repository.vendor import comparison, contested, differences, files, invoices, reconciliations

__all__ = ["comparison", "contested", "differences", "files", "invoices", "reconciliations"]
