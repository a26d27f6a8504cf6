"""Charges of customers for what the vendor bills beyond what they were billed."""

from datetime import date
from uuid import UUID

import asyncpg

from services.invoicing.subscriptions.repository.charge_rests import COMPUTE_UNBILLED_MINOR
from services.invoicing.vendor_costs.tables import VendorDifferenceRow
from shared.persistence.database import Unit
from shared.persistence.local_midnights import write_local_date
from shared.pure.ids import new_id
from shared.pure.money import Money

_FIND_TERM = f"""
SELECT t.currency, {write_local_date("$2::timestamptz", "a.time_zone")} AS today
FROM terms t JOIN accounts a ON a.id = t.account_id WHERE t.subscription_id = $1
"""


async def find_subscription_term(unit: Unit, subscription_id: UUID) -> asyncpg.Record | None:
    """Find the currency in which a subscription of a plan is billed, and the account's local date."""
    return await unit.connection.fetchrow(_FIND_TERM, subscription_id, unit.now)


_UNBILLED = f"""
SELECT coalesce(sum({COMPUTE_UNBILLED_MINOR.format("")}), 0)::bigint FROM charges c
WHERE subscription_id = $1 AND kind = 'vendor_difference' AND period_from < $3 AND period_to > $2
    AND NOT EXISTS (SELECT FROM invoice_lines l WHERE l.invoice_id = c.invoice_id AND l.charge_id = c.id)
"""


async def sum_unbilled_difference_charges(unit: Unit, row: VendorDifferenceRow) -> int:
    """Sum what is charged for other differences of the subscription and period, and not billed yet; minor units."""
    amount: int = await unit.connection.fetchval(_UNBILLED, row.subscription_id, row.period_from, row.period_to)
    return amount


_INSERT = """
INSERT INTO charges (id, account_id, subscription_id, kind, reference, plan_id, version, cycle_from, cycle_to,
    period_from, period_to, quantity, unit_price_minor, amount_minor, currency, due_on, is_deferred, released_minor,
    settled_minor, lapsed_minor, created_at)
SELECT $1, account_id, subscription_id, 'vendor_difference', $2, plan_id, version, $4, $5, $4, $5, 1, $6, $6, currency,
    $7, false, 0, 0, 0, $8
FROM terms WHERE subscription_id = $3
"""


async def insert_difference_charge(unit: Unit, row: VendorDifferenceRow, amount: Money, today: date) -> None:
    """Insert the charge of a difference, which the next run bills; its account is locked."""
    period = (row.period_from, row.period_to)
    arguments = (new_id(), row.id, row.subscription_id, *period, amount.minor, today, unit.now)
    await unit.connection.execute(_INSERT, *arguments)
