"""Exposure: each part by currency, and beside it all of them in one, as far as there are rates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries
from services.invoicing.exposure import domain as exposure_domain
from services.invoicing.exposure.domain import ConvertedExposureTotal, CurrencyConversion
from services.invoicing.exposure.repository import exchange_rate_queries, exposure_queries
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date

AMOUNTS = {
    "owed_to_us": ("open_minor", "overdue_minor", "disputed_minor"),
    "billed": ("billed_minor",),
    "vendor_accrued": ("accrued_minor",),
    "vendor_invoices": ("total_minor",),
    "vendor_contested": ("contested_minor",),
    "vendor_committed": ("committed_minor", "stopped_by_suspension_minor"),
}
"""The amounts of each part."""
Parts = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ExposureInOneCurrency:
    """The parts in one currency; why a currency is in none of them; what was billed less what the vendor accrued."""

    currency: str
    on: date
    parts: Mapping[str, ConvertedExposureTotal]
    margin_minor: int | None
    conversions: Mapping[str, CurrencyConversion]
    not_converted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReceivablesExposure:
    """The parts by currency, and in one if that was asked for."""

    parts: Parts
    converted: ExposureInOneCurrency | None


async def compute_account_exposure(unit: Unit, account_id: UUID | None, currency: str | None) -> ReceivablesExposure:
    """Compute the exposure of an account, or of all. Raises NotFound.

    Rates are those of the business day: in the account's time zone, or in UTC for all.
    """
    account = None if account_id is None else await account_queries.get_account(unit, account_id)
    parts = await exposure_queries.sum_exposure_parts(unit, account_id)
    if currency is None:
        return ReceivablesExposure(parts, None)
    on = get_local_date(unit.now, ZoneInfo(account.time_zone if account else "UTC"))
    return ReceivablesExposure(parts, await _convert_exposure(unit, parts, currency, on))


async def _convert_exposure(unit: Unit, parts: Parts, target: str, on: date) -> ExposureInOneCurrency:
    wanted = sorted({row["currency"] for rows in parts.values() for row in rows})
    rates = await exchange_rate_queries.list_exchange_rates_of(unit, {*wanted, target}, on, on - exposure_domain.OLDEST)
    conversions = {
        currency: exposure_domain.find_newest_currency_conversion(rates, currency, target, on) for currency in wanted
    }
    usable = {
        name: conversion
        for name, conversion in conversions.items()
        if conversion is not None and exposure_domain.is_exchange_rate_fresh(conversion, on)
    }
    totals = {name: _total(name, rows, usable) for name, rows in parts.items()}
    return ExposureInOneCurrency(
        target,
        on,
        totals,
        exposure_domain.subtract_exposure_totals(totals["billed"], totals["vendor_accrued"]),
        usable,
        await _why_not(unit, [currency for currency in wanted if currency not in usable], target, on),
    )


async def _why_not(unit: Unit, currencies: Iterable[str], target: str, on: date) -> dict[str, str]:
    """Why they are not converted: for these alone old rates are looked for."""
    wanted = list(currencies)
    older = await exchange_rate_queries.list_exchange_rates_of(unit, {*wanted, target}, on, None) if wanted else []
    return {
        currency: exposure_domain.explain_missing_exchange_rate(
            exposure_domain.find_newest_currency_conversion(older, currency, target, on), on
        )
        for currency in wanted
    }


def _total(
    name: str, rows: list[dict[str, Any]], conversions: Mapping[str, CurrencyConversion]
) -> ConvertedExposureTotal:
    amounts = AMOUNTS[name]
    return exposure_domain.convert_exposure_total(
        ((row["currency"], [row[amount] for amount in amounts]) for row in rows), len(amounts), conversions
    )
