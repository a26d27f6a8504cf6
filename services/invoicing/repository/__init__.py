"""Every query of invoicing; the only place that knows both rows and domain."""

from services.invoicing.repository import (
    accounts,
    balances,
    bill_runs,
    billing,
    explanations,
    exposure,
    invoices,
    issuing,
    ledger,
    payments,
    plans,
    renewals,
    tax,
    terms,
    usage,
    vendor,
)

__all__ = [
    "accounts",
    "balances",
    "bill_runs",
    "billing",
    "explanations",
    "exposure",
    "invoices",
    "issuing",
    "ledger",
    "payments",
    "plans",
    "renewals",
    "tax",
    "terms",
    "usage",
    "vendor",
]
