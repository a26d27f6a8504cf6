"""Rated usage over REST."""

from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from services.invoicing import use_cases
from services.invoicing.repository.usage import UsageLine
from shared.auth import needs
from shared.commands import Command
from shared.database import Unit
from shared.fields import Body, Code, Day, Name, example
from shared.http import PROBLEMS, Router
from shared.money import Currency

writes = Router(prefix="/v1/usage-lines", tags=["usage"], dependencies=[needs("invoicing:write")], responses=PROBLEMS)

Quantity = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$"),
    AfterValidator(lambda text: str(Decimal(text))),
]
"""A decimal number as text, so that nobody's float rounds it."""


class UsageLineIn(Body):
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

    def line(self) -> UsageLine:
        """The line with numbers."""
        return UsageLine(
            self.id,
            self.subscription_id,
            self.meter,
            Decimal(self.quantity),
            Decimal(self.unit_cost),
            self.period_from,
            self.period_to,
        )


class UsageIn(Body):
    """Lines of one source; a line that is known by source and id changes nothing."""

    model_config = example(
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


class UsageOut(BaseModel):
    """How many of the lines are new, and how many were known."""

    model_config = example(new=1, known=0)

    new: int
    known: int


@writes.post("", status_code=201, response_model=UsageOut, summary="Send rated usage")
async def send_usage(usage: UsageIn, command: Command) -> Response:
    """Take lines of usage, all or none; they are on the next invoice, with the plan's mark-up."""

    async def take(unit: Unit) -> UsageOut:
        new = await use_cases.usage.take(unit, usage.source, usage.currency, [one.line() for one in usage.lines])
        return UsageOut(new=new, known=len(usage.lines) - new)

    return await command.run(take)
