"""Statements that draw up the invoices of a chunk: charges of whole cycles, lines with their tax, what each comes to.

`BillChunk` runs them.
"""

from services.invoicing.adjustments.repository.supplies import SUPPLY
from services.invoicing.catalog.repository.tax_rate_queries import RATE_OF_CUSTOMER, RATES, build_tax_rate_join
from services.invoicing.subscriptions.repository.charge_rests import COMPUTE_UNBILLED_MINOR, IS_CHARGE_BILLABLE
from shared.persistence.local_midnights import write_local_date

CHARGE_WHOLE_CYCLES = """
WITH due AS (
    SELECT t.*, cycle_after(t.next_to, t.period_months, t.anchor, t.from_end) AS after
    FROM terms t
    WHERE account_id = ANY($1::uuid[]) AND next_due <= $2 AND next_from < term_end AND changed_on <= next_from
), moved AS (
    UPDATE terms t
    SET next_from = CASE WHEN over THEN NULL ELSE due.next_to END,
        next_to = CASE WHEN over THEN NULL ELSE due.after END,
        next_due = CASE WHEN over THEN NULL WHEN due.timing = 'advance' THEN due.next_to ELSE due.after END
    FROM (SELECT *, coalesce(next_to >= ended_on, false) AS over FROM due) AS due
    WHERE t.subscription_id = due.subscription_id
    RETURNING t.next_due
), charged AS (
    INSERT INTO charges (id, account_id, subscription_id, kind, reference, plan_id, version, cycle_from, cycle_to,
        period_from, period_to, quantity, unit_price_minor, amount_minor, currency, due_on, is_deferred, released_minor,
        settled_minor, lapsed_minor, created_at, invoice_id)
    SELECT gen_random_uuid(), account_id, subscription_id, 'cycle', NULL, plan_id, version, next_from, next_to,
        next_from, next_to, quantity, unit_price_minor, unit_price_minor * quantity, due.currency, next_due,
        timing = 'advance', 0, 0, 0, $3, b.invoice_id
    FROM due JOIN bill_invoices b USING (account_id) WHERE is_billed
)
SELECT EXISTS (SELECT FROM moved WHERE next_due <= $2)
"""

COMPUTE_INVOICE_DUE_DATE = "today.day + a.terms_days"
"""`compute_invoice_due_date` of the domain, by the local day of the account `a`."""
BEGIN_INVOICES = f"""
INSERT INTO bill_invoices (account_id, invoice_id, legal_entity, currency, time_zone, issue_date, due_date, to_be_taxed)
SELECT a.id, n.invoice_id, a.legal_entity, a.currency, a.time_zone, today.day, {COMPUTE_INVOICE_DUE_DATE},
    coalesce(e.tax_calculator = 'outside', false)
FROM unnest($1::uuid[], $2::uuid[]) AS n (account_id, invoice_id) JOIN accounts a ON a.id = n.account_id
CROSS JOIN LATERAL (SELECT {write_local_date("$3::timestamptz", "a.time_zone")} AS day) AS today
LEFT JOIN legal_entities e ON e.code = a.legal_entity
"""
SUM_NETS_BY_RATE = "SELECT *, sum(net) OVER (PARTITION BY invoice_id, rate ORDER BY line) AS upto FROM numbered"
COMPUTE_ADDED_TAX = "coalesce(round(upto * rate / 10000) - round((upto - net) * rate / 10000), 0)"
"""`compute_added_taxes` of the domain, from sums of the lines until each: both round half away from zero."""
FIND_REVERSED_SUPPLY_DAY = "CASE WHEN o.is_deferred THEN o.period_from ELSE o.period_to - 1 END"
"""`find_supply_day` of the domain, of the charge `o` that a reversal takes back."""
FIND_SUPPLY_DAY = """CASE WHEN c.kind = 'reversal' THEN coalesce(o.supplied_on, c.cycle_from)
        WHEN c.is_deferred THEN c.period_from WHEN c.kind = 'setup' THEN c.due_on
        ELSE c.period_to - 1 END"""
