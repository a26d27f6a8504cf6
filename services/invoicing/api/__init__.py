"""The routes of invoicing."""

from services.invoicing.api import accounts, balances, invoices, payments, reservations, subscriptions

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
)
