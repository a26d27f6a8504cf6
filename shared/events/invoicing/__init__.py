"""What invoicing announces: what is owed and by whom, what was bought and billed, what we owe the vendor."""

from shared.events.invoicing.accounts import (
    AccountChanged,
    AccountRegistered,
    SubscriptionActivated,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionRenewed,
    SubscriptionTerm,
)
from shared.events.invoicing.bank import BankStatementImported
from shared.events.invoicing.base import (
    InvoicingEvent,
)
from shared.events.invoicing.bill_runs import (
    BilledTotal,
    BillRunEvent,
    BillRunFinished,
    BillRunStarted,
    LedgerPeriodClosed,
)
from shared.events.invoicing.calendars import BusinessCalendarChanged
from shared.events.invoicing.documents import (
    DocumentDelivery,
    DocumentFailed,
    DocumentSent,
)
from shared.events.invoicing.invoices import (
    InvoiceBalance,
    InvoiceBalanceChanged,
    InvoiceClosed,
    InvoiceCredited,
    InvoiceIssued,
    InvoiceOverdue,
    InvoicePaid,
)
from shared.events.invoicing.payments import (
    Allocated,
    CreditNoteIssued,
    Freed,
    InvoiceWrittenOff,
    PaymentFailed,
    PaymentInitiated,
    PaymentReceived,
    PaymentReversed,
    RefundApproved,
    RefundDeclined,
    RefundEvent,
    RefundProposed,
    SmallBalanceCleared,
    UnappliedCashUsed,
)
from shared.events.invoicing.plans import (
    PlanVersionPublished,
    PriceIn,
)
from shared.events.invoicing.vendor import (
    ReconciliationCompleted,
    ReconciliationSum,
    VendorDifferenceDecided,
    VendorEvent,
    VendorInvoicePaid,
    VendorInvoiceReceived,
    VendorPaymentDue,
)

__all__ = [
    "AccountChanged",
    "AccountRegistered",
    "Allocated",
    "BankStatementImported",
    "BillRunEvent",
    "BillRunFinished",
    "BillRunStarted",
    "BilledTotal",
    "BusinessCalendarChanged",
    "CreditNoteIssued",
    "DocumentDelivery",
    "DocumentFailed",
    "DocumentSent",
    "Freed",
    "InvoiceBalance",
    "InvoiceBalanceChanged",
    "InvoiceClosed",
    "InvoiceCredited",
    "InvoiceIssued",
    "InvoiceOverdue",
    "InvoicePaid",
    "InvoiceWrittenOff",
    "InvoicingEvent",
    "LedgerPeriodClosed",
    "PaymentFailed",
    "PaymentInitiated",
    "PaymentReceived",
    "PaymentReversed",
    "PlanVersionPublished",
    "PriceIn",
    "ReconciliationCompleted",
    "ReconciliationSum",
    "RefundApproved",
    "RefundDeclined",
    "RefundEvent",
    "RefundProposed",
    "SmallBalanceCleared",
    "SubscriptionActivated",
    "SubscriptionChanged",
    "SubscriptionEnded",
    "SubscriptionRenewed",
    "SubscriptionTerm",
    "UnappliedCashUsed",
    "VendorDifferenceDecided",
    "VendorEvent",
    "VendorInvoicePaid",
    "VendorInvoiceReceived",
    "VendorPaymentDue",
]
