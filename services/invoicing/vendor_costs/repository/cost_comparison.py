"""The comparison of a reconciliation file with what we expected: a few statements over analysed temporary tables.

Each statement works on all lines at once. The steps are tables rather than one statement of CTEs, since the planner
knows nothing about what a CTE yields, and picks nested loops.
"""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from services.invoicing.files.repository import PATIENCE
from services.invoicing.vendor_costs.domain.line_verdicts import CLEAN, ReconciliationVerdictSum, Verdict
from services.invoicing.vendor_costs.repository import customer_sum_queries
from services.invoicing.vendor_costs.tables import VendorInvoiceRow
from shared.persistence.database import Unit

COMPARISON_TABLES = """
CREATE TEMPORARY TABLE billed (
    vendor_customer_id text, vendor_subscription_id text, kind text, period_from date, period_to date,
    subscription_id uuid, account_id uuid, product text, first_line int, lines int,
    quantity numeric, units numeric, billed_minor bigint
) ON COMMIT DROP;
CREATE TEMPORARY TABLE keys (subscription_id uuid, kind text, period_from date, period_to date) ON COMMIT DROP;
CREATE TEMPORARY TABLE expected (
    subscription_id uuid, kind text, period_from date, period_to date, foreign_currency boolean, quantity numeric,
    expected_minor bigint, billed_before boolean
) ON COMMIT DROP;
CREATE TEMPORARY TABLE verdicts (
    vendor_customer_id text, vendor_subscription_id text, kind text, period_from date, period_to date,
    subscription_id uuid, account_id uuid, product text, first_line int, lines int, verdict text,
    billed_quantity numeric, expected_quantity numeric, billed_minor bigint, expected_minor bigint
) ON COMMIT DROP;
SET LOCAL work_mem = '64MB'
"""

NORMAL_ID = "CASE WHEN {0} ~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN lower({0}) ELSE {0} END"
"""An id of the vendor's, as `domain.vendor_line.normalise_vendor_id` writes it."""

# The ids of the partner API are the keys. A subscription that is another customer's with us is nobody's here. Of two
# that differ only in the case of the same GUIDs the first one is billed, so that no line counts twice.
_BILLED = f"""
WITH ours AS (
    SELECT DISTINCT ON (vendor_customer_id, vendor_subscription_id) vendor_customer_id, vendor_subscription_id, id,
        account_id
    FROM (
        SELECT id, account_id, {NORMAL_ID.format("vendor_customer_id")} AS vendor_customer_id,
            {NORMAL_ID.format("vendor_subscription_id")} AS vendor_subscription_id
        FROM subscriptions
    ) AS normal
    ORDER BY vendor_customer_id, vendor_subscription_id, id
)
INSERT INTO billed
SELECT i.vendor_customer_id, i.vendor_subscription_id, i.kind, i.period_from, i.period_to, s.id, s.account_id,
    min(i.product), min(i.line), count(*), sum(i.quantity), sum(abs(i.quantity)), sum(i.subtotal_minor)
FROM incoming i
LEFT JOIN ours s
    ON s.vendor_subscription_id = i.vendor_subscription_id AND s.vendor_customer_id = i.vendor_customer_id
WHERE i.kind IS NOT NULL
GROUP BY i.vendor_customer_id, i.vendor_subscription_id, i.kind, i.period_from, i.period_to, s.id, s.account_id
"""

# What is to be compared: what the file bills, and what was charged in the invoice's period, so that nothing is missed.
_KEYS = """
INSERT INTO keys
SELECT subscription_id, kind, period_from, period_to FROM billed WHERE subscription_id IS NOT NULL
UNION
SELECT c.subscription_id, c.kind, c.period_from, c.period_to
FROM vendor_charges c JOIN accounts a ON a.id = c.account_id
WHERE c.charged_on >= $1 AND c.charged_on < $2 AND c.currency = $3 AND a.legal_entity = $4
"""

