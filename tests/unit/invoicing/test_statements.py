"""Bank statements are read entry by entry: each has its key, memory stays flat, and what is broken is refused."""

import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.statements import Closing, Entry, EntryKind, StatementRefused, camt, tabular
from services.invoicing.domain.statements.tabular import Columns
from tests.component.bank_statements import IBAN, Paid, join_statements
from tests.component.bank_statements import camt as statement

COLUMNS = Columns(
    bank_account=IBAN,
    booked_on="day",
    amount="amount",
    currency=None,
    fixed_currency="EUR",
    sign=None,
    credit_signs=(),
    debit_signs=(),
    payer="payer",
    text=("text",),
    entry_id="id",
    decimal_separator=",",
    date_format="%d.%m.%Y",
    delimiter=";",
    encoding="utf-8",
)


def read(body: bytes) -> list[Entry]:
    """The entries of a camt.053 document."""
    return [one for one in camt.read(body) if isinstance(one, Entry)]


def rows(*lines: str) -> list[Entry]:
    """The entries of a CSV."""
    body = "\n".join(("day;amount;payer;text;id", *lines)).encode()
    return [one for one in tabular.read(body, COLUMNS) if isinstance(one, Entry)]


WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=20)
PAYMENTS = st.builds(
    Paid,
    text=WORDS,
    amount=st.integers(1, 10**12),
    payer=WORDS,
    reference=st.sampled_from((None, "NONREF", "B-1", "B-2")),
    direction=st.sampled_from(("CRDT", "DBIT")),
)


@given(st.lists(PAYMENTS, max_size=8), st.sampled_from(("02", "08", "13")))
def test_an_entry_is_read_as_it_was_written(wanted: list[Paid], version: str) -> None:
    found = read(statement(wanted, version=version))
    assert [one.amount for one in found] == [one.amount for one in wanted]
    assert [one.is_credit for one in found] == [one.direction == "CRDT" for one in wanted]
    assert [one.text for one in found] == [" ".join(one.text.split()) for one in wanted]
    assert [one.place for one in found] == list(range(1, len(wanted) + 1))
    assert all(one.booked_on == date(2026, 3, 30) and one.account == IBAN for one in found)


@given(st.lists(PAYMENTS, max_size=8))
def test_the_same_file_has_the_same_keys_and_entries_without_a_reference_have_their_own(wanted: list[Paid]) -> None:
    keys = [one.key for one in read(statement(wanted))]
    assert keys == [one.key for one in read(statement(wanted, version="02"))]
    unnamed = [key for key, one in zip(keys, wanted, strict=True) if one.reference in (None, "NONREF")]
    assert len(set(unnamed)) == len(unnamed)


@given(st.lists(PAYMENTS, max_size=6), st.lists(PAYMENTS, max_size=6))
def test_a_longer_file_gives_what_a_shorter_one_had_the_same_keys(first: list[Paid], more: list[Paid]) -> None:
    keys = [one.key for one in read(statement(first))]
    assert [one.key for one in read(statement([*first, *more]))][: len(first)] == keys


def batch(*parts: str, reference: str = "B-1", amount: str = "30.00", more: str = "", late: bool = True) -> str:
    """An entry of several transactions, each by its elements."""
    entry = Paid("", 0, reference=reference, more=more).xml(late=late).replace(">0.00<", f">{amount}<", 1)
    details = "".join(f"<TxDtls>{part}</TxDtls>" for part in parts)
    return f"{entry[: entry.index('<NtryDtls>')]}<NtryDtls>{details}</NtryDtls></Ntry>"


def part(amount: str, text: str = "", more: str = "") -> str:
    """A transaction of a batch."""
    return f'<Amt Ccy="EUR">{amount}</Amt>{more}<RmtInf><Ustrd>{text}</Ustrd></RmtInf>'


def test_parts_of_a_batch_have_its_reference_and_the_keys_under_which_they_were_taken() -> None:
    entries = read(statement([batch(part("10.00", "a"), part("20.00", "b"))]))
    assert [entry.reference for entry in entries] == ["B-1", "B-1"]
    assert [former.key for entry in entries for former in entry.former_keys] == [
        "B-1/1 2026-03-30 1000 EUR credit",
        "B-1/2 2026-03-30 2000 EUR credit",
    ]


def test_entries_of_two_statements_are_counted_apart() -> None:
    equal = [Paid("rent", 300, reference="B-1")] * 2
    body = join_statements(statement(equal), statement(equal))
    first, second, third, fourth = (entry.key for entry in read(body))
    assert (first, second) == (third, fourth)
    assert first != second


def _peak(entries: Sequence[Paid]) -> int:
    body = statement(entries)
    tracemalloc.start()
    try:
        for _ in camt.read(body):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file() -> None:
    """Beside the file itself; with a tree of the whole it would grow tenfold."""
    some = [Paid(f"payment {n}", n + 1) for n in range(500)]
    assert _peak(some * 10) < 1.5 * _peak(some)


def test_closing_balances_are_told() -> None:
    assert Closing(IBAN, date(2026, 3, 31)) in list(camt.read(statement([], day="2026-03-31")))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a>",
        b"no xml",
        b"<Document><Other/></Document>",
        b'<?xml version="1.0" encoding="unheard-of"?><Document/>',
        b"<a>" * 100 + b"</a>" * 100,
        b"\xff\xfe\x00",
        b"<!DOCTYPE a><Document/>",
        statement([Paid("x", 1, reference="B" * 141)]),
        statement([Paid("x", 10**17)]),
    ],
    ids=("empty", "cut off", "no xml", "another", "encoding", "deep", "no text", "doctype", "reference", "amount"),
)
def test_what_is_no_statement_is_refused(document: bytes) -> None:
    with pytest.raises(StatementRefused):
        read(document)


@given(st.binary(max_size=200), st.text(max_size=60))
def test_whatever_comes_is_read_or_refused(body: bytes, row: str) -> None:
    """Nothing else is raised: that would be a 500."""
    with suppress(StatementRefused):
        read(body)
    with suppress(StatementRefused):
        list(tabular.read(body, COLUMNS))
    with suppress(StatementRefused):
        rows(row)


@pytest.mark.parametrize(
    ("written", "minor", "is_credit"),
    [
        ("1.234,56", 123_456, True),
        ("-1.234,56", 123_456, False),
        ("+12", 1200, True),
        ("1234,5", 123_450, True),
        ("1.234.567", 123_456_700, True),
        (" 12,00 ", 1200, True),
    ],
)
def test_german_numbers(written: str, minor: int, is_credit: bool) -> None:
    (entry,) = rows(f"30.03.2026;{written};A;B;1")
    assert (entry.amount, entry.is_credit) == (minor, is_credit)


@pytest.mark.parametrize(
    "written", ["12.50", "1.23,4", "1,2,3", "--1", "1e3", "", "12,345", "0x1", "１２", "1.2345,00"]
)
def test_a_number_of_another_form_is_refused(written: str) -> None:
    """12.50 above all: read as 1250 it would be a hundred times as much."""
    with pytest.raises(StatementRefused):
        rows(f"30.03.2026;{written};A;B;1")


def test_nothing_moved_is_kept() -> None:
    (entry,) = rows("30.03.2026;0,00;A;B;1")
    assert (entry.amount, entry.kind) == (0, EntryKind.DEBIT)
