"""Plans and their versions."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from services.invoicing.catalog.domain.plan_versions import PlanPrice, PlanVendorCost, PlanVersion
from services.invoicing.catalog.tables.plan_tables import PlanRow
from shared.persistence.database import Unit, split_into_columns
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


async def get_plan_row(unit: Unit, plan_id: UUID) -> PlanRow:
    """The plan. Raises NotFound."""
    row = await unit.session.get(PlanRow, plan_id)
    if row is None:
        raise NotFound(f"there is no plan {plan_id}")
    return row


async def list_plan_rows(unit: Unit, after: UUID | None, limit: int) -> Sequence[PlanRow]:
    """Plans in the order of their ids."""
    return await list_rows_after(unit, PlanRow, after, limit)


_VERSIONS = """
SELECT v.*, p.currency, p.unit_price_minor, p.setup_minor
FROM plan_versions v JOIN plan_prices p USING (plan_id, version)
WHERE v.plan_id = ANY($1::uuid[]) ORDER BY v.plan_id, v.version, p.currency
"""


async def map_plan_versions(unit: Unit, plan_ids: Iterable[UUID]) -> dict[UUID, list[PlanVersion]]:
    """All versions of these plans, each plan's in their order."""
    prices_by_plan: dict[UUID, dict[int, list[asyncpg.Record]]] = {id_: {} for id_ in plan_ids}
    for row in await unit.connection.fetch(_VERSIONS, list(prices_by_plan)):
        prices_by_plan[row["plan_id"]].setdefault(row["version"], []).append(row)
    return {id_: [_version(prices) for prices in numbered.values()] for id_, numbered in prices_by_plan.items()}


def _version(rows: Sequence[asyncpg.Record]) -> PlanVersion:
    head = rows[0]
    return PlanVersion(
        plan_id=head["plan_id"],
        number=head["version"],
        effective_from=head["effective_from"],
        term=head["term_months"],
        period=head["period_months"],
        in_advance=head["timing"] == "advance",
        credits_suspension=head["while_suspended"] == "credit",
        cancellation_days=head["cancellation_days"],
        usage_markup_bp=head["usage_markup_bp"],
        vendor=PlanVendorCost(
            head["vendor_unit_cost_minor"],
            head["vendor_currency"],
            head["vendor_period_months"],
            head["vendor_bills_while_suspended"],
        ),
        prices={row["currency"]: PlanPrice(row["unit_price_minor"], row["setup_minor"]) for row in rows},
    )


_ADD_VERSION = """
WITH version AS (
    INSERT INTO plan_versions (plan_id, version, effective_from, term_months, period_months, timing, while_suspended,
        usage_markup_bp, cancellation_days, vendor_unit_cost_minor, vendor_currency, vendor_period_months,
        vendor_bills_while_suspended, published_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    RETURNING plan_id, version
)
INSERT INTO plan_prices (plan_id, version, currency, unit_price_minor, setup_minor)
SELECT plan_id, version, currency, unit, setup
FROM version, unnest($15::text[], $16::bigint[], $17::bigint[]) AS price (currency, unit, setup)
"""


async def insert_plan_version(unit: Unit, version: PlanVersion) -> None:
    """Write a version with its prices."""
    prices = [(currency, price.unit, price.setup) for currency, price in version.prices.items()]
    await unit.connection.execute(
        _ADD_VERSION,
        version.plan_id,
        version.number,
        version.effective_from,
        version.term,
        version.period,
        "advance" if version.in_advance else "arrears",
        "credit" if version.credits_suspension else "bill",
        version.usage_markup_bp,
        version.cancellation_days,
        version.vendor.unit,
        version.vendor.currency,
        version.vendor.period,
        version.vendor.bills_while_suspended,
        unit.now,
        *split_into_columns(prices, 3),
    )
