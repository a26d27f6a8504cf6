"""Bank statements are read entry by entry: each has its key, memory stays flat, and what is broken is refused."""

import gc
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.bank.domain.statements import camt, tabular
from services.invoicing.bank.domain.statements.statement_entries import (
    BankEntryKind,
    BankStatementClosingBalance,
    BankStatementEntry,
    BankStatementRefused,
    RefusedBankStatementEntry,
)
from services.invoicing.bank.domain.statements.tabular import BankColumnMapping
from tests.component.bank_statements import IBAN, Paid, build_camt_statement, join_statements

COLUMNS = BankColumnMapping(
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


def read(body: bytes) -> list[BankStatementEntry]:
    """The entries of a camt.053 document."""
    return [entry for entry in camt.read_camt_statement(body) if isinstance(entry, BankStatementEntry)]


def rows(*lines: str) -> list[BankStatementEntry]:
    """The entries of a CSV."""
    body = "\n".join(("day;amount;payer;text;id", *lines)).encode()
    return [entry for entry in tabular.read_csv_statement(body, COLUMNS) if isinstance(entry, BankStatementEntry)]


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
    entries = read(build_camt_statement(wanted, version=version))
    assert [entry.amount for entry in entries] == [entry.amount for entry in wanted]
    assert [entry.is_credit for entry in entries] == [entry.direction == "CRDT" for entry in wanted]
    assert [entry.text for entry in entries] == [" ".join(entry.text.split()) for entry in wanted]
    assert [entry.place for entry in entries] == list(range(1, len(wanted) + 1))
    assert all(entry.booked_on == date(2026, 3, 30) and entry.account == IBAN for entry in entries)


@given(st.lists(PAYMENTS, max_size=8))
def test_the_same_file_has_the_same_keys_and_entries_without_a_reference_have_their_own(wanted: list[Paid]) -> None:
    keys = [entry.key for entry in read(build_camt_statement(wanted))]
    assert keys == [entry.key for entry in read(build_camt_statement(wanted, version="02"))]
    unnamed = [key for key, entry in zip(keys, wanted, strict=True) if entry.reference in (None, "NONREF")]
    assert len(set(unnamed)) == len(unnamed)


@given(st.lists(PAYMENTS, max_size=6), st.lists(PAYMENTS, max_size=6))
def test_a_longer_file_gives_what_a_shorter_one_had_the_same_keys(first: list[Paid], more: list[Paid]) -> None:
    keys = [entry.key for entry in read(build_camt_statement(first))]
    assert [entry.key for entry in read(build_camt_statement([*first, *more]))][: len(first)] == keys


def batch(*parts: str, reference: str = "B-1", amount: str = "30.00", more: str = "", late: bool = True) -> str:
    """An entry of several transactions, each by its elements."""
    entry = Paid("", 0, reference=reference, more=more).xml(late=late).replace(">0.00<", f">{amount}<", 1)
    details = "".join(f"<TxDtls>{part}</TxDtls>" for part in parts)
    return f"{entry[: entry.index('<NtryDtls>')]}<NtryDtls>{details}</NtryDtls></Ntry>"


def part(amount: str, text: str = "", more: str = "") -> str:
    """A transaction of a batch."""
    return f'<Amt Ccy="EUR">{amount}</Amt>{more}<RmtInf><Ustrd>{text}</Ustrd></RmtInf>'


def test_parts_of_a_batch_have_its_reference_and_the_keys_under_which_they_were_taken() -> None:
    entries = read(build_camt_statement([batch(part("10.00", "a"), part("20.00", "b"))]))
    assert [entry.reference for entry in entries] == ["B-1", "B-1"]
    assert [former.key for entry in entries for former in entry.former_keys] == [
        "B-1/1 2026-03-30 1000 EUR credit",
        "B-1/2 2026-03-30 2000 EUR credit",
    ]


@pytest.mark.parametrize(
    ("amount", "parts", "kept"),
    [
        ("1474.00", [("900.00", ""), ("600.00", ""), ("26.00", "DBIT")], [90_000, 60_000, -2_600]),
        ("1474.00", [("900.00", "CRDT"), ("600.00", ""), ("26.00", "DBIT")], [90_000, 60_000, -2_600]),
        ("1474.00", [("900.00", ""), ("600.00", "")], [147_400]),
        ("1500.00", [("900.00", ""), ("600.00", "")], [90_000, 60_000]),
        ("1500.00", [("900.00", ""), ("600.00", "DBIT")], [150_000]),
        ("1500.00", [("900.00", ""), ("six hundred", "")], [150_000]),
    ],
)
def test_parts_have_their_own_sign_and_add_up_to_the_entry(
    amount: str, parts: list[tuple[str, str]], kept: list[int]
) -> None:
    marks = [f"<CdtDbtInd>{sign}</CdtDbtInd>" * bool(sign) for _, sign in parts]
    details = [part(money, more=mark) for (money, _), mark in zip(parts, marks, strict=True)]
    entries = read(build_camt_statement([batch(*details, amount=amount)]))
    assert [entry.amount if entry.is_credit else -entry.amount for entry in entries] == kept
    whole = BankEntryKind.COLLECTIVE if len(kept) == 1 else BankEntryKind.RECEIPT
    assert [entry.kind for entry in entries] == [whole if minor > 0 else BankEntryKind.DEBIT for minor in kept]


def test_a_batch_that_was_taken_in_parts_is_known_by_each() -> None:
    (entry,) = read(build_camt_statement([batch(part("10.00", "a"), part("20.00", "b"), amount="29.00")]))
    assert [(former.key, former.text) for former in entry.former_keys] == [
        ("B-1/1 2026-03-30 1000 EUR credit", "a"),
        ("B-1/2 2026-03-30 2000 EUR credit", "b"),
    ]


def test_a_transaction_of_a_batch_that_is_taken_back_is_a_return() -> None:
    returned = part("2.00", more="<CdtDbtInd>DBIT</CdtDbtInd><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
    entries = read(build_camt_statement([batch(part("10.00"), returned, amount="8.00")]))
    assert [(entry.kind, entry.is_credit) for entry in entries] == [
        (BankEntryKind.RECEIPT, True),
        (BankEntryKind.RETURN, False),
    ]


@pytest.mark.parametrize("sign", ["CREDIT", "C"])
def test_a_transaction_of_another_sign_is_refused(sign: str) -> None:
    with pytest.raises(BankStatementRefused, match="entry 1: CdtDbtInd"):
        read(build_camt_statement([batch(part("10.00", more=f"<CdtDbtInd>{sign}</CdtDbtInd>"), part("20.00"))]))


@pytest.mark.parametrize(
    ("count", "details", "kind"),
    [
        ("<NbOfTxs>3</NbOfTxs>", "", BankEntryKind.COLLECTIVE),
        ("", "", BankEntryKind.COLLECTIVE),
        ("<NbOfTxs>1</NbOfTxs>", "", BankEntryKind.RECEIPT),
        ("<NbOfTxs>2</NbOfTxs>", "<TxDtls><RmtInf><Ustrd>a</Ustrd></RmtInf></TxDtls>", BankEntryKind.COLLECTIVE),
        ("<NbOfTxs>1</NbOfTxs>", "<TxDtls><RmtInf><Ustrd>a</Ustrd></RmtInf></TxDtls>", BankEntryKind.RECEIPT),
    ],
)
def test_what_the_bank_tells_of_a_batch_alone_is_collective(count: str, details: str, kind: BankEntryKind) -> None:
    batch_details = f"<Btch><MsgId>MSG-7</MsgId><PmtInfId>BATCH-7</PmtInfId>{count}</Btch>{details}"
    entry = batch().replace("<NtryDtls></NtryDtls>", f"<NtryDtls>{batch_details}</NtryDtls>")
    (whole,) = read(build_camt_statement([entry]))
    assert (whole.kind, whole.amount, whole.ids) == (kind, 3000, ("BATCH-7", "MSG-7"))


@pytest.mark.parametrize(
    ("details", "of_entry", "text"),
    [
        ("<AddtlTxInf>invoice 7</AddtlTxInf>", "", "invoice 7"),
        ("<RmtInf><Ustrd>a</Ustrd></RmtInf><AddtlTxInf>invoice 7</AddtlTxInf>", "", "a invoice 7"),
        ("<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>", "invoice 7", "invoice 7"),
        ("<Refs><EndToEndId>notprovided</EndToEndId></Refs><AddtlTxInf>a</AddtlTxInf>", "", "a"),
        ("<RmtInf><Ustrd>a</Ustrd></RmtInf>", "transfer of invoice 7", "a transfer of invoice 7"),
        ("<RmtInf><Ustrd>invoice 7 of May</Ustrd></RmtInf>", "invoice 7", "invoice 7 of May"),
        ("<RmtInf><Strd><AddtlRmtInf>invoice 7</AddtlRmtInf></Strd></RmtInf>", "", "invoice 7"),
        ("", "invoice 7", "invoice 7"),
    ],
)
def test_all_text_of_a_payment_is_read(details: str, of_entry: str, text: str) -> None:
    entry = batch(details).replace("</Ntry>", f"<AddtlNtryInf>{of_entry}</AddtlNtryInf></Ntry>")
    (entry_with_batch,) = read(build_camt_statement([entry]))
    assert entry_with_batch.text == text
    assert entry_with_batch.ids == ()


@pytest.mark.parametrize("name", ["<Nm>{}</Nm>", "<Pty><Nm>{}</Nm></Pty>"])
def test_the_payer_is_who_owes_it_and_who_paid_for_them_stands_in_the_text(name: str) -> None:
    payer, paid_by = (f"<{party}>{name.format(who)}</{party}>" for party, who in (("UltmtDbtr", "A"), ("Dbtr", "B")))
    parties = [paid_by + payer, payer, paid_by, payer + paid_by.replace("B", "A")]
    entries = read(build_camt_statement([batch(f"<RltdPties>{some}</RltdPties>") for some in parties]))
    assert [(entry.payer, entry.text) for entry in entries] == [("A", "B"), ("A", ""), ("B", ""), ("A", "")]


def test_why_a_debit_was_returned_is_told() -> None:
    reasons = ["<Rsn><Cd>AM04</Cd></Rsn><AddtlInf>no funds</AddtlInf>", "<Rsn><Prtry>X-1</Prtry></Rsn>", ""]
    details = [f"<RmtInf><Ustrd>a</Ustrd></RmtInf><RtrInf>{reason}</RtrInf>" for reason in reasons]
    entries = read(build_camt_statement([batch(part) for part in details]))
    assert [entry.return_reason for entry in entries] == ["AM04 no funds", "X-1", None]
    assert [entry.text for entry in entries] == ["a AM04 no funds", "a X-1", "a"]
    assert {entry.kind for entry in entries} == {BankEntryKind.RETURN}


def test_an_entry_of_which_more_is_read_is_known_by_what_was_read_at_first() -> None:
    details = "<RmtInf><Ustrd>a</Ustrd></RmtInf><RltdPties><UltmtDbtr><Nm>A</Nm></UltmtDbtr></RltdPties>"
    (entry,) = read(build_camt_statement([batch(f"{details}<AddtlTxInf>more</AddtlTxInf>")]))
    assert (entry.payer, entry.text) == ("A", "a more")
    assert [(former.key, former.payer, former.text) for former in entry.former_keys] == [
        ("B-1 2026-03-30 3000 EUR credit", None, "a")
    ]


def test_what_is_said_of_a_batch_is_no_text_of_its_parts() -> None:
    about_all = "<AddtlNtryInf>GS-DE-00000001</AddtlNtryInf>"
    split = batch(part("10.00", "a"), part("20.00")).replace("</Ntry>", f"{about_all}</Ntry>")
    whole = batch(part("10.00"), part("20.00"), amount="31.00").replace("</Ntry>", f"{about_all}</Ntry>")
    assert [entry.text for entry in read(build_camt_statement([split, whole]))] == ["a", "", "GS-DE-00000001"]


def test_entries_of_two_statements_are_counted_apart() -> None:
    equal = [Paid("rent", 300, reference="B-1")] * 2
    body = join_statements(build_camt_statement(equal), build_camt_statement(equal))
    first, second, third, fourth = (entry.key for entry in read(body))
    assert (first, second) == (third, fourth)
    assert first != second


def _peak(entries: Sequence[Paid]) -> int:
    """Measure the memory (bytes) at the peak of reading, beside the file; what the first reading keeps is no part."""
    body = build_camt_statement(entries)
    for _ in camt.read_camt_statement(body):
        pass
    gc.collect()
    tracemalloc.start()
    try:
        for _ in camt.read_camt_statement(body):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file() -> None:
    """Beside the file itself; with a tree of the whole it would grow fivefold."""
    some = [Paid(f"payment {n}", n + 1) for n in range(200)]
    assert _peak(some * 5) < 1.5 * _peak(some)


def test_closing_balances_are_told() -> None:
    assert BankStatementClosingBalance(IBAN, date(2026, 3, 31)) in list(
        camt.read_camt_statement(build_camt_statement([], day="2026-03-31"))
    )


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
        build_camt_statement([Paid("x", 1, reference="B" * 141)]),
        build_camt_statement([Paid("x", 10**17)]),
    ],
    ids=("empty", "cut off", "no xml", "another", "encoding", "deep", "no text", "doctype", "reference", "amount"),
)
def test_what_is_no_statement_is_refused(document: bytes) -> None:
    with pytest.raises(BankStatementRefused):
        read(document)


