"""What can be done in invoicing: one function per action, that loads, decides, saves and publishes."""

from services.invoicing.use_cases import (
    accounts,
    bank,
    bill_runs,
    billing,
    disputes,
    invoices,
    overdue,
    payments,
    plans,
    renewals,
    subscriptions,
)

__all__ = [
    "accounts",
    "bank",
    "bill_runs",
    "billing",
    "disputes",
    "invoices",
    "overdue",
    "payments",
    "plans",
    "renewals",
    "subscriptions",
]
