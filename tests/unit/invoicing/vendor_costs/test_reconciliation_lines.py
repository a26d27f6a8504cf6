"""How a reconciliation file is read: both layouts, in any order and case; and what is broken, by line and column."""

import gzip
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.files import repository as files_repository
from services.invoicing.files.domain import file_layouts
from services.invoicing.files.domain.broken_lines import MOST_REPORTED
from services.invoicing.files.domain.file_layouts import UploadedFileLayout, UploadedFileUnreadable
from services.invoicing.vendor_costs.domain.vendor_line import VendorFileLine
from services.invoicing.vendor_costs.domain.vendor_lines import VendorFileLines
from tests.vendor_files import BilledLine, as_csv, as_json_lines

CSV, JSON_LINES = UploadedFileLayout.CSV, UploadedFileLayout.JSON_LINES
CENTS = st.integers(-(10**12), 10**12)
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
WORDS = st.text(st.characters(min_codepoint=33, codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1)


@st.composite
def billed_lines(draw: st.DrawFn) -> BilledLine:
    starts = draw(DAYS)
    return BilledLine(
        subscription=draw(WORDS),
        customer=draw(WORDS),
        charge_type=draw(st.sampled_from(["new", "renew", "cycleCharge", "addQuantity", "customerCredit", "other"])),
        quantity=draw(st.integers(-999_999_999, 999_999_999)),
        subtotal=draw(st.integers(-(10**11), 10**11)),
        tax=draw(st.integers(-(10**11), 10**11)),
        starts=starts,
        ends=starts + timedelta(days=draw(st.integers(0, 400))),
    )


def read(
    content: bytes, layout: UploadedFileLayout = CSV, currency: str = "EUR"
) -> tuple[list[VendorFileLine], VendorFileLines]:
    """Return what is read of a file's content, and its reader."""
    lines = VendorFileLines(layout, currency)
    return list(lines.read_vendor_lines(files_repository.read_unpacked_file_lines(io.BytesIO(content)))), lines


def list_flaws(
    content: bytes, layout: UploadedFileLayout = CSV, currency: str = "EUR"
) -> list[tuple[int, str | None, str]]:
    """List what is broken in a file, of which nothing must be taken then."""
    flaws = read(content, layout, currency)[1].broken_lines
    assert flaws
    return [(flaw.line, flaw.column, flaw.message) for flaw in flaws]


def derive_meaning(number: int, line: BilledLine) -> tuple[Any, ...]:
    """Work out what a line of the vendor's means, from its cents and days."""
    modelled = line.charge_type in ("new", "renew", "cycleCharge", "addQuantity")
    return (
        number,
        line.customer,
        line.subscription,
        line.charge_type,
        line.charge_type if modelled else None,
        Decimal(line.quantity),
        line.subtotal,
        line.tax,
        line.subtotal + line.tax,
        line.starts.isoformat(),
        date.fromordinal(line.ends.toordinal() + 1).isoformat(),
        {"PartnerId": "4711"},
    )


def flatten_line(parsed: VendorFileLine) -> tuple[Any, ...]:
    return (
        parsed.line,
        parsed.vendor_customer_id,
        parsed.vendor_subscription_id,
        parsed.charge_type,
        parsed.kind,
        Decimal(parsed.quantity),
        parsed.subtotal_minor,
        parsed.tax_minor,
        parsed.total_minor,
        parsed.period_from,
        parsed.period_to,
        json.loads(parsed.extra or "null"),
    )


@given(lines=st.lists(billed_lines(), max_size=6), names=st.permutations(list(BilledLine().fields())))
def test_both_layouts_are_read_as_what_they_mean(lines: list[BilledLine], names: Sequence[str]) -> None:
    from_csv, summed = read(as_csv(lines, names))
    assert summed.broken_lines == []
    assert [flatten_line(parsed) for parsed in from_csv] == [
        derive_meaning(number, line) for number, line in enumerate(lines, 2)
    ]
    assert (summed.count, summed.total_minor) == (len(lines), sum(line.subtotal + line.tax for line in lines))
    assert summed.tax_minor == sum(line.tax for line in lines)
    for packed, numbers in ((False, False), (False, True), (True, False), (True, True)):
        from_json, again = read(as_json_lines(lines, packed=packed, numbers=numbers), JSON_LINES)
        assert again.broken_lines == []
        assert [parsed._replace(line=parsed.line + 1) for parsed in from_json] == from_csv


def line(**changed: Any) -> bytes:
    """One JSON line, with fields changed; None takes the field away."""
    fields = {**BilledLine().fields(), **changed}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode() + b"\n"


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"Subtotal": "12.345"}, "Subtotal"),
        ({"Subtotal": "1e2"}, "Subtotal"),
        ({"Subtotal": "1_000.00"}, "Subtotal"),
        ({"Total": "12,50"}, "Total"),
        ({"Total": "NaN"}, "Total"),
        ({"Total": "10000000000.01"}, "Total"),
        ({"TaxTotal": ""}, "TaxTotal"),
        ({"TaxTotal": None}, "TaxTotal"),
        ({"TaxTotal": True}, "TaxTotal"),
        ({"UnitPrice": "ten"}, "UnitPrice"),
        ({"EffectiveUnitPrice": "x"}, "EffectiveUnitPrice"),
        ({"Quantity": "1/2"}, "Quantity"),
        ({"Quantity": [1]}, "Quantity"),
        ({"Currency": "USD"}, "Currency"),
        ({"ChargeStartDate": "13/01/2026"}, "ChargeStartDate"),
        ({"ChargeStartDate": "3/1/26"}, "ChargeStartDate"),
        ({"ChargeStartDate": "3/1/2026 24:00"}, "ChargeStartDate"),
        ({"ChargeEndDate": "2/30/2026"}, "ChargeEndDate"),
        ({"BillableQuantity": "ten"}, "BillableQuantity"),
        ({"ChargeStartDate": "2026-02-30"}, "ChargeStartDate"),
        ({"ChargeStartDate": "2026-03-01T25:00:00Z"}, "ChargeStartDate"),
        ({"ChargeStartDate": "0001-01-01T00:00:00Z"}, "ChargeStartDate"),
        ({"ChargeEndDate": "2026-02-28"}, "ChargeEndDate"),
        ({"ChargeEndDate": ""}, "ChargeEndDate"),
        ({"SubscriptionId": " "}, "SubscriptionId"),
        ({"CustomerId": "a\nb"}, "CustomerId"),
        ({"CustomerId": "x" * 501}, "CustomerId"),
        ({"ChargeType": None}, "ChargeType"),
        ({"total": "1"}, "Total"),
        ({"PartnerId": "\x00"}, None),
        ({"PartnerId": "\ud800"}, None),
    ],
)
def test_what_is_broken_is_told_by_line_and_column(changed: dict[str, Any], column: str | None) -> None:
    flaws = list_flaws(line() + line(**changed) + line(), JSON_LINES)
    assert [flaw[:2] for flaw in flaws] == [(2, column)]


