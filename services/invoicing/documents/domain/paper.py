"""An invoice or a credit note as it is drawn up: who to whom, what for, how much, and what was settled of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from services.invoicing.accounts.domain.document_parties import DocumentParties

RECURRING = ("cycle", "change", "reversal")
"""The kinds of charges whose periods are the period of supply, where a document has any."""


@dataclass(frozen=True, slots=True)
class DocumentChargedPeriod:
    """Period and quantity of a line. Ends are exclusive; `days` of `cycle_days` were charged.

    Without a quantity, as in a credit note, only the period is told. Usage has its meter and the quantity of it, and
    no unit price, since the costs of its units may differ; its net is the sum of what each line of usage comes to.
    """

    kind: str
    product: str
    period_from: date
    period_to: date
    days: int
    cycle_days: int
    quantity: int | Decimal
    unit_price: int | None
    meter: str = ""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A line (minor units); without `charged` it was posted as its description says.

    One that `lacks_rate` was to be taxed, and no rate was in force.
    """

    number: int
    description: str
    net: int
    tax: int
    rate_bp: int | None
    charged: DocumentChargedPeriod | None
    lacks_rate: bool = False


@dataclass(frozen=True, slots=True)
class DocumentTaxSum:
    """Sum of the lines of one rate (basis points); without a rate, of the lines that have several in them."""

    rate_bp: int | None
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """An invoice or a credit note. `settled` is what was paid and credited of an invoice by the time it shows."""

    kind: str
    number: str
    credited_invoice: str | None
    """The invoice that a credit note lowers."""
    currency: str
    issued_on: date
    due_on: date | None
    terms_days: int
    lines: tuple[DocumentLine, ...]
    paid: int
    credited: int
    parties: DocumentParties
    policy_version: int | None
    tax_note: str | None = None
    """What the outside tax calculator wants to be said."""
    reason_code: str | None = None
    """Why a credit note was issued."""

    @property
    def net_minor(self) -> int:
        """Amount without tax."""
        return sum(line.net for line in self.lines)

    @property
    def total_minor(self) -> int:
        """Amount with tax."""
        return sum(line.net + line.tax for line in self.lines)

    @property
    def left_to_pay_minor(self) -> int:
        """Amount that is still to be paid."""
        return self.total_minor - self.paid - self.credited

    @property
    def shows_quantities(self) -> bool:
        """Whether any line has a quantity to show."""
        return any(line.charged and line.charged.quantity for line in self.lines)

    @property
    def lacks_tax_rates(self) -> bool:
        """Whether any line has no tax since no rate was in force."""
        return any(line.lacks_rate for line in self.lines)

    @property
    def supply_period(self) -> tuple[date, date] | None:
        """The days of the recurring charges, else of usage, else the day of a set-up; its end is exclusive."""
        listed = [line.charged for line in self.lines if line.charged]
        if not listed:
            return None
        charged = [charge for charge in listed if charge.kind in RECURRING]
        charged = charged or [charge for charge in listed if charge.kind != "setup"]
        if not charged:
            begin = min(charge.period_from for charge in listed)
            return begin, begin + timedelta(days=1)
        return min(period.period_from for period in charged), max(period.period_to for period in charged)


def sum_tax_by_rate(lines: Iterable[DocumentLine]) -> list[DocumentTaxSum]:
    """The sums of each rate, the lowest first; of several rates last. What was posted without tax is in none."""
    sums: dict[int | None, DocumentTaxSum] = {}
    for line in lines:
        if line.rate_bp is not None or line.tax:
            before = sums.get(line.rate_bp, DocumentTaxSum(line.rate_bp, 0, 0))
            sums[line.rate_bp] = DocumentTaxSum(line.rate_bp, before.net + line.net, before.tax + line.tax)
    return sorted(sums.values(), key=lambda tax_sum: (tax_sum.rate_bp is None, tax_sum.rate_bp or 0))