"""`find_supply_day` of the domain, of the charge `c`; `o.supplied_on` is FIND_REVERSED_SUPPLY_DAY of a reversal."""
DRAW_UP_LINES = f"""
WITH {RATES}, billed AS (
    SELECT c.*, c.invoice_id AS on_invoice FROM charges c
    WHERE c.invoice_id = ANY(ARRAY(SELECT invoice_id FROM bill_invoices))
    UNION ALL
    SELECT c.*, b.invoice_id FROM bill_invoices b
    JOIN charges c ON c.account_id = b.account_id AND c.invoice_id IS NULL AND c.due_on <= $1
        AND {IS_CHARGE_BILLABLE.format("c.")}
), due AS (
    SELECT c.*, o.is_taxed, o.taxed_bp, {FIND_SUPPLY_DAY} AS supplied_on
    FROM billed c LEFT JOIN LATERAL (
        SELECT l.line IS NOT NULL AS is_taxed, l.tax_rate_bp AS taxed_bp,
            {FIND_REVERSED_SUPPLY_DAY} AS supplied_on
        FROM charges o LEFT JOIN invoice_lines l ON l.invoice_id = o.invoice_id AND l.charge_id = o.id
        WHERE o.subscription_id = c.subscription_id AND o.cycle_from = c.cycle_from AND o.cycle_to = c.cycle_to
            AND o.kind IN ('cycle', 'change') AND o.period_from <= c.period_from AND o.period_to >= c.period_to
            AND o.unit_price_minor = c.unit_price_minor AND o.reference IS DISTINCT FROM c.reference
            AND o.created_at <= c.created_at
        ORDER BY o.created_at DESC, o.id DESC LIMIT 1
    ) o ON c.kind = 'reversal'
), numbered AS (
    SELECT b.invoice_id, b.account_id, c.id, c.subscription_id, c.is_deferred,
        {COMPUTE_UNBILLED_MINOR.format("c.")} AS net,
        s.product || CASE c.kind WHEN 'setup' THEN ', set-up' WHEN 'usage' THEN
            (SELECT ', ' || meter FROM usage_lines u WHERE u.charge_id = c.id LIMIT 1)
            WHEN 'vendor_difference' THEN ', additional charge of the vendor' ELSE '' END
            || CASE c.kind WHEN 'setup' THEN ''
            ELSE format(', %s – %s', c.period_from, c.period_to - 1) END
            || CASE WHEN c.settled_minor + c.lapsed_minor = 0 THEN '' ELSE ', what is left of it' END AS description,
        CASE WHEN b.to_be_taxed THEN NULL WHEN c.is_taxed AND c.taxed_bp IS NOT NULL THEN c.taxed_bp
            ELSE {RATE_OF_CUSTOMER} END AS rate,
        CASE WHEN NOT b.to_be_taxed AND a.tax_status = 'standard' AND c.taxed_bp IS NULL AND r.rate_bp IS NULL
            THEN format('%s in %s on %s', p.tax_class, coalesce(a.country, 'no country'), c.supplied_on)
            END AS needs_rate,
        row_number() OVER (PARTITION BY b.invoice_id
            ORDER BY c.subscription_id, c.period_from, c.created_at, c.quantity, c.id) AS line
    FROM bill_invoices b
    JOIN accounts a ON a.id = b.account_id
    JOIN due c ON c.on_invoice = b.invoice_id
    JOIN subscriptions s ON s.id = c.subscription_id
    JOIN plans p ON p.id = c.plan_id
    {build_tax_rate_join(tax_class="p.tax_class", supplied_on="c.supplied_on")}
), summed AS (
    {SUM_NETS_BY_RATE}
)
INSERT INTO bill_lines
SELECT invoice_id, line, account_id, id, subscription_id, description, is_deferred, net,
    {COMPUTE_ADDED_TAX}, rate, needs_rate
FROM summed
"""
"""The lines of the invoices begun, with their tax.

The rate is that of the day of supply: the first day of what is billed in advance, the last one of what is billed in
arrears and of usage. A reversal has the rate at which was charged what it reverses.

What is to be taxed by the outside calculator has no rate, and no tax until that has answered.
"""

START_COLLECTABLE_MINOR = "UPDATE bill_lines SET collectable_minor = greatest(net_minor + tax_minor, 0)"
COMPUTE_COLLECTABLE_MINOR = """
WITH signed AS (
    SELECT invoice_id, line, subscription_id, net_minor + tax_minor AS amount FROM bill_lines
    WHERE invoice_id IN (SELECT invoice_id FROM bill_lines WHERE net_minor < 0)
), own AS (
    SELECT *, greatest(0, least(amount,
        sum(greatest(amount, 0)) OVER (PARTITION BY invoice_id, subscription_id ORDER BY line)
        + sum(least(amount, 0)) OVER (PARTITION BY invoice_id, subscription_id))) AS left_
    FROM signed
), rest AS (
    SELECT invoice_id, least(0, sum(amount)) AS over
    FROM signed GROUP BY invoice_id, subscription_id
), over AS (
    SELECT invoice_id, sum(over) AS over FROM rest GROUP BY invoice_id
), paid AS (
    SELECT own.*, greatest(0, least(left_,
        sum(left_) OVER (PARTITION BY own.invoice_id ORDER BY line) + over.over)) AS collectable
    FROM own JOIN over USING (invoice_id)
)
UPDATE bill_lines b SET collectable_minor = paid.collectable
FROM paid WHERE b.invoice_id = paid.invoice_id AND b.line = paid.line
"""
"""`compute_collectable_minor` of the domain, after START_COLLECTABLE_MINOR: only invoices with a reversal need more."""

