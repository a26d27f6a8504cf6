"""Adapters to the outside. This is the one place that chooses them; nothing else knows one by its class."""

from typing import TYPE_CHECKING

from services.invoicing.billing.adapters.tax_calculator import HttpTaxCalculator
from services.invoicing.billing.domain.tax_calculator import TaxCalculator

if TYPE_CHECKING:
    from shared.process.runtime import Runtime


def open_tax_calculator(runtime: "Runtime") -> TaxCalculator | None:
    """Open the outside tax calculator; None where none is set up."""
    settings = runtime.settings
    if not settings.tax_calculator_url:
        return None
    return HttpTaxCalculator(runtime.tax_calculator, settings.tax_calculator_token_file)
