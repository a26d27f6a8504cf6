"""Debt to the vendor that goes on for a late account, shown beside its standing."""

from datetime import date

from pydantic import BaseModel

from shared.contracts.vendor_exposures import VendorExposure
from shared.pure.fields import set_model_example


class VendorAccruedOut(BaseModel):
    """Charges of the vendor for all cycles that have begun, billed by it or not; minor units."""

    currency: str
    accrued_minor: int


class UnpaidVendorInvoicesOut(BaseModel):
    """Amounts that the vendor has billed, that are not paid, and are due on a day; with tax, minor units."""

    due_date: date
    currency: str
    total_minor: int


class VendorCommittedOut(BaseModel):
    """Future charges of the vendor to the ends of the terms, and the part that a suspension would stop; minor units."""

    currency: str
    committed_minor: int
    stopped_by_suspension_minor: int
    until: date


class VendorDebtOut(BaseModel):
    """As invoicing says it; amounts in different currencies stand beside each other."""

    model_config = set_model_example(
        vendor_accrued=[{"currency": "USD", "accrued_minor": 8200}],
        vendor_invoices=[{"due_date": "2026-06-07", "currency": "USD", "total_minor": 8200}],
        vendor_committed=[
            {"currency": "USD", "committed_minor": 90200, "stopped_by_suspension_minor": 0, "until": "2027-03-01"}
        ],
    )

    vendor_accrued: list[VendorAccruedOut]
    vendor_invoices: list[UnpaidVendorInvoicesOut]
    vendor_committed: list[VendorCommittedOut]


def build_vendor_debt_answer(exposure: VendorExposure | None) -> VendorDebtOut | None:
    """The answer for an account's exposure."""
    return None if exposure is None else VendorDebtOut.model_validate(exposure, from_attributes=True)
