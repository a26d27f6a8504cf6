"""The port of an outside tax calculator, with its requests and answers: docs/tax-calculator.md, as models."""

from datetime import date
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LARGEST = 2**63 - 1
"""The largest amount that fits where amounts are kept."""

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


class LineForTaxCalculation(BaseModel):
    """A line: what it is for, and what it comes to without tax. A reversal is negative."""

    model_config = ConfigDict(frozen=True)

    line: int
    tax_class: str
    net_minor: int
    description: str


class InvoiceTaxFacts(BaseModel):
    """Facts that the tax of an invoice hangs on; amounts are minor units of the currency."""

    model_config = ConfigDict(frozen=True)

    legal_entity: str
    seller_country: str
    customer_country: str | None
    tax_status: Literal["standard", "exempt", "reverse_charge"]
    tax_id: str | None
    currency: str
    date: date
    lines: tuple[LineForTaxCalculation, ...]

    @property
    def taxable_net_by_line(self) -> dict[int, int]:
        """Amount of each line without tax."""
        return {line.line: line.net_minor for line in self.lines}


class TaxCalculationRequest(InvoiceTaxFacts):
    """One question about one invoice. The same `request_id` has always the same content, and wants the same answer.

    What is asked for a preview will not be issued.
    """

    request_id: UUID
    purpose: Literal["invoice", "preview"]


class CalculatedLineTax(BaseModel):
    """The tax of one line; `rate_bp` in basis points, null if there is more than one rate in it."""

    model_config = ConfigDict(strict=True, frozen=True)

    line: int
    tax_minor: int = Field(ge=-LARGEST, le=LARGEST)
    rate_bp: int | None = Field(ge=0, le=10_000)


class CalculatedInvoiceTax(BaseModel):
    """The tax of every line, and a sentence that the document shall have. Fields that are not known are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)

    lines: tuple[CalculatedLineTax, ...]
    note: Note | None = None


class TaxCalculatorRefusal(Exception):
    """The calculator refuses for good, or what it answers is no answer."""


class TaxCalculator(Protocol):
    """An outside calculator of the tax of whole invoices."""

    async def request_invoice_tax(self, request: TaxCalculationRequest) -> CalculatedInvoiceTax:
        """Ask for the tax of an invoice. Raises TaxCalculatorRefusal, RetryLater."""
        ...
