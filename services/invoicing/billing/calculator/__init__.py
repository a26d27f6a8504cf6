"""The port for an outside tax calculator: its contract, and the client that asks it."""

from services.invoicing.billing.calculator.client import Calculator, CalculatorRefusal
from services.invoicing.billing.calculator.contract import Facts, TaxAnswer, TaxRequest

__all__ = ["Calculator", "CalculatorRefusal", "Facts", "TaxAnswer", "TaxRequest"]
