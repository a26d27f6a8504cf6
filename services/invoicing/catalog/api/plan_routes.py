"""Plans over REST: what is sold, at which price, and what the vendor bills for it."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.catalog.domain.plan_versions import PlanPrice, PlanVendorCost, PlanVersion, PlanVersionRefused
from services.invoicing.catalog.repository import plan_queries
from services.invoicing.catalog.repository.tax_rate_queries import STANDARD_CLASS, UnknownTaxClass
from services.invoicing.catalog.tables.plan_tables import PlanRow
from services.invoicing.catalog.use_cases import plan_publishing
from services.invoicing.catalog.use_cases.plan_publishing import NewPlan
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Name, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency, Minor
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/plans", tags=["plans"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/plans", tags=["plans"], dependencies=[needs("invoicing:settings")], responses=PROBLEMS)
NOBODY = UUID(int=0)
"""The plan of a version that has not been given to one."""


class PriceIn(RequestBody):
    """In minor units: for one unit and period, and once when a subscription begins."""

    unit_price_minor: Minor = Field(examples=[1008])
    setup_minor: Minor = 0


class VendorIn(RequestBody):
    """The vendor's price for one unit and each of its own periods, whatever the customer does."""

    unit_cost_minor: Minor = Field(examples=[820])
    currency: Currency
    period_months: Literal[1, 12, 36] = 1
    bills_while_suspended: bool = True


class VersionIn(RequestBody):
    """A version of a plan from a date on, for terms that begin then; running terms keep what they have."""

    model_config = set_model_example(
        effective_from="2026-04-01",
        term_months=12,
        period_months=1,
        timing="advance",
        prices={"EUR": {"unit_price_minor": 1008, "setup_minor": 0}},
        vendor={"unit_cost_minor": 820, "currency": "USD", "period_months": 1, "bills_while_suspended": True},
        while_suspended="bill",
        cancellation_days=7,
        usage_markup_bp=1500,
    )

    effective_from: Day
    term_months: Literal[1, 12, 36]
    period_months: Literal[1, 12] = 1
    timing: Literal["advance", "arrears"] = "advance"
    prices: dict[Currency, PriceIn] = Field(min_length=1, max_length=50)
    vendor: VendorIn
    while_suspended: Literal["bill", "credit"] = Field(
        default="bill", description="what suspended days cost the customer: as ever, or nothing"
    )
    cancellation_days: int = Field(default=7, ge=0, le=365, strict=True, description="from purchase or renewal")
    usage_markup_bp: int = Field(default=0, ge=0, le=100_000, strict=True, description="basis points on rated usage")

    def build_plan_version(self) -> PlanVersion:
        """The version, of no plan yet."""
        return PlanVersion(
            plan_id=NOBODY,
            number=1,
            effective_from=self.effective_from,
            term=self.term_months,
            period=self.period_months,
            in_advance=self.timing == "advance",
            credits_suspension=self.while_suspended == "credit",
            cancellation_days=self.cancellation_days,
            usage_markup_bp=self.usage_markup_bp,
            vendor=PlanVendorCost(
                self.vendor.unit_cost_minor,
                self.vendor.currency,
                self.vendor.period_months,
                self.vendor.bills_while_suspended,
            ),
            prices={code: PlanPrice(price.unit_price_minor, price.setup_minor) for code, price in self.prices.items()},
        )


class PlanIn(RequestBody):
    """A plan with its first version."""

    model_config = set_model_example(
        code="business-premium", name="Business Premium", tax_class="standard", version=get_model_example(VersionIn)
    )

    code: Code
    name: Name
    tax_class: Code = STANDARD_CLASS
    version: VersionIn


class VendorOut(BaseModel):
    """The vendor's price for one unit and each of its own periods."""

    unit_cost_minor: int
    currency: str
    period_months: int
    bills_while_suspended: bool


