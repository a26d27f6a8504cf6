"""Rules of an outside tax calculator's answers: tax for each line once, of its net's sign, never more than that."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvoiceLineTax:
    """The tax of a line in minor units, and its rate in basis points; None if there is more than one rate in it."""

    line: int
    tax_minor: int
    rate_bp: int | None


@dataclass(frozen=True, slots=True)
class InvoiceTax:
    """The tax of every line of an invoice, and what the document shall say of it."""

    lines: tuple[InvoiceLineTax, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class InvoiceTaxRefused:
    """Why an invoice has no tax and cannot be issued."""

    reason: str


def find_invoice_tax_flaw(nets: Mapping[int, int], taxes: Sequence[InvoiceLineTax]) -> str | None:
    """Find what is wrong with the taxes of an invoice whose lines have these nets (minor units), if anything is."""
    counted = Counter(tax.line for tax in taxes)
    for line in sorted(nets.keys() | counted.keys()):
        if line not in nets:
            return f"names line {line}, which was not asked for"
        if counted[line] != 1:
            return f"has line {line} {counted[line]} times"
    for tax in taxes:
        net = nets[tax.line]
        if net * tax.tax_minor < 0:
            return f"has a tax of {tax.tax_minor} on line {tax.line}, of the other sign than its net of {net}"
        if abs(tax.tax_minor) > abs(net):
            return f"has a tax of {tax.tax_minor} on line {tax.line}, more than its net of {net}"
    return None


def compute_gross_total(nets: Mapping[int, int], taxes: Sequence[InvoiceLineTax]) -> int:
    """Compute the total of an invoice with its tax, in minor units."""
    return sum(nets.values()) + sum(tax.tax_minor for tax in taxes)
