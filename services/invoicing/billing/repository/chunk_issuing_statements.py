"""Statements by which drawn-up invoices become drafts, or are issued: numbered, due, in the ledger, announced.

`BillChunk` runs them.
"""

from services.invoicing.billing.repository.chunk_drafting_statements import OF_CHUNK
from shared.persistence.local_midnights import write_local_date, write_local_midnight

KEEP_DRAFTS = """
INSERT INTO drafts (id, run_id, account_id, legal_entity, currency, issue_date, due_date, total_minor, tax_request_id,
    tax_note)
SELECT invoice_id, $1, account_id, legal_entity, currency, issue_date, due_date, total_minor, tax_request_id, tax_note
FROM bill_invoices WHERE to_be_taxed = $2
"""
KEEP_DRAFT_LINES = """
INSERT INTO draft_lines (draft_id, line, account_id, charge_id, subscription_id, description, is_deferred, net_minor,
    tax_minor, tax_rate_bp, collectable_minor)
SELECT invoice_id, line, l.account_id, charge_id, subscription_id, description, is_deferred, net_minor, tax_minor,
    tax_rate_bp, collectable_minor
FROM bill_lines l JOIN bill_invoices b USING (invoice_id) WHERE b.to_be_taxed = $1
"""
MOVE_ACCOUNTS = f"""
UPDATE bill_run_accounts r SET state = $2, due_at = $4, invoice_id = b.invoice_id
FROM bill_invoices b WHERE r.run_id = $1 AND {OF_CHUNK} AND r.account_id = b.account_id AND b.to_be_taxed = $3
"""

STAGE_DRAFTS = f"""
INSERT INTO bill_invoices (account_id, invoice_id, legal_entity, currency, time_zone, issue_date, due_date, total_minor,
    to_be_taxed, tax_request_id, tax_note)
SELECT d.account_id, d.id, d.legal_entity, d.currency, a.time_zone, today.day,
    today.day + (d.due_date - d.issue_date), d.total_minor, false, d.tax_request_id, d.tax_note
FROM drafts d JOIN accounts a ON a.id = d.account_id
CROSS JOIN LATERAL (SELECT {write_local_date("$3::timestamptz", "a.time_zone")} AS day) AS today
WHERE d.run_id = $1 AND d.account_id = ANY($2::uuid[])
"""
STAGE_DRAFT_LINES = """
INSERT INTO bill_lines (invoice_id, line, account_id, charge_id, subscription_id, description, is_deferred, net_minor,
    tax_minor, tax_rate_bp, collectable_minor)
SELECT draft_id, line, l.account_id, charge_id, subscription_id, description, is_deferred, net_minor, tax_minor,
    tax_rate_bp, collectable_minor
FROM draft_lines l JOIN bill_invoices b ON b.invoice_id = l.draft_id
"""

