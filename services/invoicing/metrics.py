"""Figures of finance in Prometheus: money in minor units, each currency for itself."""

from services.invoicing.exposure.repository.exposure_queries import COMPUTE_VENDOR_COMMITMENT, IS_TERM_COMMITTED
from services.invoicing.receivables.repository.line_amounts import BALANCES_WITH_OPEN_MINOR, COMPUTE_DISPUTED_MINOR
from shared.base.metrics.figures import MetricQuery
from shared.persistence.local_midnights import write_local_date

_OPEN_LINES = f"""
SELECT i.currency, i.due_date, a.time_zone, b.open_minor,
    {COMPUTE_DISPUTED_MINOR} AS disputed_minor
FROM invoice_states s
JOIN invoices i ON i.id = s.invoice_id
JOIN accounts a ON a.id = s.account_id
JOIN {BALANCES_WITH_OPEN_MINOR} b
    ON b.invoice_id = s.invoice_id
WHERE s.open_minor > 0
"""

AGEING_BUCKETS = """(VALUES ('current', -1000000, 0), ('1-30', 1, 30), ('31-60', 31, 60), ('61-90', 61, 90),
            ('90+', 91, 1000000)) AS buckets (bucket, first, last)"""
"""`find_ageing_bucket` of the domain of documents: the first and the last day past due of each bucket."""
RECEIVABLES = MetricQuery(
    f"""
    WITH aged AS (
        SELECT *, {write_local_date("$1::timestamptz", "time_zone")} - due_date AS days FROM ({_OPEN_LINES}) AS lines
    )
    SELECT currency, bucket, part.disputed, sum(part.minor) AS receivables_minor
    FROM aged, {AGEING_BUCKETS},
        LATERAL (VALUES ('no', open_minor - disputed_minor), ('yes', disputed_minor)) AS part (disputed, minor)
    WHERE days BETWEEN first AND last GROUP BY currency, bucket, part.disputed
    """,
    {
        "goodstanding_receivables_minor": "What customers owe, by days since the due date in their time zone; what is"
        " disputed stands apart."
    },
    ("currency", "bucket", "disputed"),
)
UNAPPLIED = MetricQuery(
    """SELECT currency, sum(unapplied_minor) AS unapplied_cash_minor FROM payments
    WHERE unapplied_minor > 0 AND $1::timestamptz IS NOT NULL GROUP BY currency""",
    {"goodstanding_unapplied_cash_minor": "Money received that is not allocated to an invoice."},
    ("currency",),
)
EXPOSURE = MetricQuery(
    f"""
    SELECT currency, part, sum(minor) AS vendor_exposure_minor FROM (
        SELECT currency, 'accrued' AS part, amount_minor AS minor FROM vendor_charges
        UNION ALL
        SELECT currency, 'unpaid', total_minor FROM vendor_invoices WHERE state = 'received'
        UNION ALL
        SELECT t.vendor_currency,
            CASE WHEN v.vendor_bills_while_suspended THEN 'committed' ELSE 'committed_stoppable' END,
            {COMPUTE_VENDOR_COMMITMENT}
        FROM terms t JOIN plan_versions v USING (plan_id, version)
        WHERE {IS_TERM_COMMITTED}
    ) AS owed WHERE $1::timestamptz IS NOT NULL GROUP BY currency, part
    """,
    {
        "goodstanding_vendor_exposure_minor": "What we owe the vendor: accrued so far, billed and unpaid, committed to"
        " the end of the terms (`committed_stoppable`: a suspension stops it)."
    },
    ("currency", "part"),
)
LEDGER = MetricQuery(
    """SELECT legal_entity, currency, sum(amount_minor) AS ledger_imbalance_minor,
        sum(amount_minor) FILTER (WHERE code = 'receivables') AS ledger_receivables_minor
    FROM ledger_entries WHERE posted_at <= $1 GROUP BY legal_entity, currency""",
    {
        "goodstanding_ledger_imbalance_minor": "Debits less credits of all entries; 0 if the ledger balances.",
        "goodstanding_ledger_receivables_minor": "What the ledger says that customers owe.",
    },
    ("legal_entity", "currency"),
)
WAITING = MetricQuery(
    """SELECT (SELECT count(*) FROM bank_entries WHERE state = 'unmatched') AS bank_entries_open,
        (SELECT count(*) FROM bill_run_accounts WHERE state = 'set_aside') AS bill_run_accounts_set_aside
    WHERE $1::timestamptz IS NOT NULL""",
    {
        "goodstanding_bank_entries_open": "Entries of bank statements that wait for a person.",
        "goodstanding_bill_run_accounts_set_aside": "Accounts that a bill run could not bill.",
    },
)
APPROVALS = MetricQuery(
    """SELECT kinds.kind, count(a.id) AS approvals_proposed
    FROM (VALUES ('credit_note'), ('write_off'), ('refund')) AS kinds (kind)
    LEFT JOIN approvals a ON a.kind = kinds.kind AND a.state = 'proposed' AND $1::timestamptz IS NOT NULL
    GROUP BY kinds.kind""",
    {"goodstanding_approvals_proposed": "Credit notes, write-offs and refunds that wait for a second person."},
    ("kind",),
)
DEBITS = MetricQuery(
    """SELECT currency,
        coalesce(sum(amount_minor) FILTER (WHERE state = 'initiated'), 0) AS debits_in_flight_minor
    FROM debits WHERE $1::timestamptz IS NOT NULL GROUP BY currency""",
    {"goodstanding_debits_in_flight_minor": "Direct debits that the bank has neither settled nor refused."},
    ("currency",),
)
_DAYS = 30
"""The length of the period of the index, as is usual; DSO looks back 90 days."""
COLLECTION = MetricQuery(
    f"""
    WITH day AS (SELECT {write_local_date("$1::timestamptz", "'UTC'")} AS today),
    ends AS (
        SELECT currency,
            coalesce(sum(amount_minor), 0) AS ending,
            coalesce(sum(amount_minor) FILTER (WHERE posted_on < today - {_DAYS}), 0) AS beginning,
            coalesce(sum(amount_minor) FILTER (WHERE posted_on >= today - {_DAYS} AND document = 'invoice'), 0)
                AS sales,
            coalesce(sum(amount_minor) FILTER (WHERE posted_on >= today - 90 AND document = 'invoice'), 0) AS sales_90
        FROM ledger_entries, day WHERE code = 'receivables' AND posted_on < today GROUP BY currency
    ), current AS (
        SELECT currency, sum(open_minor) AS minor FROM ({_OPEN_LINES}) AS lines, day
        WHERE due_date >= today GROUP BY currency
    )
    SELECT currency, ending / nullif(sales_90, 0) * 90 AS dso_days,
        (beginning + sales - ending) / nullif(beginning + sales - coalesce(current.minor, 0), 0)
            AS collection_effectiveness_ratio,
        extract(epoch FROM today::timestamp) AS collection_figures_day_timestamp_seconds
    FROM ends LEFT JOIN current USING (currency), day
    """,
    {
        "goodstanding_dso_days": "Days sales outstanding: receivables at the end of yesterday (UTC) by what was"
        " invoiced in the 90 days before.",
        "goodstanding_collection_effectiveness_ratio": "Collection effectiveness index of the 30 days before, 0 to 1:"
        " collected of what could be collected.",
        "goodstanding_collection_figures_day_timestamp_seconds": "The day (UTC) on whose beginning both were computed.",
    },
    ("currency",),
    daily=True,
)

FIGURES = (RECEIVABLES, UNAPPLIED, EXPOSURE, LEDGER, WAITING, APPROVALS, DEBITS, COLLECTION)
