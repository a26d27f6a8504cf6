"""Every query of invoicing; the only place that knows both rows and domain."""

from services.invoicing.repository import (
    accounts,
    balances,
    bank,
    bill_runs,
    billing,
    incoming,
    invoices,
    issuing,
    payments,
    plans,
    renewals,
    tax,
    terms,
)

__all__ = [
    "accounts",
    "balances",
    "bank",
    "bill_runs",
    "billing",
    "incoming",
    "invoices",
    "issuing",
    "payments",
    "plans",
    "renewals",
    "tax",
    "terms",
]
