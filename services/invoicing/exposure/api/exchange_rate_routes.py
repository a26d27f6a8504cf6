"""Exchange rates over REST: what a source says for a date."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

import asyncpg
from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from services.invoicing.exposure.repository import exchange_rate_queries
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Page, Paging, Read, Router

PREFIX, TAGS = "/v1/exchange-rates", ["exposure"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:admin")], responses=PROBLEMS)


def _above_zero(text: str) -> str:
    if not Decimal(text):
        raise ValueError("a rate is above zero")
    return text


RateText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$"), AfterValidator(_above_zero)]
"""A decimal number above zero as text, so that nobody's float rounds it."""


class RateIn(RequestBody):
    """So many units of `quote` are one unit of the base."""

    model_config = set_model_example(quote="USD", rate="1.0843")

    quote: Currency
    rate: RateText = Field(examples=["1.0843"])


class ExchangeRatesIn(RequestBody):
    """Rates of a source for a date, of one base."""

    model_config = set_model_example(source="ecb", date="2026-03-02", base="EUR", rates=[get_model_example(RateIn)])

    source: Code
    day: Day = Field(alias="date")
    base: Currency
    rates: list[RateIn] = Field(min_length=1, max_length=400)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        quotes = [rate.quote for rate in self.rates]
        if len(set(quotes)) < len(quotes):
            raise ValueError("a quote is there twice")
        if self.base in quotes:
            raise ValueError("a quote is the base itself")
        return self


class StoredExchangeRatesOut(BaseModel):
    """How many rates are new, took the place of another one, and were there already."""

    model_config = set_model_example(new=30, replaced=1, unchanged=0)

    new: int
    replaced: int
    unchanged: int


class ExchangeRateOut(BaseModel):
    """So many units of `quote` are one unit of `base`, says the source for the date; who said so, and when."""

    model_config = set_model_example(
        id="01a20d60-3f11-7c2d-9d8e-2b5c4f6a7b81",
        source="ecb",
        date="2026-03-02",
        base="EUR",
        quote="USD",
        rate="1.0843",
        set_by="treasury",
        set_at="2026-03-02T15:05:00Z",
    )

    id: UUID
    source: str
    date: date
    base: str
    quote: str
    rate: str
    set_by: str
    set_at: datetime

    @classmethod
    def from_exchange_rate_record(cls, row: asyncpg.Record) -> Self:
        """The answer for a row."""
        return cls.model_validate(dict(row) | {"rate": f"{row['rate']:f}"})


@reads.get("", summary="List exchange rates")
async def list_exchange_rates(
    read: Read,
    paging: Paging,
    day: Annotated[Day | None, Query(alias="date")] = None,
    base: Currency | None = None,
) -> Page[ExchangeRateOut]:
    """List rates of a date and a base, or all, in the order in which they came in first."""

    async def load_exchange_rates(unit: Unit) -> list[ExchangeRateOut]:
        rows = await exchange_rate_queries.list_exchange_rate_records(
            unit, day, base, paging.get_last_id(), paging.limit + 1
        )
        return [ExchangeRateOut.from_exchange_rate_record(row) for row in rows]

    return paging.page(await read(load_exchange_rates), lambda exchange_rate: exchange_rate.id)


@writes.put("", summary="Say what currencies are worth")
async def put_exchange_rates(
    wanted: ExchangeRatesIn, command: Annotated[ChangeRunner, perform_change("exchange_rate.set")]
) -> StoredExchangeRatesOut:
    """Set the rates that a source gives for a date. Rates that are known change nothing; others take their place.

    Exposure is converted by them (`?in=`), and nothing else: what is billed and booked stays in its own currency.
    """
    rates = {rate.quote: Decimal(rate.rate) for rate in wanted.rates}

    async def put_rates_of_source(unit: Unit) -> StoredExchangeRatesOut:
        actor, source, day, base = command.caller.subject, wanted.source, wanted.day, wanted.base
        name = f"{source}/{day}/{base}"
        await unit.lock_subjects(f"exchange rates {name}")
        former = await exchange_rate_queries.map_exchange_rates(unit, source, day, base, rates)
        new, replaced = await exchange_rate_queries.save_exchange_rates(unit, source, day, base, rates, actor)
        if new or replaced:
            unit.record(AuditedChange("exchange_rates", name, None, {"rates": former}, {"rates": former | rates}))
        else:
            unit.record_nothing()
        return StoredExchangeRatesOut(new=new, replaced=replaced, unchanged=len(rates) - new - replaced)

    return await command.run(put_rates_of_source)
