"""Usage: each line once, by source and id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg

from shared.database import Unit, columns
from shared.ids import new_id

_TERMS = """
SELECT t.subscription_id, t.account_id, t.plan_id, t.version, t.currency, t.ended_on, v.usage_markup_bp,
    ($2::timestamptz AT TIME ZONE a.time_zone)::date AS today
FROM terms t JOIN plan_versions v USING (plan_id, version) JOIN accounts a ON a.id = t.account_id
WHERE t.subscription_id = ANY($1::uuid[])
"""


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Rated usage of a subscription over days, its end exclusive; the cost of a unit is in the account's currency."""

    id: str
    subscription_id: UUID
    meter: str
    quantity: Decimal
    unit_cost: Decimal
    period_from: date
    period_to: date


async def terms(unit: Unit, subscription_ids: Iterable[UUID]) -> dict[UUID, asyncpg.Record]:
    """Whose these subscriptions are, with what mark-up, and which day it is there."""
    rows = await unit.connection.fetch(_TERMS, list(subscription_ids), unit.now)
    return {row["subscription_id"]: row for row in rows}


_ADD = """
WITH new AS (
    INSERT INTO usage_lines (source, id, account_id, subscription_id, meter, quantity, unit_cost, period_from,
        period_to, charge_id, received_at)
    SELECT $1, id, account_id, subscription_id, meter, quantity, unit_cost, period_from, period_to, charge_id, $2
    FROM unnest($3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::numeric[], $8::numeric[], $9::date[], $10::date[],
        $11::uuid[])
        AS n (id, account_id, subscription_id, meter, quantity, unit_cost, period_from, period_to, charge_id)
    ON CONFLICT (source, id) DO NOTHING
    RETURNING id, account_id, subscription_id, period_from, period_to, charge_id
), charged AS (
    INSERT INTO charges (id, account_id, subscription_id, kind, reference, plan_id, version, cycle_from, cycle_to,
        period_from, period_to, quantity, unit_price_minor, amount_minor, currency, due_on, is_deferred, released_minor,
        settled_minor, created_at)
    SELECT new.charge_id, account_id, subscription_id, 'usage', NULL, plan_id, version, period_from, period_to,
        period_from, period_to, 1, amount, amount, currency, today, false, 0, 0, $2
    FROM new JOIN unnest($3::text[], $12::uuid[], $13::int[], $14::bigint[], $15::text[], $16::date[])
        AS c (id, plan_id, version, amount, currency, today) USING (id)
    WHERE amount > 0
)
SELECT count(*) FROM new
"""


async def add(unit: Unit, source: str, lines: Sequence[tuple[UsageLine, asyncpg.Record, int]]) -> int:
    """Write the lines that are new, each with its charge (line, term, minor units); how many they are."""
    rows = [
        (
            line.id,
            term["account_id"],
            line.subscription_id,
            line.meter,
            line.quantity,
            line.unit_cost,
            line.period_from,
            line.period_to,
            new_id(),
            term["plan_id"],
            term["version"],
            amount,
            term["currency"],
            term["today"],
        )
        for line, term, amount in lines
    ]
    return int(await unit.connection.fetchval(_ADD, source, unit.now, *columns(rows, 14)))
