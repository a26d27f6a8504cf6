"""The routes of invoicing."""

from services.invoicing.api import (
    accounts,
    balances,
    bank,
    bill_runs,
    invoices,
    payments,
    plans,
    reservations,
    subscriptions,
    terms,
)

ROUTERS = (
    accounts.reads,
    accounts.writes,
    plans.reads,
    plans.writes,
    subscriptions.reads,
    subscriptions.writes,
    terms.reads,
    terms.writes,
    bill_runs.reads,
    bill_runs.writes,
    invoices.reads,
    invoices.writes,
    payments.reads,
    payments.writes,
    balances.reads,
    reservations.writes,
    *bank.ROUTERS,
)
