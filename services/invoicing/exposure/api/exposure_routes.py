"""Exposure over REST: amounts in different currencies stand beside each other; only converted ones are added."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from services.invoicing.exposure import use_cases as exposure_use_cases
from services.invoicing.exposure.api.conversion_answers import ConvertedOut
from services.invoicing.exposure.use_cases import ReceivablesExposure
from shared.pure.fields import get_model_example, set_model_example
from shared.pure.money import Currency
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1", tags=["exposure"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)

In = Annotated[Currency | None, Query(alias="in", description="say all of it in this currency too, by imported rates")]


class ReceivableOut(BaseModel):
    """Amounts that are open with us in one currency, and how much of them is overdue or disputed; minor units."""

    currency: str
    open_minor: int
    overdue_minor: int
    disputed_minor: int


class UnpaidVendorInvoicesOut(BaseModel):
    """Unpaid amounts of the vendor's invoices that are due on one day: in minor units, with tax.

    Of an account: the lines of reconciled invoices. Of all: whole invoices, reconciled or not.
    """

    due_date: date
    currency: str
    total_minor: int


class ContestedOut(BaseModel):
    """Amounts of unpaid vendor invoices that are contested, with tax; in minor units, and owed all the same."""

    currency: str
    contested_minor: int


class VendorAccruedOut(BaseModel):
    """Charges of the vendor for all cycles that have begun, billed by it or not; minor units."""

    currency: str
    accrued_minor: int


class VendorCommittedOut(BaseModel):
    """Future charges of the vendor to the ends of running terms, and the part that a suspension today would stop."""

    currency: str
    committed_minor: int
    stopped_by_suspension_minor: int
    until: date


class VendorBilledOut(BaseModel):
    """Amounts billed without tax, reversals included; minor units. Beside what was accrued they show the margin."""

    currency: str
    billed_minor: int


class ExposureOut(BaseModel):
    """Amounts owed to us beside what we owe the vendor for them, whether the customer pays or not."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        owed_to_us=[{"currency": "EUR", "open_minor": 11995, "overdue_minor": 11995, "disputed_minor": 0}],
        billed=[{"currency": "EUR", "billed_minor": 10080}],
        vendor_accrued=[{"currency": "USD", "accrued_minor": 8200}],
        vendor_invoices=[{"due_date": "2026-06-07", "currency": "USD", "total_minor": 8200}],
        vendor_contested=[{"currency": "USD", "contested_minor": 1200}],
        vendor_committed=[
            {"currency": "USD", "committed_minor": 90200, "stopped_by_suspension_minor": 0, "until": "2027-03-01"}
        ],
        converted=get_model_example(ConvertedOut),
    )

    account_id: UUID | None
    owed_to_us: list[ReceivableOut]
    billed: list[VendorBilledOut]
    vendor_accrued: list[VendorAccruedOut]
    vendor_invoices: list[UnpaidVendorInvoicesOut]
    vendor_contested: list[ContestedOut] = Field(
        default=[], description="what of `vendor_invoices` is contested; of all alone, and left out for an account"
    )
    vendor_committed: list[VendorCommittedOut]
    converted: ConvertedOut | None = Field(default=None, description="if a currency is asked for")

    @classmethod
    def from_receivables_exposure(cls, account_id: UUID | None, exposure: ReceivablesExposure) -> Self:
        """The answer for its parts; without `converted` if no currency was asked for."""
        fields: dict[str, object] = {name: [dict(row) for row in rows] for name, rows in exposure.parts.items()}
        if exposure.converted is not None:
            fields["converted"] = ConvertedOut.from_converted_exposure(exposure.converted)
        return cls.model_validate({"account_id": account_id} | fields)


@reads.get(
    "/accounts/{account_id}/exposure",
    response_model_exclude_unset=True,
    summary="What an account owes us, and we the vendor for it",
)
async def get_account_exposure(account_id: UUID, read: Read, currency: In = None) -> ExposureOut:
    """By currency: owed and overdue, accrued, billed by the vendor and due when, committed to the end of the terms.

    With `in`, also in that currency, by the rates of the account's business day, which are shown.
    """
    return ExposureOut.from_receivables_exposure(
        account_id, await read(lambda unit: exposure_use_cases.compute_account_exposure(unit, account_id, currency))
    )


@reads.get(
    "/exposure", response_model_exclude_unset=True, summary="What all accounts owe us, and we the vendor for them"
)
async def get_exposure(read: Read, currency: In = None) -> ExposureOut:
    """Get the exposure over all accounts; the business day is that of UTC."""
    return ExposureOut.from_receivables_exposure(
        None, await read(lambda unit: exposure_use_cases.compute_account_exposure(unit, None, currency))
    )
