"""Timed work of invoicing: what is due at local midnights and at once, and its calls: mails, and tax from outside."""

from services.invoicing import use_cases
from services.invoicing.repository.deliveries import SEND_DOCUMENT
from services.invoicing.repository.outside_tax import CALCULATE_TAX
from shared.process.intents import Kind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="overdue",
        due="SELECT account_id::text FROM invoice_states WHERE judge_at <= $1 ORDER BY judge_at",
        handler=use_cases.overdue.judge,
        set_based=True,
    ),
    Sweep(
        name="terms",
        due="SELECT account_id::text FROM terms WHERE wake_at <= $1 ORDER BY wake_at",
        handler=use_cases.renewals.judge,
        set_based=True,
    ),
    Sweep(
        name="bill_runs",
        due="SELECT account_id::text FROM bill_run_accounts WHERE due_at <= $1 ORDER BY due_at",
        handler=use_cases.billing.bill,
        set_based=True,
    ),
    Sweep(
        name="bank_entries",
        due="SELECT account_id::text FROM bank_entries WHERE due_at <= $1 ORDER BY due_at",
        handler=use_cases.bank.book_certain,
    ),
    Sweep(
        name="finished_runs",
        due="""SELECT id::text FROM bill_runs b WHERE state IN ('drafting', 'issuing') AND started_at <= $1
            AND NOT EXISTS (SELECT FROM bill_run_accounts a WHERE a.run_id = b.id AND a.due_at IS NOT NULL)
            AND NOT EXISTS (SELECT FROM bill_run_accounts a WHERE a.run_id = b.id AND a.state = 'to_be_taxed')""",
        handler=use_cases.bill_runs.finish,
        judges_accounts=False,
    ),
    Sweep(
        name="vendor_payments",
        due="SELECT id::text FROM vendor_invoices WHERE warn_at <= $1 ORDER BY warn_at",
        handler=use_cases.vendor_invoices.warn,
        judges_accounts=False,
    ),
    Sweep(
        name="vendor_postings",
        due="SELECT id::text FROM vendor_invoices WHERE post_at <= $1 ORDER BY post_at",
        handler=use_cases.vendor_postings.post_backlog,
        judges_accounts=False,
        set_based=True,
    ),
    Sweep(
        name="calendars",
        due="SELECT 'calendar:' || legal_entity FROM business_calendars WHERE announce_at <= $1 ORDER BY announce_at",
        handler=use_cases.business_calendars.announce_calendars,
        judges_accounts=False,
    ),
)

INTENTS = (
    Kind(SEND_DOCUMENT, use_cases.deliveries.send, use_cases.deliveries.sent),
    Kind(CALCULATE_TAX, use_cases.outside_tax.calculate, use_cases.outside_tax.calculated),
)
