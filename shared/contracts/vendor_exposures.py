"""Exposure of an account to the vendor, as far as collections shows it; minor units."""

from datetime import date

from shared.contracts.answers import AnswerContract


class AccruedVendorCharges(AnswerContract):
    """Charges of the vendor for all cycles that have begun, billed by it or not."""

    currency: str
    accrued_minor: int


class UnpaidVendorInvoices(AnswerContract):
    """Amounts that the vendor has billed, that are not paid, and are due on a day; with tax."""

    due_date: date
    currency: str
    total_minor: int


class CommittedVendorCharges(AnswerContract):
    """Future charges of the vendor to the ends of the terms, and the part that a suspension would stop."""

    currency: str
    committed_minor: int
    stopped_by_suspension_minor: int
    until: date


class VendorExposure(AnswerContract):
    """Debt to the vendor for an account, by currency."""

    vendor_accrued: tuple[AccruedVendorCharges, ...]
    vendor_invoices: tuple[UnpaidVendorInvoices, ...]
    vendor_committed: tuple[CommittedVendorCharges, ...]
