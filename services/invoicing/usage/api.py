"""Rated usage over REST."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.invoicing.files import api as files_api
from services.invoicing.files.domain.broken_lines import UploadedFileLinesBroken
from services.invoicing.usage import use_cases as usage_use_cases
from services.invoicing.usage.domain.usage_lines import UsageLine, UsageRefused
from services.invoicing.usage.use_cases import RecordedUsageCounts, UsageSource
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Name, RequestBody, set_model_example
from shared.pure.money import Currency
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command, perform_upload
from shared.web.http import PROBLEMS, Router, accept_larger_body, refusals

writes = Router(prefix="/v1", tags=["usage"], dependencies=[needs("invoicing:sales")], responses=PROBLEMS)

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$")]
"""A decimal number as text, so that nobody's float rounds it."""


class UsageLineIn(RequestBody):
    """Rated usage of a subscription over days; `period_to` is the day after the last one."""

    id: Code = Field(examples=["line-17"])
    subscription_id: UUID
    meter: Name = Field(examples=["compute hours"])
    quantity: Quantity = Field(examples=["12.5"])
    unit_cost: Quantity = Field(examples=["0.0123"], description="in units of the account's currency, not minor ones")
    period_from: Day
    period_to: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.period_to <= self.period_from:
            raise ValueError("period_to is not after period_from")
        return self

    def build_usage_line(self, place: int) -> UsageLine:
        """The line, and its place among others."""
        return UsageLine(
            place,
            self.id,
            str(self.subscription_id),
            self.meter,
            self.quantity,
            self.unit_cost,
            self.period_from.isoformat(),
            self.period_to.isoformat(),
        )


class UsageIn(RequestBody):
    """Lines of one source; a line that is known by source and id changes nothing."""

    model_config = set_model_example(
        source="meters-2026-03",
        currency="EUR",
        lines=[
            {
                "id": "line-17",
                "subscription_id": "01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46",
                "meter": "compute hours",
                "quantity": "12.5",
                "unit_cost": "0.0123",
                "period_from": "2026-03-01",
                "period_to": "2026-04-01",
            }
        ],
    )

    source: Code
    currency: Currency
    lines: list[UsageLineIn] = Field(min_length=1, max_length=5000)


class TakenUsageOut(BaseModel):
    """How many of the lines are new, and how many were there already."""

    model_config = set_model_example(new=1, unchanged=0)

    new: int
    unchanged: int

    @classmethod
    def from_taken_usage(cls, taken: RecordedUsageCounts) -> Self:
        """The answer for what was taken."""
        return cls(new=taken.new, unchanged=taken.unchanged)


@writes.post(
    "/usage-lines",
    status_code=201,
    response_model=TakenUsageOut,
    summary="Send rated usage",
    dependencies=[accept_larger_body(4 * 1024 * 1024)],
    responses=refusals(UsageRefused),
)
async def send_usage(usage: UsageIn, command: Annotated[CommandRunner, perform_command("usage.send")]) -> Response:
    """Take lines of usage, all or none; they are on the next invoice, with the plan's mark-up."""

    async def take_sent_usage(unit: Unit) -> TakenUsageOut:
        lines = (usage_line.build_usage_line(place) for place, usage_line in enumerate(usage.lines))
        return TakenUsageOut.from_taken_usage(
            await usage_use_cases.record_usage_lines(unit, UsageSource(usage.source, usage.currency), lines)
        )

    return await command.run(take_sent_usage)


_CSV = (
    "id,subscription_id,meter,quantity,unit_cost,period_from,period_to\n"
    "line-17,01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46,compute hours,12.5,0.0123,2026-03-01,2026-04-01\n"
)
_LINE = (
    '{"id": "line-17", "subscription_id": "01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46", "meter": "compute hours",'
    ' "quantity": 12.5, "unit_cost": "0.0123", "period_from": "2026-03-01", "period_to": "2026-04-01"}\n'
)


@writes.post(
    "/usage-files",
    status_code=201,
    response_model=TakenUsageOut,
    summary="Send a file of rated usage",
    dependencies=[files_api.ACCEPTED],
    openapi_extra={"requestBody": files_api.describe_uploaded_file_body(_CSV, _LINE)},
    responses=files_api.REFUSED | refusals(UploadedFileLinesBroken, UsageRefused),
)
async def send_usage_file(
    request: Request,
    command: Annotated[CommandRunner, perform_upload("usage_file.send")],
    source: Annotated[Code, Query(description="whose lines they are; each is known by source and id")],
    currency: Annotated[Currency, Query(description="of the unit costs")],
    content_type: Annotated[str, Header(max_length=200, include_in_schema=False)] = "",
) -> Response:
    """Take a file of usage, wholly or not at all, by the same rules as `POST /v1/usage-lines`.

    CSV or JSON lines, packed as gzip or not; columns in any order and case, unknown ones are ignored, and numbers may
    be text. The first 20 lines that cannot be taken are named, with their column. Lines that are known change nothing.
    """
    layout = files_api.parse_file_layout(content_type)
    async with files_api.receive_uploaded_file(request.stream(), layout) as file:

        async def take_sent_usage_file(unit: Unit) -> TakenUsageOut:
            return TakenUsageOut.from_taken_usage(
                await usage_use_cases.record_usage_file(unit, UsageSource(source, currency), file)
            )

        return await command.bind_file(file.sha256).run(take_sent_usage_file)
