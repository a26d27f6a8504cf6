"""The routes of invoicing."""

from services.invoicing.api import (
    accounts,
    balances,
    invoices,
    payments,
    reservations,
    subscriptions,
    vendor_differences,
    vendor_invoices,
    vendor_reconciliation,
)

ROUTERS = (
    accounts.reads,
    accounts.writes,
    subscriptions.reads,
    subscriptions.writes,
    invoices.reads,
    invoices.writes,
    payments.reads,
    payments.writes,
    balances.reads,
    reservations.writes,
    vendor_invoices.reads,
    vendor_invoices.writes,
    vendor_reconciliation.reads,
    vendor_reconciliation.writes,
    vendor_differences.reads,
    vendor_differences.writes,
)
