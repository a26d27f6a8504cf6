"""Usage: each line once, by source and id. Lines come in by COPY, and all of them are judged and charged at once:
what a request or file has new of a meter of a subscription is one charge, and one line of an invoice.

No account is locked: nothing is published, and whoever bills meanwhile takes the charges that there are. So however
long a file takes, it holds nobody up.

The temporary tables are emptied when the unit ends, and stay with the connection: requests are many and small. For
the same reason no statistics are taken of them; the plans that files of many lines get without are as good.
"""

from collections.abc import Iterator

from services.invoicing.files import repository as files_repository
from services.invoicing.files.domain.broken_lines import MOST_REPORTED
from services.invoicing.files.repository import PATIENCE
from services.invoicing.usage.domain.usage_lines import (
    FlawedUsageLine,
    UsageFlaw,
    UsageLine,
    compute_usage_minor_factor,
)
from shared.persistence.database import Unit
from shared.persistence.local_midnights import write_local_date
from shared.pure.ids import new_id
from shared.pure.money import MAX_MINOR

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_usage (
    line_id uuid, line int, id text, subscription_id uuid, meter text, quantity numeric, unit_cost numeric,
    period_from date, period_to date
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_rated (
    line_id uuid, charge_id uuid, line int, id text, is_repeated boolean, account_id uuid, plan_id uuid, version int,
    currency text, today date, amount numeric
) ON COMMIT DELETE ROWS
"""
COMPUTE_USAGE_AMOUNT = "trunc(n.quantity * n.unit_cost * (10000 + v.usage_markup_bp) * $1::numeric)"
"""`compute_usage_amount` of the domain; $1 is `compute_usage_minor_factor`. Exact until it is truncated."""
_RATE = f"""
INSERT INTO incoming_rated
SELECT line_id, first_value(line_id) OVER (PARTITION BY subscription_id, meter ORDER BY line), line, n.id,
    row_number() OVER (PARTITION BY n.id ORDER BY line) > 1, t.account_id, t.plan_id, t.version, t.currency,
    {write_local_date("$2::timestamptz", "a.time_zone")},
    {COMPUTE_USAGE_AMOUNT}
FROM incoming_usage n
LEFT JOIN terms t USING (subscription_id)
LEFT JOIN plan_versions v USING (plan_id, version)
LEFT JOIN accounts a ON a.id = t.account_id
"""
_WRONG = f"""
SELECT line, id, wrong, CASE wrong WHEN '{UsageFlaw.UNKNOWN}' THEN subscription_id::text WHEN '{UsageFlaw.CURRENCY}'
    THEN currency ELSE id END AS found
FROM (
    SELECT r.line, r.id, r.currency, n.subscription_id, CASE
        WHEN r.account_id IS NULL THEN '{UsageFlaw.UNKNOWN}'
        WHEN r.currency <> $1 THEN '{UsageFlaw.CURRENCY}'
        WHEN r.is_repeated THEN '{UsageFlaw.TWICE}'
        WHEN $2 - sum(r.amount) OVER (PARTITION BY r.charge_id ORDER BY r.line) BETWEEN -r.amount AND -1
            THEN '{UsageFlaw.TOO_LARGE}'
    END AS wrong
    FROM incoming_rated r JOIN incoming_usage n USING (line_id)
) AS judged
WHERE wrong IS NOT NULL ORDER BY line LIMIT $3
"""
_ADD = """
WITH new AS (
    INSERT INTO usage_lines (source, id, account_id, subscription_id, meter, quantity, unit_cost, period_from,
        period_to, amount_minor, charge_id, received_at)
    SELECT $1, n.id, account_id, subscription_id, meter, quantity, unit_cost, period_from, period_to, amount,
        charge_id, $2
    FROM incoming_usage n JOIN incoming_rated USING (line_id) ORDER BY n.id
    ON CONFLICT (source, id) DO NOTHING
    RETURNING charge_id, subscription_id, period_from, period_to, amount_minor
), summed AS (
    SELECT charge_id, subscription_id, min(period_from) AS period_from, max(period_to) AS period_to,
        sum(amount_minor)::bigint AS amount
    FROM new GROUP BY charge_id, subscription_id
), charged AS (
    INSERT INTO charges (id, account_id, subscription_id, kind, reference, plan_id, version, cycle_from, cycle_to,
        period_from, period_to, quantity, unit_price_minor, amount_minor, currency, due_on, is_deferred, released_minor,
        settled_minor, lapsed_minor, created_at)
    SELECT s.charge_id, r.account_id, subscription_id, 'usage', NULL, plan_id, version, period_from, period_to,
        period_from, period_to, 1, s.amount, s.amount, currency, today, false, 0, 0, 0, $2
    FROM summed s JOIN incoming_rated r ON r.line_id = s.charge_id WHERE s.amount > 0
)
SELECT (SELECT count(*) FROM new), (SELECT count(*) FROM incoming_usage)
"""


async def stage_usage_lines(unit: Unit, lines: Iterator[UsageLine]) -> None:
    """Take lines into a temporary table; those of an account are charged in their order."""
    await unit.connection.execute(_TEMPORARY)
    columns = ("line_id", *UsageLine._fields)
    rows = ((new_id(), *line) for line in lines)
    await files_repository.copy_into_temporary_table(unit, "incoming_usage", columns, rows)


async def rate_staged_usage(unit: Unit, currency: str) -> list[FlawedUsageLine]:
    """Rate each of the lines that came in; the first of those that cannot be taken."""
    await unit.connection.execute(_RATE, compute_usage_minor_factor(currency), unit.now, timeout=PATIENCE)
    rows = await unit.connection.fetch(_WRONG, currency, MAX_MINOR, MOST_REPORTED, timeout=PATIENCE)
    return [FlawedUsageLine(*row) for row in rows]


async def insert_rated_usage_lines(unit: Unit, source: str) -> tuple[int, int]:
    """Write the lines that are new, and their charges, due today; how many they are, and how many came in."""
    row = await unit.connection.fetchrow(_ADD, source, unit.now, timeout=PATIENCE)
    return row[0], row[1]
