"""Rows of invoicing that classes map: METADATA knows them once this module is imported."""

from services.invoicing.accounts.tables import (
    account_tables,
    calendar_tables,
    contact_person_tables,
    legal_entity_tables,
)
from services.invoicing.adjustments.tables import approval_tables, credit_note_tables
from services.invoicing.bank import tables as bank_tables
from services.invoicing.billing import tables as billing_tables
from services.invoicing.catalog.tables import plan_tables
from services.invoicing.deliveries import tables as deliveries_tables
from services.invoicing.metadata import METADATA
from services.invoicing.payments.tables import (
    chargeback_tables,
    debit_tables,
    payment_tables,
)
from services.invoicing.receivables import tables as receivables_tables
from services.invoicing.settings import tables as settings_tables
from services.invoicing.subscriptions.tables import subscription_tables, term_tables
from services.invoicing.vendor_costs import tables as vendor_costs_tables

__all__ = [
    "METADATA",
    "account_tables",
    "approval_tables",
    "bank_tables",
    "billing_tables",
    "calendar_tables",
    "chargeback_tables",
    "contact_person_tables",
    "credit_note_tables",
    "debit_tables",
    "deliveries_tables",
    "legal_entity_tables",
    "payment_tables",
    "plan_tables",
    "receivables_tables",
    "settings_tables",
    "subscription_tables",
    "term_tables",
    "vendor_costs_tables",
]
