"""Tax rates over REST."""

from datetime import date
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field

from services.invoicing import use_cases
from services.invoicing.repository import tax
from services.invoicing.repository.legal_entities import UnknownLegalEntity
from services.invoicing.use_cases.tax_rates import NewTaxRate
from shared.auth import needs
from shared.commands import CommandRunner, perform_command
from shared.database import Unit
from shared.fields import Body, Code, Country, Day, Prose, example
from shared.http import PROBLEMS, Page, Read, Router, refusals

reads = Router(prefix="/v1/tax-rates", tags=["tax rates"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/tax-rates", tags=["tax rates"], dependencies=[needs("invoicing:settings")], responses=PROBLEMS
)


class TaxRateIn(Body):
    """The tax on a class of goods for customers of a country, from a date on."""

    model_config = example(
        legal_entity="GS-DE",
        country="DE",
        tax_class="standard",
        valid_from="2026-01-01",
        rate_bp=1900,
        reason="the rate of 2026",
    )

    legal_entity: Code
    country: Country
    tax_class: Code
    valid_from: Day
    rate_bp: int = Field(ge=0, le=10_000, strict=True, description="basis points: 1900 is 19 %")
    reason: Prose


class TaxRateOut(BaseModel):
    """A tax rate."""

    model_config = example(
        legal_entity="GS-DE", country="DE", tax_class="standard", valid_from="2026-01-01", rate_bp=1900
    )

    legal_entity: str
    country: str
    tax_class: str
    valid_from: date
    rate_bp: int


@writes.post(
    "",
    status_code=201,
    response_model=TaxRateOut,
    summary="Set a tax rate",
    responses=refusals(UnknownLegalEntity),
)
async def set_tax_rate(rate: TaxRateIn, command: Annotated[CommandRunner, perform_command("tax_rate.set")]) -> Response:
    """Set the rate of a class and country from a date on; invoices that were issued keep theirs."""

    async def act(unit: Unit) -> TaxRateOut:
        fields = rate.model_dump(exclude={"reason"})
        await use_cases.tax_rates.set_rate(unit, NewTaxRate(**fields))
        return TaxRateOut(**fields)

    return await command.run(act, reason=rate.reason)


@reads.get("", summary="All tax rates")
async def list_tax_rates(read: Read) -> Page[TaxRateOut]:
    """Every rate, by legal entity, country, class and date."""
    return Page(items=[TaxRateOut(**row) for row in await read(tax.rates)], next=None)
