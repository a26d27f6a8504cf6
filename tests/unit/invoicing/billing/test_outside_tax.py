"""Answers of a tax calculator, of every kind, are held against the rule said in another way."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.invoicing.billing.domain.outside_tax import InvoiceLineTax, compute_gross_total, find_invoice_tax_flaw
from services.invoicing.billing.domain.tax_calculator import CalculatedInvoiceTax, TaxCalculationRequest
from tests.architecture.source import ROOT

NETS = st.dictionaries(st.integers(1, 6), st.integers(-1000, 1000), min_size=1, max_size=6)


@st.composite
def right(draw: st.DrawFn) -> tuple[dict[int, int], list[InvoiceLineTax]]:
    """Nets, and taxes that may be: a part of each net, in any order."""
    nets = draw(NETS)
    parts = {line: draw(st.fractions(0, 1)) for line in nets}
    rates = st.none() | st.integers(0, 10_000)
    taxes = [InvoiceLineTax(line, int(net * parts[line]), draw(rates)) for line, net in nets.items()]
    return nets, draw(st.permutations(taxes))


@given(right())
def test_a_part_of_every_net_may_be(case: tuple[dict[int, int], list[InvoiceLineTax]]) -> None:
    nets, taxes = case
    assert find_invoice_tax_flaw(nets, taxes) is None
    assert compute_gross_total(nets, taxes) == sum(nets[tax.line] + tax.tax_minor for tax in taxes)


@given(NETS, st.lists(st.builds(InvoiceLineTax, st.integers(0, 7), st.integers(-1100, 1100), st.none()), max_size=7))
def test_anything_else_has_a_flaw(nets: dict[int, int], taxes: list[InvoiceLineTax]) -> None:
    """A tax lies between nothing and its net, whichever way that points."""
    each_once = sorted(tax.line for tax in taxes) == sorted(nets)
    lies = each_once and all(
        tax.tax_minor in range(min(0, nets[tax.line]), max(0, nets[tax.line]) + 1) for tax in taxes
    )
    assert (find_invoice_tax_flaw(nets, taxes) is None) == lies


@given(right(), st.data())
def test_one_wrong_line_is_one_too_many(
    case: tuple[dict[int, int], list[InvoiceLineTax]], drawing: st.DataObject
) -> None:
    nets, taxes = case
    place = drawing.draw(st.integers(0, len(taxes) - 1))
    line_tax = taxes[place]
    beyond = abs(nets[line_tax.line]) + 1
    wrong: list[list[InvoiceLineTax]] = [
        [*taxes, line_tax],
        [*taxes, InvoiceLineTax(99, 0, None)],
        taxes[:place] + taxes[place + 1 :],
        [*taxes[:place], InvoiceLineTax(line_tax.line, beyond, None), *taxes[place + 1 :]],
        [*taxes[:place], InvoiceLineTax(line_tax.line, -beyond, None), *taxes[place + 1 :]],
    ]
    if nets[line_tax.line]:
        against = -1 if nets[line_tax.line] > 0 else 1
        wrong.append([*taxes[:place], InvoiceLineTax(line_tax.line, against, None), *taxes[place + 1 :]])
    assert [find_invoice_tax_flaw(nets, answered) is None for answered in wrong] == [False] * len(wrong)


GOOD: dict[str, Any] = {"line": 1, "tax_minor": 1915, "rate_bp": 1900}


@pytest.mark.parametrize(
    "line",
    [
        GOOD | {"line": "1"},
        GOOD | {"tax_minor": 19.0},
        GOOD | {"tax_minor": "1915"},
        GOOD | {"tax_minor": True},
        GOOD | {"tax_minor": None},
        GOOD | {"tax_minor": 2**63},
        GOOD | {"rate_bp": -1},
        GOOD | {"rate_bp": 10_001},
        GOOD | {"rate_bp": 19.0},
        {"line": 1, "tax_minor": 1915},
    ],
)
def test_only_whole_numbers_are_read(line: dict[str, Any]) -> None:
    assert (
        CalculatedInvoiceTax.model_validate({"lines": (GOOD | {"rate_bp": None},), "more": 1}).lines[0].rate_bp is None
    )
    with pytest.raises(ValidationError):
        CalculatedInvoiceTax.model_validate({"lines": (line,)})


@pytest.mark.parametrize("note", ["", "   ", "x" * 501, "a\x00b", 17])
def test_a_note_is_a_sentence(note: object) -> None:
    with pytest.raises(ValidationError):
        CalculatedInvoiceTax.model_validate({"lines": (), "note": note})


def test_the_page_shows_what_is_asked_and_what_may_be_answered() -> None:
    page = (ROOT / "docs" / "tax-calculator.md").read_text()
    asked, answered = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    request, answer = (
        TaxCalculationRequest.model_validate_json(asked),
        CalculatedInvoiceTax.model_validate_json(answered),
    )
    assert request.model_dump(mode="json") == orjson.loads(asked)
    assert answer.model_dump(mode="json") == orjson.loads(answered)
    taxes = [InvoiceLineTax(line.line, line.tax_minor, line.rate_bp) for line in answer.lines]
    assert find_invoice_tax_flaw(request.taxable_net_by_line, taxes) is None
    assert set(re.findall(r"\*\*`(\w+)`", page)) <= {
        *TaxCalculationRequest.model_fields,
        "tax_minor",
        "rate_bp",
        "note",
    }