@given(st.binary(max_size=200), st.text(max_size=60))
def test_whatever_comes_is_read_or_refused(body: bytes, row: str) -> None:
    """Nothing else is raised: that would be a 500."""
    with suppress(BankStatementRefused):
        read(body)
    with suppress(BankStatementRefused):
        list(tabular.read_csv_statement(body, COLUMNS))
    with suppress(BankStatementRefused):
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
        ("1.234,56-", 123_456, False),
        ("12,00 -", 1200, False),
        ("12,00+", 1200, True),
        ("\u221212,00", 1200, False),
        ("1'234,56", 123_456, True),
        ("1\u2019234\u2019567,00-", 123_456_700, False),
        ("1\u202f234,56", 123_456, True),
        ("1.234,56 €", 123_456, True),
        ("€ -12,00", 1200, False),
        ("-€12,00", 1200, False),
        ("12,00- €", 1200, False),
        ("EUR 12,00", 1200, True),
        ("-12,00 EUR", 1200, False),
    ],
)
def test_german_numbers(written: str, minor: int, is_credit: bool) -> None:
    (entry,) = rows(f"30.03.2026;{written};A;B;1")
    assert (entry.amount, entry.is_credit) == (minor, is_credit)


OTHER_MARKS = (
    "-12,00-",
    "12-,00",
    "1'23,00",
    "1'234.567,00",
    "$12,00",
    "USD 12,00",
    "12,00 €€",
    "€12,00 EUR",
    "€",
    "-",
    "+-",
    "EUR",
    "(12,00)",
    "+12,00-",
    "12,00*",
)


