"""The rows of the schema `invoicing`. Amounts are minor units; the database checks what must always hold."""

from services.invoicing.tables.bank import BankEntryRow, BankImportRow, BankMappingRow, BankProposalRow
from services.invoicing.tables.base import METADATA, Row
from services.invoicing.tables.bill_runs import BillRunAccountRow, BillRunRow, DraftLineRow, DraftRow, TaxRateRow
from services.invoicing.tables.ledger import LedgerAccountRow, LedgerEntryRow, LedgerPeriodRow
from services.invoicing.tables.owed import (
    AccountRow,
    AllocationRow,
    BalanceChangeRow,
    CreditNoteLineRow,
    CreditNoteRow,
    InvoiceLineRow,
    InvoiceRow,
    InvoiceStateRow,
    LineBalanceRow,
    NumberRow,
    PaymentRow,
    ReservationRow,
    SubscriptionRow,
)
from services.invoicing.tables.plans import (
    ChargeRow,
    PlanPriceRow,
    PlanRow,
    PlanVersionRow,
    SubscriptionChangeRow,
    TermRow,
    VendorChargeRow,
)

__all__ = [
    "METADATA",
    "AccountRow",
    "AllocationRow",
    "BalanceChangeRow",
    "BankEntryRow",
    "BankImportRow",
    "BankMappingRow",
    "BankProposalRow",
    "BillRunAccountRow",
    "BillRunRow",
    "ChargeRow",
    "CreditNoteLineRow",
    "CreditNoteRow",
    "DraftLineRow",
    "DraftRow",
    "InvoiceLineRow",
    "InvoiceRow",
    "InvoiceStateRow",
    "LedgerAccountRow",
    "LedgerEntryRow",
    "LedgerPeriodRow",
    "LineBalanceRow",
    "NumberRow",
    "PaymentRow",
    "PlanPriceRow",
    "PlanRow",
    "PlanVersionRow",
    "ReservationRow",
    "Row",
    "SubscriptionChangeRow",
    "SubscriptionRow",
    "TaxRateRow",
    "TermRow",
    "VendorChargeRow",
]
