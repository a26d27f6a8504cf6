"""Timed work of invoicing: what is due at local midnights and at once, and its calls: mails, and tax from outside."""

from services.invoicing.accounts.use_cases import calendar_changes
from services.invoicing.bank.use_cases import bank_booking
from services.invoicing.billing.repository.outside_tax_queries import CALCULATE_TAX
from services.invoicing.billing.use_cases import account_billing, bill_run_control, tax_calculation
from services.invoicing.deliveries.repository import SEND_DOCUMENT
from services.invoicing.documents.use_cases import document_deliveries
from services.invoicing.receivables.use_cases import overdue_checks
from services.invoicing.subscriptions.use_cases import term_renewals
from services.invoicing.vendor_costs.use_cases import vendor_invoice_payments, vendor_postings
from shared.process.intents import IntentKind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="overdue",
        due="SELECT account_id::text FROM invoice_states WHERE judge_at <= $1 ORDER BY judge_at",
        handler=overdue_checks.mark_overdue_invoices,
        set_based=True,
    ),
    Sweep(
        name="terms",
        due="SELECT account_id::text FROM terms WHERE wake_at <= $1 ORDER BY wake_at",
        handler=term_renewals.renew_due_terms,
        set_based=True,
    ),
    Sweep(
        name="bill_runs",
        due="SELECT account_id::text FROM bill_run_accounts WHERE due_at <= $1 ORDER BY due_at",
        handler=account_billing.bill_locked_accounts,
        set_based=True,
    ),
    Sweep(
        name="bank_entries",
        due="SELECT account_id::text FROM bank_entries WHERE due_at <= $1 ORDER BY due_at",
        handler=bank_booking.book_certain_bank_entries,
    ),
    Sweep(
        name="finished_runs",
        due="""SELECT id::text FROM bill_runs b WHERE state IN ('drafting', 'issuing') AND started_at <= $1
            AND NOT EXISTS (SELECT FROM bill_run_accounts a WHERE a.run_id = b.id AND a.due_at IS NOT NULL)
            AND NOT EXISTS (SELECT FROM bill_run_accounts a WHERE a.run_id = b.id AND a.state = 'to_be_taxed')""",
        handler=bill_run_control.finish_bill_runs,
        judges_accounts=False,
    ),
    Sweep(
        name="vendor_payments",
        due="SELECT id::text FROM vendor_invoices WHERE warn_at <= $1 ORDER BY warn_at",
        handler=vendor_invoice_payments.warn_of_vendor_payments,
        judges_accounts=False,
    ),
    Sweep(
        name="vendor_postings",
        due="SELECT id::text FROM vendor_invoices WHERE post_at <= $1 ORDER BY post_at",
        handler=vendor_postings.post_unposted_vendor_invoices,
        judges_accounts=False,
        set_based=True,
    ),
    Sweep(
        name="calendars",
        due="SELECT 'calendar:' || legal_entity FROM business_calendars WHERE announce_at <= $1 ORDER BY announce_at",
        handler=calendar_changes.announce_business_calendars,
        judges_accounts=False,
    ),
)

INTENTS = (
    IntentKind(
        SEND_DOCUMENT, document_deliveries.send_queued_document, document_deliveries.record_document_delivery_result
    ),
    IntentKind(CALCULATE_TAX, tax_calculation.calculate_draft_tax, tax_calculation.record_draft_tax),
)
