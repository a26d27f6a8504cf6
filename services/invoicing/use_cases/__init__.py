"""What can be done in invoicing: one function per action, that loads, decides, saves and publishes."""

from services.invoicing.use_cases import (
    accounts,
    bill_runs,
    billing,
    disputes,
    invoices,
    ledger,
    overdue,
    payments,
    plans,
    previews,
    renewals,
    subscriptions,
    usage,
    vendor_differences,
    vendor_invoices,
    vendor_reconciliation,
)

__all__ = [
    "accounts",
    "bill_runs",
    "billing",
    "disputes",
    "invoices",
    "ledger",
    "overdue",
    "payments",
    "plans",
    "previews",
    "renewals",
    "subscriptions",
    "usage",
    "vendor_differences",
    "vendor_invoices",
    "vendor_reconciliation",
]
