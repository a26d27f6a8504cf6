"""Terms that have ended and vendor's cycles that have begun, many at once."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.invoicing.subscriptions.repository.term_queries import VENDOR_POSTING
from shared.persistence.database import Unit
from shared.persistence.local_midnights import write_local_date, write_local_midnight

_TODAY = write_local_date("$2::timestamptz", "a.time_zone")
_IN_FORCE = """
(SELECT v.version FROM plan_versions v JOIN plan_prices p USING (plan_id, version)
WHERE v.plan_id = t.plan_id AND p.currency = t.currency AND v.effective_from <= t.term_end
ORDER BY v.effective_from DESC LIMIT 1)
"""
_SCHEDULED = (
    "EXISTS (SELECT FROM subscription_changes c WHERE c.subscription_id = t.subscription_id AND state = 'scheduled')"
)
_ENDED = f"t.account_id = ANY($1::uuid[]) AND a.id = t.account_id AND t.ended_on IS NULL AND t.term_end <= {_TODAY}"

_BEGUN = f"""
t.account_id = ANY($1::uuid[]) AND a.id = t.account_id
    AND t.vendor_next_from <= {_TODAY} AND t.vendor_next_from < t.term_end
"""
_IS_DUE = f"SELECT EXISTS (SELECT FROM terms t, accounts a WHERE ({_ENDED}) OR ({_BEGUN}))"


async def is_subscription_renewal_due(unit: Unit, account_ids: Sequence[UUID]) -> bool:
    """Whether a term of these accounts has ended, or a vendor's cycle has begun: asked once where it mostly is not."""
    due: bool = await unit.connection.fetchval(_IS_DUE, account_ids, unit.now)
    return due


_RENEW = f"""
UPDATE terms t SET term_start = t.term_end, term_end = cycle_after(t.term_end, t.term_months, t.anchor, t.from_end)
FROM accounts a WHERE {_ENDED} AND NOT {_SCHEDULED} AND t.version = {_IN_FORCE}
RETURNING t.account_id, t.subscription_id, t.plan_id, t.version AS plan_version, t.quantity, t.unit_price_minor,
    t.currency, t.term_start, t.term_end
"""
_TO_RENEW = (
    f"SELECT t.subscription_id FROM terms t, accounts a WHERE {_ENDED} AND ({_SCHEDULED} OR t.version <> {_IN_FORCE})"
)


async def renew_unchanged_terms(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Renew the terms that have ended and go on as they were; the new terms by subscription, as events say them."""
    rows = await unit.connection.fetch(_RENEW, account_ids, unit.now)
    return sorted(rows, key=lambda row: row["subscription_id"])


async def list_terms_to_renew(unit: Unit, account_ids: Sequence[UUID]) -> list[UUID]:
    """The subscriptions whose term has ended and that do not go on as they were."""
    return [row["subscription_id"] for row in await unit.connection.fetch(_TO_RENEW, account_ids, unit.now)]


_ACCRUE = f"""
WITH due AS (
    SELECT t.*, cycle_after(t.vendor_next_to, t.vendor_period_months, t.anchor, t.from_end) AS after
    FROM terms t, accounts a WHERE {_BEGUN} AND t.changed_on <= t.vendor_next_from
), moved AS (
    UPDATE terms t SET vendor_next_from = due.vendor_next_to, vendor_next_to = due.after
    FROM due WHERE t.subscription_id = due.subscription_id
    RETURNING t.subscription_id
), charged AS (
    INSERT INTO vendor_charges (id, account_id, subscription_id, kind, reference, plan_id, version, cycle_from,
        period_from, period_to, cycle_days, quantity, unit_cost_minor, amount_minor, currency, charged_on, accrued_at)
    SELECT gen_random_uuid(), due.account_id, subscription_id,
        CASE WHEN vendor_next_from = s.start THEN 'new' WHEN vendor_next_from = term_start THEN 'renew'
            ELSE 'cycleCharge' END,
        gen_random_uuid(), plan_id, version, vendor_next_from, vendor_next_from, vendor_next_to,
        vendor_next_to - vendor_next_from, due.quantity, vendor_unit_cost_minor, vendor_unit_cost_minor * due.quantity,
        vendor_currency, vendor_next_from, $2
    FROM due JOIN subscriptions s ON s.id = due.subscription_id WHERE vendor_is_billed
    RETURNING *
), posted AS ({VENDOR_POSTING})
SELECT count(*) FROM moved
"""
_TO_ACCRUE = f"SELECT t.subscription_id, {_TODAY} AS today FROM terms t, accounts a WHERE {_BEGUN}"


async def accrue_whole_vendor_cycles(unit: Unit, account_ids: Sequence[UUID]) -> int:
    """Accrue one vendor's cycle of each term in which nothing changed, where one has begun; how many they are."""
    moved: int = await unit.connection.fetchval(_ACCRUE, account_ids, unit.now)
    return moved


async def list_terms_to_accrue(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, date]:
    """The subscriptions of which the vendor charges a cycle in which something changed, and their local date."""
    rows = await unit.connection.fetch(_TO_ACCRUE, account_ids, unit.now)
    return {row["subscription_id"]: row["today"] for row in rows}


_WAKE = f"""
UPDATE terms t SET wake_at = CASE WHEN t.ended_on IS NULL
    THEN {write_local_midnight("least(t.term_end, t.vendor_next_from)", "a.time_zone")} END
FROM accounts a WHERE t.account_id = ANY($1::uuid[]) AND a.id = t.account_id
    AND (t.wake_at <= $2 OR t.wake_at IS NULL AND t.ended_on IS NULL)
"""


async def schedule_next_term_check(unit: Unit, account_ids: Sequence[UUID]) -> None:
    """Note when these terms are to be looked at again: when they end, or the vendor's next cycle begins."""
    await unit.connection.execute(_WAKE, account_ids, unit.now)