# What another invoice has billed is no longer expected: so what is billed twice is seen, and a correction on a later
# invoice (the old line taken back, the right one billed) comes out even.
_EXPECTED = """
INSERT INTO expected
SELECT c.subscription_id, c.kind, c.period_from, c.period_to, c.foreign_currency,
    c.quantity - coalesce(b.quantity, 0), c.amount_minor - coalesce(b.billed_minor, 0), b.quantity IS NOT NULL
FROM (
    SELECT c.subscription_id, c.kind, c.period_from, c.period_to, bool_or(c.currency <> $1) AS foreign_currency,
        sum(c.quantity) AS quantity, sum(c.amount_minor) AS amount_minor
    FROM keys k JOIN vendor_charges c USING (subscription_id, kind, period_from, period_to)
    GROUP BY c.subscription_id, c.kind, c.period_from, c.period_to
) c
LEFT JOIN (
    SELECT l.subscription_id, l.kind, l.period_from, l.period_to,
        sum(l.quantity) AS quantity, sum(l.subtotal_minor) AS billed_minor
    FROM keys k
    JOIN reconciliation_lines l USING (subscription_id, kind, period_from, period_to)
    JOIN reconciliations r ON r.id = l.reconciliation_id AND r.currency = $1
    GROUP BY l.subscription_id, l.kind, l.period_from, l.period_to
) b USING (subscription_id, kind, period_from, period_to)
"""

IS_VENDOR_COST_EXPECTED = """e.subscription_id IS NOT NULL AND NOT e.foreign_currency AND NOT (
            e.billed_before AND (sign(b.billed_minor::numeric) * sign(e.expected_minor::numeric) < 0
                OR (e.quantity = 0 AND b.quantity <> 0)))"""
"""`is_vendor_cost_expected` of the domain, over `billed b` and, if there is one, its row of `expected e`."""
COMPUTE_VENDOR_VERDICT = """CASE
        WHEN b.subscription_id IS NULL THEN 'no_customer'
        WHEN b.foreign_currency THEN 'not_comparable'
        WHEN NOT b.is_expected THEN 'missing_with_us'
        WHEN b.quantity <> b.expected_quantity THEN 'quantity_difference'
        WHEN b.billed_minor = b.expected_minor THEN 'matched'
        WHEN abs(b.billed_minor - b.expected_minor) <= greatest(1, floor(b.units * $1)) THEN 'within_tolerance'
        ELSE 'price_difference'
    END"""
"""`compute_vendor_verdict` of the domain, over both sides of a comparison; $1 is the tolerance of a unit."""
IS_MISSING_AT_VENDOR = """NOT e.foreign_currency AND NOT e.billed_before
  AND (e.quantity <> 0 OR e.expected_minor <> 0)
  AND NOT EXISTS (SELECT FROM billed b WHERE (b.subscription_id, b.kind, b.period_from, b.period_to)
                  = (e.subscription_id, e.kind, e.period_from, e.period_to))"""
"""`is_missing_at_vendor` of the domain, over `expected e`."""

COMPARE_BILLED_COSTS = f"""
INSERT INTO verdicts
SELECT b.vendor_customer_id, b.vendor_subscription_id, b.kind, b.period_from, b.period_to,
    b.subscription_id, b.account_id, b.product, b.first_line, b.lines,
    {COMPUTE_VENDOR_VERDICT},
    b.quantity, CASE WHEN b.is_expected THEN b.expected_quantity ELSE 0 END,
    b.billed_minor, CASE WHEN b.is_expected THEN b.expected_minor ELSE 0 END
FROM (
    SELECT b.*, e.foreign_currency, e.quantity AS expected_quantity, e.expected_minor,
        {IS_VENDOR_COST_EXPECTED} AS is_expected
    FROM billed b LEFT JOIN expected e USING (subscription_id, kind, period_from, period_to)
) b
"""
_MISSING = f"""
INSERT INTO verdicts
SELECT s.vendor_customer_id, s.vendor_subscription_id, e.kind, e.period_from, e.period_to,
    e.subscription_id, s.account_id, s.product, NULL, 0, 'missing_at_vendor', 0, e.quantity, 0, e.expected_minor
FROM expected e JOIN subscriptions s ON s.id = e.subscription_id
WHERE {IS_MISSING_AT_VENDOR}
"""

_SUMS = """
SELECT verdict, sum(comparisons)::int AS comparisons, sum(lines)::int AS lines,
    sum(billed_minor)::bigint AS billed_minor, sum(expected_minor)::bigint AS expected_minor
FROM (
    SELECT verdict, count(*) AS comparisons, sum(lines) AS lines, sum(billed_minor) AS billed_minor,
        sum(expected_minor) AS expected_minor
    FROM verdicts GROUP BY verdict
    UNION ALL
    SELECT 'not_comparable', count(*), count(*), sum(subtotal_minor), 0 FROM incoming WHERE kind IS NULL
    HAVING count(*) > 0
) each GROUP BY verdict
"""


