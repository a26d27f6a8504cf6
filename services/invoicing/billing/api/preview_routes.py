"""Previews of an account's bill on a day to come, over REST."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from services.invoicing.billing.use_cases import bill_previews
from services.invoicing.billing.use_cases.bill_previews import (
    BillPreview,
    BillPreviewDatePast,
    TaxCalculatorUnavailable,
)
from shared.pure.fields import Day, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(prefix="/v1/accounts", tags=["bill runs"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class PreviewLineOut(BaseModel):
    """A line of what would be billed; minor units. Where the total is below 0, nothing of it is to be collected."""

    line: int
    subscription_id: UUID
    description: str
    net_minor: int
    tax_minor: int
    tax_rate_bp: int | None
    collectable_minor: int


class PreviewOut(BaseModel):
    """The bill that a run of that date would make if nothing changes; without lines there would be none.

    A total below 0 would be given back by credit notes.
    """

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        run_date="2026-05-01",
        due_date="2026-05-15",
        currency="EUR",
        total_minor=11995,
        document_type="invoice",
        lines=[
            {
                "line": 1,
                "subscription_id": "01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46",
                "description": "Business Premium, 2026-05-01 – 2026-05-31",
                "net_minor": 10080,
                "tax_minor": 1915,
                "tax_rate_bp": 1900,
                "collectable_minor": 11995,
            }
        ],
        set_aside=None,
        unbilled=None,
    )

    account_id: UUID
    run_date: date
    due_date: date | None
    currency: str
    total_minor: int
    document_type: Literal["invoice", "credit_notes"] | None
    lines: list[PreviewLineOut]
    set_aside: str | None
    unbilled: str | None = Field(description="what of a credit would stay unbilled, and why")

    @classmethod
    def from_bill_preview(cls, account_id: UUID, day: date, preview: BillPreview) -> Self:
        """The answer for a preview."""
        total = preview.total_minor
        return cls(
            account_id=account_id,
            run_date=day,
            due_date=preview.due_date,
            currency=preview.currency,
            total_minor=total,
            document_type="invoice" if total > 0 else "credit_notes" if total < 0 else None,
            lines=[PreviewLineOut(**line) for line in preview.lines],
            set_aside=preview.set_aside,
            unbilled=preview.unbilled,
        )


@reads.get(
    "/{account_id}/bill-preview",
    summary="What an account would be billed",
    responses=refusals(BillPreviewDatePast, TaxCalculatorUnavailable),
)
async def preview_next_bill(account_id: UUID, run_date: Annotated[Day, Query()], read: Read) -> PreviewOut:
    """Preview the bill of a date, today or later, renewals until then included. Nothing is changed or announced.

    Where an outside tax calculator says the tax and gives no answer, there is no preview (503, `tax_unavailable`).
    """
    units = read.runtime.units  # a preview bills in a transaction, and undoes it
    preview = await units.run(lambda unit: bill_previews.preview_account_bill(unit, account_id, run_date))
    if preview.to_be_taxed is not None:
        preview = await bill_previews.add_outside_tax(read.runtime, preview, preview.to_be_taxed)
    return PreviewOut.from_bill_preview(account_id, run_date, preview)
