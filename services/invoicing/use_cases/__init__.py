"""What can be done in invoicing: one function per action, that loads, decides, saves and publishes."""

from services.invoicing.use_cases import (
    accounts,
    disputes,
    invoices,
    overdue,
    payments,
    vendor_differences,
    vendor_invoices,
    vendor_reconciliation,
)

__all__ = [
    "accounts",
    "disputes",
    "invoices",
    "overdue",
    "payments",
    "vendor_differences",
    "vendor_invoices",
    "vendor_reconciliation",
]
