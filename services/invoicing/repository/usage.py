"""Usage: each line once, by source and id. Lines come in by COPY, and all of them are judged and charged at once.

The temporary tables are emptied when the unit ends, and stay with the connection: requests are many and small. For
the same reason no statistics are taken of them; the plans that files of many lines get without are as good.
"""

from collections.abc import Iterator

from services.invoicing.domain.files.broken import MOST_REPORTED
from services.invoicing.domain.usage import UsageLine, Wrong, WrongLine, minor_units
from services.invoicing.repository import files
from services.invoicing.repository.files import PATIENCE
from shared.database import Unit
from shared.ids import new_id
from shared.money import MAX_MINOR

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_usage (
    charge_id uuid, line int, id text, subscription_id uuid, meter text, quantity numeric, unit_cost numeric,
    period_from date, period_to date
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_rated (
    charge_id uuid, line int, id text, is_repeated boolean, account_id uuid, plan_id uuid, version int, currency text,
    today date, amount numeric
) ON COMMIT DELETE ROWS
"""
_LOCK = """
SELECT count(*) FROM (
    SELECT FROM streams WHERE subject IN (
        SELECT DISTINCT t.account_id::text FROM incoming_usage JOIN terms t USING (subscription_id)
    ) ORDER BY subject FOR NO KEY UPDATE
) AS locked
"""
# The amount is the rule of `domain/usage.py`, whose `minor_units` is $1: exact until it is truncated, as numeric is.
_RATE = """
INSERT INTO incoming_rated
SELECT charge_id, line, n.id, row_number() OVER (PARTITION BY n.id ORDER BY line) > 1, t.account_id, t.plan_id,
    t.version, t.currency, ($2::timestamptz AT TIME ZONE a.time_zone)::date,
    trunc(n.quantity * n.unit_cost * (10000 + v.usage_markup_bp) * $1::numeric)
FROM incoming_usage n
LEFT JOIN terms t USING (subscription_id)
LEFT JOIN plan_versions v USING (plan_id, version)
LEFT JOIN accounts a ON a.id = t.account_id
"""
_WRONG = f"""
SELECT line, id, wrong, CASE wrong WHEN '{Wrong.UNKNOWN}' THEN subscription_id::text WHEN '{Wrong.CURRENCY}'
    THEN currency ELSE id END AS found
FROM (
    SELECT r.line, r.id, r.currency, n.subscription_id, CASE
        WHEN r.account_id IS NULL THEN '{Wrong.UNKNOWN}'
        WHEN r.currency <> $1 THEN '{Wrong.CURRENCY}'
        WHEN r.is_repeated THEN '{Wrong.TWICE}'
        WHEN r.amount > $2 THEN '{Wrong.TOO_LARGE}'
    END AS wrong
    FROM incoming_rated r JOIN incoming_usage n USING (charge_id)
) AS judged
WHERE wrong IS NOT NULL ORDER BY line LIMIT $3
"""
_ADD = """
WITH new AS (
    INSERT INTO usage_lines (source, id, account_id, subscription_id, meter, quantity, unit_cost, period_from,
        period_to, charge_id, received_at)
    SELECT $1, n.id, account_id, subscription_id, meter, quantity, unit_cost, period_from, period_to, charge_id, $2
    FROM incoming_usage n JOIN incoming_rated USING (charge_id) ORDER BY n.id
    ON CONFLICT (source, id) DO NOTHING
    RETURNING charge_id, account_id, subscription_id, period_from, period_to
), charged AS (
    INSERT INTO charges (id, account_id, subscription_id, kind, reference, plan_id, version, cycle_from, cycle_to,
        period_from, period_to, quantity, unit_price_minor, amount_minor, currency, due_on, is_deferred, released_minor,
        created_at)
    SELECT charge_id, new.account_id, subscription_id, 'usage', NULL, plan_id, version, period_from, period_to,
        period_from, period_to, 1, amount, amount, currency, today, false, 0, $2
    FROM new JOIN incoming_rated USING (charge_id) WHERE amount > 0
)
SELECT (SELECT count(*) FROM new), (SELECT count(*) FROM incoming_usage)
"""


async def bring_in(unit: Unit, lines: Iterator[UsageLine]) -> None:
    """Take lines into a temporary table; those of an account are charged in their order."""
    await unit.connection.execute(_TEMPORARY)
    await files.copy_in(unit, "incoming_usage", ((new_id(), *line) for line in lines))


async def rate(unit: Unit, currency: str) -> list[WrongLine]:
    """Lock the accounts of the lines that came in, and rate each; the first of those that cannot be taken."""
    await unit.connection.execute(_LOCK, timeout=PATIENCE)
    await unit.connection.execute(_RATE, minor_units(currency), unit.now, timeout=PATIENCE)
    rows = await unit.connection.fetch(_WRONG, currency, MAX_MINOR, MOST_REPORTED, timeout=PATIENCE)
    return [WrongLine(*row) for row in rows]


async def add(unit: Unit, source: str) -> tuple[int, int]:
    """Write the lines that are new, each with its charge, due today; how many they are, and how many came in."""
    row = await unit.connection.fetchrow(_ADD, source, unit.now, timeout=PATIENCE)
    return row[0], row[1]
