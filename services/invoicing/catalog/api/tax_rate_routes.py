"""Tax rates over REST."""

from datetime import date
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field

from services.invoicing.accounts.repository.legal_entity_queries import UnknownLegalEntity
from services.invoicing.catalog.repository import tax_rate_queries
from services.invoicing.catalog.use_cases import tax_rate_changes
from services.invoicing.catalog.use_cases.tax_rate_changes import NewTaxRate
from services.invoicing.settings.api import (
    CHANGE_PROPOSED,
    SettingChangeOut,
    get_setting_status_code,
    list_pending_setting_changes,
)
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.use_cases import is_setting_change_applied
from shared.persistence.database import Unit
from shared.pure.fields import Code, Country, Day, Prose, RequestBody, get_model_example, set_model_example
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(prefix="/v1/tax-rates", tags=["tax rates"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/tax-rates", tags=["tax rates"], dependencies=[needs("invoicing:settings")], responses=PROBLEMS
)


class TaxRateIn(RequestBody):
    """The tax on a class of goods for customers of a country, from a date on."""

    model_config = set_model_example(
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

    model_config = set_model_example(
        legal_entity="GS-DE", country="DE", tax_class="standard", valid_from="2026-01-01", rate_bp=1900
    )

    legal_entity: str
    country: str
    tax_class: str
    valid_from: date
    rate_bp: int


class TaxRatesOut(BaseModel):
    """All tax rates, and what is proposed that they shall be."""

    model_config = set_model_example(items=[get_model_example(TaxRateOut)], next=None, proposed=[])

    items: list[TaxRateOut]
    next: None = None
    proposed: list[SettingChangeOut]


@writes.post(
    "",
    status_code=201,
    response_model=TaxRateOut,
    summary="Set a tax rate",
    responses={**CHANGE_PROPOSED, **refusals(UnknownLegalEntity, ChangeAlreadyProposed)},
)
async def set_tax_rate(rate: TaxRateIn, command: Annotated[CommandRunner, perform_command("tax_rate.set")]) -> Response:
    """Set the rate of a class and country from a date on; invoices that were issued keep theirs.

    It needs a second person (202) once the legal entity has issued an invoice, if that requires one.
    """

    async def set_or_propose_rate(unit: Unit) -> TaxRateOut | SettingChangeOut:
        fields = rate.model_dump(exclude={"reason"})
        row = await tax_rate_changes.change_tax_rate(unit, command.caller, NewTaxRate(**fields), rate.reason)
        return TaxRateOut(**fields) if is_setting_change_applied(row) else SettingChangeOut.from_setting_change_row(row)

    return await command.run(
        set_or_propose_rate, status=lambda answer: get_setting_status_code(answer, 201), reason=rate.reason
    )


@reads.get("", summary="All tax rates")
async def list_tax_rates(read: Read) -> TaxRatesOut:
    """Every rate, by legal entity, country, class and date."""

    async def load_tax_rates(unit: Unit) -> TaxRatesOut:
        rates = [TaxRateOut(**row) for row in await tax_rate_queries.list_tax_rate_records(unit)]
        return TaxRatesOut(items=rates, proposed=await list_pending_setting_changes(unit, SettingKind.TAX_RATE))

    return await read(load_tax_rates)