def test_a_float_is_never_made_of_a_number() -> None:
    text = line().decode().replace('"4711"', "0.10000000000000000000000000001")
    (parsed,), _ = read(text.encode(), JSON_LINES)
    assert parsed.extra == '{"PartnerId":"0.10000000000000000000000000001"}'


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_an_amount_has_the_decimals_of_its_currency(currency: str) -> None:
    amounts = {"EUR": ("1.50", 150), "JPY": ("15", 15), "KWD": ("0.015", 15)}
    text, minor = amounts[currency]
    named = {"Subtotal": text, "TaxTotal": "0", "Total": text, "Currency": currency}
    (parsed,), _ = read(line(**named), JSON_LINES, currency)
    assert (parsed.subtotal_minor, parsed.tax_minor) == (minor, 0)
    named["Subtotal"] = f"{text}{'' if '.' in text else '.'}1"
    assert list_flaws(line(**named), JSON_LINES, currency)[0][:2] == (1, "Subtotal")


def test_names_in_any_case_and_a_mark_before_them_are_read() -> None:
    content = as_csv([BilledLine()])
    header, _, rest = content.partition(b"\r\n")
    (parsed,), _ = read(b"\xef\xbb\xbf" + header.upper().replace(b",", b" , ") + b"\r\n" + rest)
    assert flatten_line(parsed)[:-1] == derive_meaning(2, BilledLine())[:-1]


@pytest.mark.parametrize("column", ["SubscriptionId", "Quantity", "Total", "ChargeEndDate"])
def test_a_missing_column_is_told_once(column: str) -> None:
    names = [name for name in BilledLine().fields() if name != column]
    assert list_flaws(as_csv([BilledLine()] * 3, names)) == [(1, column, "the column is missing")]


def test_a_column_that_is_there_twice_is_refused() -> None:
    names = [*BilledLine().fields(), "Total"]
    assert list_flaws(as_csv([BilledLine()], names)) == [(1, "Total", "the column is there twice")]


def test_the_first_broken_lines_are_told_and_no_more() -> None:
    content = as_csv([BilledLine(currency="USD")] * 30)
    assert [flaw[0] for flaw in list_flaws(content)] == list(range(2, 2 + MOST_REPORTED))


def test_nothing_is_taken_after_a_broken_line() -> None:
    taken, lines = read(as_csv([BilledLine(), BilledLine(currency="USD"), BilledLine()]))
    assert (len(taken), [flaw.line for flaw in lines.broken_lines]) == (1, [3])