FORMAT_DOCUMENT_NUMBER = "n.legal_entity || '-' || lpad(n.number, greatest(8, length(n.number)), '0')"
"""`format_document_number` of the receivables' domain, of an invoice."""
NUMBER_INVOICES = f"""
WITH counted AS (
    SELECT legal_entity, count(*) AS n FROM bill_invoices GROUP BY legal_entity ORDER BY legal_entity
), taken AS (
    INSERT INTO numbers (legal_entity, series, last) SELECT legal_entity, 'invoice', n FROM counted
    ON CONFLICT (legal_entity, series) DO UPDATE SET last = numbers.last + excluded.last
    RETURNING legal_entity, last
), placed AS (
    SELECT invoice_id, legal_entity, row_number() OVER (PARTITION BY legal_entity ORDER BY account_id) AS place
    FROM bill_invoices
), numbered AS (
    SELECT invoice_id, legal_entity, (last - n + place)::text AS number
    FROM placed JOIN counted USING (legal_entity) JOIN taken USING (legal_entity)
)
UPDATE bill_invoices b
SET number = {FORMAT_DOCUMENT_NUMBER}
FROM numbered n WHERE b.invoice_id = n.invoice_id
"""
ISSUE_INVOICES = """
INSERT INTO invoices (id, account_id, legal_entity, number, external_reference, currency, issue_date, due_date,
    total_minor, issued_at, tax_request_id, tax_note)
SELECT invoice_id, account_id, legal_entity, number, NULL, currency, issue_date, due_date, total_minor, $1,
    tax_request_id, tax_note
FROM bill_invoices
"""
INSERT_LINES = """
INSERT INTO invoice_lines (invoice_id, line, account_id, description, net_minor, tax_minor, tax_rate_bp, amount_minor,
    subscription_id, charge_id)
SELECT invoice_id, line, account_id, description, net_minor, tax_minor, tax_rate_bp, net_minor + tax_minor,
    subscription_id, charge_id FROM bill_lines
"""
INSERT_BALANCES = """
INSERT INTO line_balances (invoice_id, line, account_id, amount_minor, paid_minor, credited_minor, reserved_minor,
    in_flight_minor, written_off_minor, charged_back_minor)
SELECT invoice_id, line, account_id, collectable_minor, 0, 0, 0, 0, 0, 0 FROM bill_lines
WHERE net_minor + tax_minor > 0
"""
SCHEDULE_INVOICE_OVERDUE_CHECK = write_local_midnight("due_date + 1", "time_zone")
"""`schedule_invoice_overdue_check` of the receivables' domain, for an invoice that is issued today and wholly open.

It is due today at the earliest, so no later midnight is the next one.
"""
INSERT_STATES = f"""
INSERT INTO invoice_states (invoice_id, account_id, open_minor, changed_at, overdue_at, judge_at)
SELECT invoice_id, account_id, total_minor, $1, NULL, {SCHEDULE_INVOICE_OVERDUE_CHECK} FROM bill_invoices
"""
_STREAMS = "s.subject = ANY(ARRAY(SELECT account_id::text FROM bill_invoices))"
"""As an array, too: joined, the streams of all accounts are read."""

INSERT_BALANCE_CHANGES = f"""
INSERT INTO balance_changes (invoice_id, sequence, account_id, at, due_minor)
SELECT invoice_id, s.sequence, account_id, $1, total_minor
FROM bill_invoices b JOIN streams s ON {_STREAMS} AND s.subject = b.account_id::text
"""
BUILD_BILLED_INVOICE_ENTRIES = """JOIN (
    SELECT invoice_id, sum(tax_minor) AS tax, sum(net_minor) FILTER (WHERE is_deferred) AS deferred,
        sum(net_minor) FILTER (WHERE NOT is_deferred) AS earned
    FROM bill_lines GROUP BY invoice_id
) l USING (invoice_id),
LATERAL (VALUES ('receivables', b.total_minor), ('tax', -l.tax), ('deferred_revenue', -l.deferred),
    ('revenue', -l.earned)) AS side (code, amount)
WHERE side.amount <> 0"""
"""`build_billed_invoice_entries` of the ledger's domain, joined to `bill_invoices b`: one row for each side."""
POST_ENTRIES = f"""
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT b.legal_entity, side.code, b.currency, side.amount, b.account_id, 'invoice', b.invoice_id, s.sequence + 1,
    b.issue_date, $1
FROM bill_invoices b
JOIN streams s ON {_STREAMS} AND s.subject = b.account_id::text
{BUILD_BILLED_INVOICE_ENTRIES}
"""
BUILD_INVOICE_ISSUED = """
SELECT b.account_id::text AS subject, json_build_object(
    'account_id', b.account_id, 'issue_date', b.issue_date, 'external_reference', NULL,
    'balance', json_build_object(
        'invoice_id', b.invoice_id, 'number', b.number, 'currency', b.currency, 'due_date', b.due_date,
        'total_minor', b.total_minor, 'open_minor', b.total_minor, 'disputed_minor', 0, 'in_flight_minor', 0,
        'credited_minor', 0, 'written_off_minor', 0, 'lines', l.lines))::text AS data
FROM bill_invoices b
JOIN (
    SELECT invoice_id, json_agg(json_build_object('line', line, 'subscription_id', subscription_id,
        'open_minor', collectable_minor, 'disputed_minor', 0, 'in_flight_minor', 0, 'written_off_minor', 0)
        ORDER BY line) AS lines
    FROM bill_lines WHERE net_minor + tax_minor > 0 GROUP BY invoice_id
) l USING (invoice_id)
"""
"""`build_invoice_issued` of the receivables' use cases, as JSON, for each invoice."""

FIND_ACCOUNTS_WITH_CASH = """
SELECT DISTINCT p.account_id FROM payments p JOIN bill_invoices b ON b.account_id = p.account_id
WHERE p.unapplied_minor > 0 ORDER BY p.account_id
"""