COMPUTE_TOTALS = """
UPDATE bill_invoices b SET total_minor = n.total
FROM (SELECT invoice_id, sum(net_minor + tax_minor) AS total FROM bill_lines GROUP BY invoice_id) n
WHERE b.invoice_id = n.invoice_id
"""
SET_ASIDE_ACCOUNTS = """
WITH aside AS (
    SELECT account_id, format('no tax rate for %s', min(needs_rate)) AS reason
    FROM bill_lines WHERE needs_rate IS NOT NULL GROUP BY account_id
    UNION ALL
    SELECT account_id, format('more than %s lines', $2::int) FROM bill_lines GROUP BY account_id HAVING count(*) > $2
)
UPDATE bill_run_accounts r SET state = 'set_aside', due_at = NULL, reason = aside.reason
FROM (SELECT account_id, min(reason) AS reason FROM aside GROUP BY account_id) aside
WHERE r.run_id = $1 AND r.account_id = aside.account_id
"""
OF_CHUNK = "r.account_id = ANY(ARRAY(SELECT account_id FROM bill_invoices))"
"""As an array, whose accounts are looked up: joined, all accounts of the run are read, or each held against these."""

FINISH_EMPTY_ACCOUNTS = """
UPDATE bill_run_accounts SET state = 'nothing', due_at = NULL
WHERE run_id = $1 AND state = 'waiting'
    AND account_id = ANY(ARRAY(SELECT account_id FROM bill_invoices WHERE coalesce(total_minor, 0) = 0))
"""
RELEASE_CHARGES = f"""
UPDATE charges c SET invoice_id = NULL FROM bill_invoices b JOIN bill_run_accounts r ON r.account_id = b.account_id
WHERE r.run_id = $1 AND {OF_CHUNK} AND r.state IN ('nothing', 'set_aside') AND c.invoice_id = b.invoice_id
"""
DROP_FINISHED_INVOICES = f"""
DELETE FROM bill_invoices b USING bill_run_accounts r
WHERE r.run_id = $1 AND {OF_CHUNK} AND r.account_id = b.account_id AND r.state IN ('nothing', 'set_aside')
"""
DROP_FINISHED_LINES = "DELETE FROM bill_lines WHERE invoice_id NOT IN (SELECT invoice_id FROM bill_invoices)"
BIND_CHARGES = """
UPDATE charges c SET invoice_id = b.invoice_id FROM bill_lines b WHERE c.id = b.charge_id AND c.invoice_id IS NULL
"""

APPLY_TAX = """
UPDATE bill_lines b SET tax_minor = n.tax_minor, tax_rate_bp = n.rate_bp
FROM unnest($1::int[], $2::bigint[], $3::int[]) AS n (line, tax_minor, rate_bp) WHERE b.line = n.line
"""
_TAX_SHARE = "l.tax_minor::numeric * (l.net_minor + n.amount)"
COMPUTE_LOWERED_TAX = (
    f"sign({_TAX_SHARE} * l.net_minor) * div(2 * abs({_TAX_SHARE}) + abs(l.net_minor), 2 * abs(l.net_minor))"
)
"""`compute_lowered_tax` of the domain, of a line `l` whose net is lowered by `n.amount`.

In whole numbers: a quotient of numerics is rounded to so many digits, and rounding it again may go the wrong way.
"""
LOWER_LINES = f"""
UPDATE bill_lines l SET net_minor = l.net_minor + n.amount, tax_minor = {COMPUTE_LOWERED_TAX}
FROM unnest($1::uuid[], $2::bigint[]) AS n (charge_id, amount) WHERE l.charge_id = n.charge_id
"""
LIST_SURPLUS_LINES = f"""
SELECT b.account_id, b.invoice_id, b.currency, l.charge_id, c.subscription_id, {SUPPLY}, c.cycle_from, c.cycle_to,
    l.net_minor, l.tax_minor
FROM bill_invoices b JOIN bill_lines l USING (invoice_id) JOIN charges c ON c.id = l.charge_id
WHERE b.total_minor < 0 ORDER BY b.legal_entity, b.account_id, l.line
"""