async def lock_vendor_cost_comparison(unit: Unit) -> None:
    """Wait for other reconciliations: two at once would not see what the other one finds billed."""
    await unit.connection.execute("SELECT pg_advisory_xact_lock(hashtext('invoicing reconciliation'))")


async def compare_vendor_lines(
    unit: Unit, invoice: VendorInvoiceRow, per_unit: Decimal
) -> list[ReconciliationVerdictSum]:
    """Compare `incoming` with what we expected into the temporary table `verdicts`; the sums of each verdict.

    A line whose type we do not model stands in no comparison. `per_unit`: the tolerance of a unit of quantity.
    """
    connection = unit.connection
    await connection.execute(COMPARISON_TABLES)
    await connection.execute(_BILLED, timeout=PATIENCE)
    await connection.execute("ANALYZE billed")
    asked = (invoice.period_from, invoice.period_to, invoice.currency, invoice.legal_entity)
    await connection.execute(_KEYS, *asked, timeout=PATIENCE)
    await connection.execute("ANALYZE keys")
    await connection.execute(_EXPECTED, invoice.currency, timeout=PATIENCE)
    await connection.execute("ANALYZE expected")
    await connection.execute(COMPARE_BILLED_COSTS, per_unit, timeout=PATIENCE)
    await connection.execute(_MISSING, timeout=PATIENCE)
    await connection.execute("ANALYZE verdicts")
    billed = await customer_sum_queries.map_customer_verdict_sums(unit)
    sums = (ReconciliationVerdictSum(Verdict(row["verdict"]), *list(row)[1:]) for row in await connection.fetch(_SUMS))
    return [replace(subtotal, billed_to_customers=tuple(billed.get(subtotal.verdict, ()))) for subtotal in sums]


_LINES = """
INSERT INTO reconciliation_lines (reconciliation_id, line, account_id, subscription_id, vendor_customer_id,
    vendor_subscription_id, product, charge_type, kind, unit_price, effective_unit_price, quantity, subtotal_minor,
    tax_minor, total_minor, period_from, period_to, reference, extra, verdict)
SELECT $1, i.line, v.account_id, v.subscription_id, i.vendor_customer_id, i.vendor_subscription_id, i.product,
    i.charge_type, i.kind, i.unit_price, i.effective_unit_price, i.quantity, i.subtotal_minor, i.tax_minor,
    i.total_minor, i.period_from, i.period_to, i.reference, i.extra, coalesce(v.verdict, 'not_comparable')
FROM incoming i
LEFT JOIN verdicts v USING (vendor_customer_id, vendor_subscription_id, kind, period_from, period_to)
"""

# An id is the reconciliation's with the difference's number in its last 48 bits: in the order of the file, and no
# call for each. What the vendor has no line for comes last.
_DIFFERENCES = """
INSERT INTO vendor_differences (id, reconciliation_id, vendor_invoice_id, account_id, subscription_id,
    vendor_customer_id, vendor_subscription_id, product, charge_type, period_from, period_to, first_line, lines,
    verdict, currency, billed_quantity, expected_quantity, billed_minor, expected_minor, state)
SELECT (left($1::text, 24) || lpad(to_hex(row_number() OVER (ORDER BY d.first_line NULLS LAST,
        d.vendor_subscription_id, d.kind, d.period_from, d.period_to)), 12, '0'))::uuid,
    $1::text::uuid, $2, d.account_id, d.subscription_id, d.vendor_customer_id, d.vendor_subscription_id, d.product,
    d.kind, d.period_from, d.period_to, d.first_line, d.lines, d.verdict, $3, d.billed_quantity, d.expected_quantity,
    d.billed_minor, d.expected_minor, 'open'
FROM (
    SELECT * FROM verdicts WHERE verdict <> ALL($4::text[])
    UNION ALL
    SELECT vendor_customer_id, vendor_subscription_id, charge_type, period_from, period_to, NULL, NULL, product, line,
        1, 'not_comparable', quantity, 0, subtotal_minor, 0
    FROM incoming WHERE kind IS NULL
) d
"""


async def save_vendor_comparison(unit: Unit, reconciliation_id: UUID, invoice: VendorInvoiceRow) -> None:
    """Keep the lines with their verdicts, and put what differs on the work list."""
    await unit.connection.execute(_LINES, reconciliation_id, timeout=PATIENCE)
    await unit.connection.execute(
        _DIFFERENCES, str(reconciliation_id), invoice.id, invoice.currency, list(CLEAN), timeout=PATIENCE
    )
