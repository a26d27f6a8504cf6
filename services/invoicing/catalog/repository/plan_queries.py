"""Plans and their versions."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.invoicing.catalog.domain.plan_versions import PlanPrice, PlanVendorCost, PlanVersion
from services.invoicing.catalog.tables.plan_tables import PlanRow
from shared.persistence.bulk_rows import Integer, RowParameters
from shared.persistence.database import Unit
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


class NewPlanVersion(NamedTuple):
    """A row of `plan_versions`."""

    plan_id: UUID
    version: Integer
    effective_from: date
    term_months: Integer
    period_months: Integer
    timing: str
    while_suspended: str
    usage_markup_bp: Integer
    cancellation_days: Integer
    vendor_unit_cost_minor: int
    vendor_currency: str
    vendor_period_months: Integer
    vendor_bills_while_suspended: bool
    published_at: datetime


class NewPlanPrice(NamedTuple):
    """Price of a plan's version in a currency, in minor units."""

    currency: str
    unit_price_minor: int
    setup_minor: int


_VERSION = RowParameters(NewPlanVersion)
_PRICES = RowParameters(NewPlanPrice, first=_VERSION.next)
_ADD_VERSION = f"""
WITH version AS (
    INSERT INTO plan_versions ({_VERSION.columns}) VALUES ({_VERSION.values}) RETURNING plan_id, version
)
INSERT INTO plan_prices (plan_id, version, {_PRICES.columns})
SELECT plan_id, version, {_PRICES.columns} FROM version, unnest({_PRICES.typed_arrays}) AS price ({_PRICES.columns})
"""


async def insert_plan_version(unit: Unit, version: PlanVersion) -> None:
    """Write a version with its prices."""
    row = NewPlanVersion(
        plan_id=version.plan_id,
        version=version.number,
        effective_from=version.effective_from,
        term_months=version.term,
        period_months=version.period,
        timing="advance" if version.in_advance else "arrears",
        while_suspended="credit" if version.credits_suspension else "bill",
        usage_markup_bp=version.usage_markup_bp,
        cancellation_days=version.cancellation_days,
        vendor_unit_cost_minor=version.vendor.unit,
        vendor_currency=version.vendor.currency,
        vendor_period_months=version.vendor.period,
        vendor_bills_while_suspended=version.vendor.bills_while_suspended,
        published_at=unit.now,
    )
    prices = [NewPlanPrice(currency, price.unit, price.setup) for currency, price in version.prices.items()]
    await unit.connection.execute(_ADD_VERSION, *row, *_PRICES.split_columns(prices))