@pytest.mark.parametrize(
    ("content", "layout", "number", "said"),
    [
        (as_csv([BilledLine()]).decode().encode("utf-16"), CSV, 1, "is not UTF-8"),
        (as_csv([BilledLine("caf\xe9")]).decode().encode("latin-1"), CSV, 2, "is not UTF-8"),
        (as_csv([BilledLine()]) + b"a,b\n", CSV, 3, "the line has 2 values, and there are 15 columns"),
        (as_csv([BilledLine()]) + b'"a', CSV, 3, "is no CSV: unexpected end of data"),
        (as_csv([BilledLine()]) + b"\0\n", CSV, 3, "has a NUL character"),
        (b"", CSV, 1, "the file has no header"),
        (line() + b"{\n", JSON_LINES, 2, "is no JSON"),
        (line() + b'{"a": NaN}\n', JSON_LINES, 2, "is no JSON: NaN is no number"),
        (line() + b"[" * 100_000 + b"\n", JSON_LINES, 2, "is no JSON"),
        (line() + b"[1]\n", JSON_LINES, 2, "is no JSON object"),
        (gzip.compress(line())[:-9], JSON_LINES, 2, "the gzip is broken here"),
        (gzip.compress(line() * 2000)[:-20], JSON_LINES, None, "the gzip is broken here"),
        (gzip.compress(line()) + b"more", JSON_LINES, 2, "the gzip is broken here"),
        (gzip.compress(line())[:12] + b"\xff" * 30, JSON_LINES, 1, "the gzip is broken here"),
        (b" " * (files_repository.LONGEST_LINE + 1), CSV, 1, f"is longer than {files_repository.LONGEST_LINE} bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_says_where(
    content: bytes, layout: UploadedFileLayout, number: int | None, said: str
) -> None:
    flaws = list_flaws(content, layout)
    assert flaws[0][2].startswith(said)
    assert number is None or flaws[0][0] == number


def test_a_file_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_layouts, "MOST_LINES", 3)
    assert read(line() * 3, JSON_LINES)[1].broken_lines == []
    assert list_flaws(line() * 4, JSON_LINES) == [(3, None, "the file has more than 3 lines")]


def test_what_we_do_not_model_needs_no_subscription_nor_days() -> None:
    credit = {"ChargeType": "customerCredit", "SubscriptionId": "", "ChargeStartDate": None, "ChargeEndDate": None}
    lacking = {"ChargeType": "NEW", "SubscriptionId": ""}
    fields = BilledLine().fields() | {name: value or "" for name, value in credit.items()}
    (parsed,), _ = read(json.dumps(fields).encode(), JSON_LINES)
    assert (parsed.kind, parsed.vendor_subscription_id, parsed.period_from, parsed.period_to) == (
        None,
        None,
        None,
        None,
    )
    assert list_flaws(line(**lacking), JSON_LINES)[0][:2] == (1, "SubscriptionId")
    (other,), _ = read(line(ChargeType="ADDQUANTITY"), JSON_LINES)
    assert (other.kind, other.charge_type) == ("addQuantity", "ADDQUANTITY")


@pytest.mark.parametrize(
    ("starts", "ends", "period"),
    [
        ("4/1/2026", "4/30/2026", ("2026-04-01", "2026-05-01")),
        ("2/1/2019 0:00", "2/28/2019 0:00", ("2019-02-01", "2019-03-01")),
        ("02/01/2024 12:00:00 AM", "02/29/2024 11:59:59 PM", ("2024-02-01", "2024-03-01")),
        ("2026-04-01", "4/30/2026", ("2026-04-01", "2026-05-01")),
    ],
)
def test_dates_are_read_as_the_portal_writes_them(starts: str, ends: str, period: tuple[str, str]) -> None:
    (parsed,), _ = read(line(ChargeStartDate=starts, ChargeEndDate=ends), JSON_LINES)
    assert (parsed.period_from, parsed.period_to) == period


def test_a_guid_is_read_in_lower_case_and_other_ids_as_they_are() -> None:
    guid = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"
    (parsed,), _ = read(line(CustomerId=guid, SubscriptionId="Vendor-1"), JSON_LINES)
    assert (parsed.vendor_customer_id, parsed.vendor_subscription_id) == (
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "Vendor-1",
    )


@pytest.mark.parametrize(
    ("billable", "quantity", "replaced"), [("3", "3", "10"), ("-2", "-2", "10"), ("10", "10", None), ("", "10", None)]
)
def test_the_billable_quantity_is_what_is_billed(billable: str, quantity: str, replaced: str | None) -> None:
    (parsed,), _ = read(line(BillableQuantity=billable), JSON_LINES)
    assert (parsed.quantity, json.loads(parsed.extra or "{}").get("Quantity")) == (quantity, replaced)


def test_reading_ends_with_what_it_is_read_from() -> None:
    def raw() -> Iterable[bytes]:
        yield line()
        raise UploadedFileUnreadable("gone")

    lines = VendorFileLines(JSON_LINES, "EUR")
    assert len(list(lines.read_vendor_lines(raw()))) == 1
    assert [(flaw.line, flaw.message) for flaw in lines.broken_lines] == [(2, "gone")]
