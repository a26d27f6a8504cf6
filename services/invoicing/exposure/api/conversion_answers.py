"""How converted amounts are shown: with every rate that was used, and what could not be converted, and why."""

from datetime import date
from typing import Self

from pydantic import BaseModel, Field

from services.invoicing.exposure.domain import ConvertedExposureTotal, CurrencyConversion, ExchangeRate
from services.invoicing.exposure.use_cases import AMOUNTS, ExposureInOneCurrency
from shared.pure.fields import get_model_example, set_model_example

MISSING_CURRENCIES = Field(
    description="currencies that could not be converted and are not in these sums: none, or they are no whole"
)


class ReceivableSum(BaseModel):
    """Amounts that are open with us, overdue and disputed; minor units."""

    open_minor: int
    overdue_minor: int
    disputed_minor: int
    missing_currencies: list[str] = MISSING_CURRENCIES


class BilledSum(BaseModel):
    """Amounts that were billed without tax; minor units."""

    billed_minor: int
    missing_currencies: list[str] = MISSING_CURRENCIES


class VendorAccruedSum(BaseModel):
    """Charges of the vendor for all cycles that have begun; minor units."""

    accrued_minor: int
    missing_currencies: list[str] = MISSING_CURRENCIES


class UnpaidVendorInvoicesSum(BaseModel):
    """Amounts that the vendor has billed and that are not paid, whenever they are due; with tax, minor units."""

    total_minor: int
    missing_currencies: list[str] = MISSING_CURRENCIES


class ContestedSum(BaseModel):
    """A part of the unpaid invoices of the vendor that is contested, and owed all the same; with tax, minor units."""

    contested_minor: int
    missing_currencies: list[str] = MISSING_CURRENCIES


class VendorCommittedSum(BaseModel):
    """Future charges of the vendor to the ends of the terms, and the part that a suspension would stop; minor units."""

    committed_minor: int
    stopped_by_suspension_minor: int
    missing_currencies: list[str] = MISSING_CURRENCIES


class RateOut(BaseModel):
    """So many units (not minor ones) of `quote` are one unit of `base`, says the source for the date."""

    model_config = set_model_example(base="EUR", quote="USD", rate="1.0843", date="2026-03-02", source="ecb")

    base: str
    quote: str
    rate: str
    date: date
    source: str

    @classmethod
    def from_exchange_rate(cls, exchange_rate: ExchangeRate) -> Self:
        """The answer for a rate."""
        return cls(
            base=exchange_rate.base,
            quote=exchange_rate.quote,
            rate=f"{exchange_rate.rate:f}",
            date=exchange_rate.day,
            source=exchange_rate.source,
        )


class RatesUsedOut(BaseModel):
    """By which rates a currency was converted: one of the pair in either direction, or two of one table for a cross."""

    model_config = set_model_example(currency="USD", rates=[get_model_example(RateOut)])

    currency: str
    rates: list[RateOut]

    @classmethod
    def from_conversion(cls, conversion: CurrencyConversion) -> Self:
        """The answer for a conversion."""
        return cls(currency=conversion.currency, rates=[RateOut.from_exchange_rate(rate) for rate in conversion.rates])


class NotConvertedOut(BaseModel):
    """A currency that is in none of the sums, and why."""

    currency: str
    reason: str


class ConvertedOut(BaseModel):
    """The parts in one currency. Each currency's amount is rounded once, half to even, and then added."""

    model_config = set_model_example(
        currency="EUR",
        converted_on="2026-03-02",
        owed_to_us={"open_minor": 11995, "overdue_minor": 11995, "disputed_minor": 0, "missing_currencies": []},
        billed={"billed_minor": 10080, "missing_currencies": []},
        vendor_accrued={"accrued_minor": 7562, "missing_currencies": []},
        vendor_invoices={"total_minor": 7562, "missing_currencies": []},
        vendor_contested={"contested_minor": 1107, "missing_currencies": []},
        vendor_committed={"committed_minor": 83187, "stopped_by_suspension_minor": 0, "missing_currencies": []},
        margin_minor=2518,
        rates=[get_model_example(RatesUsedOut)],
        not_converted=[],
    )

    currency: str
    converted_on: date = Field(
        description="the business day: rates are the newest on or before it, at most seven days old"
    )
    owed_to_us: ReceivableSum
    billed: BilledSum
    vendor_accrued: VendorAccruedSum
    vendor_invoices: UnpaidVendorInvoicesSum
    vendor_contested: ContestedSum | None = Field(default=None, description="of all alone")
    vendor_committed: VendorCommittedSum
    margin_minor: int | None = Field(description="billed less accrued; null unless both are whole")
    rates: list[RatesUsedOut]
    not_converted: list[NotConvertedOut]

    @classmethod
    def from_converted_exposure(cls, exposure: ExposureInOneCurrency) -> Self:
        """The answer for what was converted."""
        used = (conversion for conversion in exposure.conversions.values() if conversion.rates)
        fields: dict[str, object] = {name: _sums(name, total) for name, total in exposure.parts.items()}
        fields |= {"currency": exposure.currency, "converted_on": exposure.on, "margin_minor": exposure.margin_minor}
        fields["rates"] = [RatesUsedOut.from_conversion(total) for total in used]
        fields["not_converted"] = [
            {"currency": name, "reason": cause} for name, cause in exposure.not_converted.items()
        ]
        return cls.model_validate(fields)


def _sums(part: str, total: ConvertedExposureTotal) -> dict[str, object]:
    return dict(zip(AMOUNTS[part], total.sums, strict=True)) | {"missing_currencies": list(total.missing_currencies)}
