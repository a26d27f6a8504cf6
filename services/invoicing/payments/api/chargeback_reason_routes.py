"""Reasons of chargebacks over REST."""

from typing import Annotated, Self

from fastapi import Path
from pydantic import BaseModel, Field

from services.invoicing.payments.repository import chargeback_queries
from services.invoicing.payments.tables.chargeback_tables import ChargebackReasonRow
from services.invoicing.payments.use_cases import chargeback_handling
from shared.persistence.database import Unit
from shared.pure.fields import Code, Name, RequestBody, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Page, Read, Router

reads = Router(prefix="/v1", tags=["chargebacks"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
admin = Router(
    prefix="/v1/chargeback-reasons",
    tags=["chargebacks"],
    dependencies=[needs("invoicing:admin")],
    responses=PROBLEMS,
)


class ChargebackReasonIn(RequestBody):
    """Title of a reason, whether it says that the cardholder did not pay, when somebody is warned, and its use."""

    model_config = set_model_example(
        title="What was paid for was not delivered", is_fraud=False, warn_days=3, is_active=True
    )

    title: Name
    is_fraud: bool = Field(strict=True)
    warn_days: int = Field(default=3, ge=1, le=60, strict=True, description="days before the last day ends")
    is_active: bool = Field(default=True, strict=True)


class ChargebackReasonOut(BaseModel):
    """A reason of chargebacks."""

    model_config = set_model_example(code="not_received", **get_model_example(ChargebackReasonIn))

    code: str
    title: str
    is_fraud: bool
    warn_days: int
    is_active: bool

    @classmethod
    def from_chargeback_reason_row(cls, row: ChargebackReasonRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


@reads.get("/chargeback-reasons", summary="List the reasons of chargebacks")
async def list_chargeback_reasons(read: Read) -> Page[ChargebackReasonOut]:
    """Every reason for which a network takes money back, by its code."""
    rows = await read(chargeback_queries.list_chargeback_reasons)
    return Page(items=[ChargebackReasonOut.from_chargeback_reason_row(row) for row in rows], next=None)


@admin.put("/{code}", summary="Keep a reason of chargebacks")
async def put_chargeback_reason(
    code: Annotated[Code, Path()],
    reason: ChargebackReasonIn,
    command: Annotated[ChangeRunner, perform_change("chargeback_reason.put")],
) -> ChargebackReasonOut:
    """Add a reason, or change it for new chargebacks; one that is not active stays with those that have it."""

    async def put_and_show_reason(unit: Unit) -> ChargebackReasonOut:
        row = ChargebackReasonRow(code=code, **reason.model_dump())
        return ChargebackReasonOut.from_chargeback_reason_row(
            await chargeback_handling.change_chargeback_reason(unit, row)
        )

    return await command.run(put_and_show_reason)