@pytest.mark.parametrize(
    "written",
    ["12.50", "1.23,4", "1,2,3", "--1", "1e3", "", "12,345", "0x1", "１２", "1.2345,00", *OTHER_MARKS],
)
def test_a_number_of_another_form_is_refused(written: str) -> None:
    """12.50 above all: read as 1250 it would be a hundred times as much."""
    with pytest.raises(BankStatementRefused):
        rows(f"30.03.2026;{written};A;B;1")


def test_a_sign_of_another_currency_than_the_euro_is_no_euro() -> None:
    dollars = replace(COLUMNS, fixed_currency="USD", decimal_separator=".")
    body = "day;amount;payer;text;id\n30.03.2026;{};A;B;1".format
    (entry,) = (
        entry
        for entry in tabular.read_csv_statement(body("$1,234.50").encode(), dollars)
        if isinstance(entry, BankStatementEntry)
    )
    assert (entry.amount, entry.currency) == (123_450, "USD")
    with pytest.raises(BankStatementRefused):
        list(tabular.read_csv_statement(body("€1,234.50").encode(), dollars))


def test_lines_before_the_header_are_passed_over() -> None:
    before = '\ufeff"Account";DE02\n\nPeriod;March;2026\ntext;amount\n'
    body = f"{before}day;amount;payer;text;id\n30.03.2026;1,00;A;B;1\n".encode()
    (entry,) = (entry for entry in tabular.read_csv_statement(body, COLUMNS) if isinstance(entry, BankStatementEntry))
    assert (entry.place, entry.amount, entry.text) == (1, 100, "B")