class VersionOut(BaseModel):
    """A version of a plan; lengths in months, amounts in minor units."""

    model_config = set_model_example(version=1, **get_model_example(VersionIn))

    version: int
    effective_from: date
    term_months: int
    period_months: int
    timing: str
    prices: dict[str, PriceIn]
    vendor: VendorOut
    while_suspended: str
    cancellation_days: int
    usage_markup_bp: int

    @classmethod
    def from_plan_version(cls, version: PlanVersion) -> Self:
        """The answer for a version."""
        vendor = version.vendor
        return cls(
            version=version.number,
            effective_from=version.effective_from,
            term_months=version.term,
            period_months=version.period,
            timing="advance" if version.in_advance else "arrears",
            prices={
                code: PriceIn(unit_price_minor=price.unit, setup_minor=price.setup)
                for code, price in version.prices.items()
            },
            vendor=VendorOut(
                unit_cost_minor=vendor.unit,
                currency=vendor.currency,
                period_months=vendor.period,
                bills_while_suspended=vendor.bills_while_suspended,
            ),
            while_suspended="credit" if version.credits_suspension else "bill",
            cancellation_days=version.cancellation_days,
            usage_markup_bp=version.usage_markup_bp,
        )


class PlanOut(BaseModel):
    """A plan with all its versions."""

    model_config = set_model_example(
        id="01a20d60-1b7a-7d11-8f4e-0c5b9a2f6e21",
        code="business-premium",
        name="Business Premium",
        tax_class="standard",
        created_at="2026-03-01T09:00:00Z",
        versions=[get_model_example(VersionOut)],
    )

    id: UUID
    code: str
    name: str
    tax_class: str
    created_at: datetime
    versions: list[VersionOut]

    @classmethod
    def from_plan_row(cls, row: PlanRow, versions: list[PlanVersion]) -> Self:
        """The answer for a plan."""
        versions_out = [VersionOut.from_plan_version(version) for version in versions]
        return cls.model_validate(row.model_dump() | {"versions": versions_out})


async def _plan(unit: Unit, plan_id: UUID) -> PlanOut:
    row = await plan_queries.get_plan_row(unit, plan_id)
    return PlanOut.from_plan_row(row, (await plan_queries.map_plan_versions(unit, [plan_id]))[plan_id])


@writes.post(
    "",
    status_code=201,
    response_model=PlanOut,
    summary="Make a plan",
    responses=refusals(ExternalReferenceTaken, PlanVersionRefused, UnknownTaxClass),
)
async def make_plan(plan: PlanIn, command: Annotated[CommandRunner, perform_command("plan.make")]) -> Response:
    """Make a plan with its first version; announces `PlanVersionPublished`."""

    async def create_and_show_plan(unit: Unit) -> PlanOut:
        new = NewPlan(plan.code, plan.name, plan.tax_class, plan.version.build_plan_version())
        row, version = await plan_publishing.create_plan_with_version(unit, new)
        return PlanOut.from_plan_row(row, [version])

    return await command.run(create_and_show_plan)


@writes.post(
    "/{plan_id}/versions",
    status_code=201,
    response_model=PlanOut,
    summary="Publish a version of a plan",
    responses=refusals(PlanVersionRefused),
)
async def publish_version(
    plan_id: UUID, version: VersionIn, command: Annotated[CommandRunner, perform_command("plan.publish_version")]
) -> Response:
    """New terms have it from its day on, running ones keep theirs; announces `PlanVersionPublished`."""

    async def publish_and_show_version(unit: Unit) -> PlanOut:
        await plan_publishing.publish_plan_version(unit, plan_id, version.build_plan_version())
        return await _plan(unit, plan_id)

    return await command.run(publish_and_show_version, subject=plan_id)


@reads.get("", summary="List plans")
async def list_plans(read: Read, paging: Paging) -> Page[PlanOut]:
    """Plans in the order of their ids."""
    after = paging.get_last_id()

    async def load_plans(unit: Unit) -> list[PlanOut]:
        rows = await plan_queries.list_plan_rows(unit, after, paging.limit + 1)
        versions = await plan_queries.map_plan_versions(unit, [row.id for row in rows])
        return [PlanOut.from_plan_row(row, versions[row.id]) for row in rows]

    return paging.page(await read(load_plans), key=lambda plan: plan.id)


@reads.get("/{plan_id}", summary="One plan")
async def get_plan(plan_id: UUID, read: Read) -> PlanOut:
    """The plan with all its versions."""
    return await read(lambda unit: _plan(unit, plan_id))
