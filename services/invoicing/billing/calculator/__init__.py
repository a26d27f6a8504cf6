"""The port for an outside tax calculator: its contract, and the client that asks it."""

from services.invoicing.billing.calculator.client import TaxCalculatorClient, TaxCalculatorRefusal
from services.invoicing.billing.calculator.contract import CalculatedInvoiceTax, InvoiceTaxFacts, TaxCalculationRequest

__all__ = [
    "CalculatedInvoiceTax",
    "InvoiceTaxFacts",
    "TaxCalculationRequest",
    "TaxCalculatorClient",
    "TaxCalculatorRefusal",
]