@pytest.mark.parametrize(
    ("header", "lines_before", "field"),
    [
        ("day;amount;payer;text", 0, "id"),
        ("day;amount;amount;payer;text;id", 0, "amount"),
        ("day;amount;payer;text;id", 100, "amount"),
    ],
)
def test_a_file_without_its_columns_is_refused(header: str, lines_before: int, field: str) -> None:
    body = "a line\n" * lines_before + f"{header}\n"
    with pytest.raises(BankStatementRefused, match=f"the statement: {field}: the file does not have this column once"):
        list(tabular.read_csv_statement(body.encode(), COLUMNS))


def test_an_entry_without_a_booking_date_is_refused_alone() -> None:
    entries = [Paid("a", 100), Paid("b", 200), Paid("c", 300)]
    body = build_camt_statement(entries).decode()
    start, end = body.index("<BookgDt>", body.index(">2.00<")), body.index("</BookgDt>", body.index(">2.00<"))
    first, second, third = (
        entry
        for entry in camt.read_camt_statement((body[:start] + body[end + 10 :]).encode())
        if not isinstance(entry, BankStatementClosingBalance)
    )
    assert second == RefusedBankStatementEntry(2, IBAN, "BookgDt", "missing")
    assert isinstance(first, BankStatementEntry)
    assert isinstance(third, BankStatementEntry)
    assert [(entry.place, entry.text) for entry in (first, third)] == [(1, "a"), (3, "c")]


def test_rows_that_share_an_id_are_apart_unless_they_are_equal_in_all() -> None:
    entries = rows(*(f"30.03.2026;70,00;{payer};{text};1" for payer, text in ("Ax", "Bx", "Ay", "Ax")))
    assert [entry.reference for entry in entries] == ["1"] * 4
    assert len({entry.key for entry in entries}) == 4
    assert entries[0].key.endswith(" 1")
    assert entries[3].key == entries[0].key[:-1] + "2"


def test_nothing_moved_is_kept() -> None:
    (entry,) = rows("30.03.2026;0,00;A;B;1")
    assert (entry.amount, entry.kind) == (0, BankEntryKind.DEBIT)


def test_what_hides_in_a_text_of_a_bank_is_left_out_and_the_key_is_that_of_what_was_written() -> None:
    (entry,) = rows("30.03.2026;1,00;Account\u202e 17;GS-DE\u200b-00000001;1")
    (plain,) = rows("30.03.2026;1,00;Account 17;GS-DE-00000001;1")
    assert (entry.payer, entry.text) == ("Account 17", "GS-DE-00000001")
    assert entry.key != plain.key
