"""Files that were made to take all time or memory are refused after a little of either."""

from collections.abc import Iterator

import pytest

from services.invoicing.bank.domain.statements import camt, tabular
from services.invoicing.bank.domain.statements.camt import MAX_TOKEN_BYTES
from services.invoicing.bank.domain.statements.statement_entries import BankStatementRefused
from services.invoicing.files.domain.broken_lines import MOST_REPORTED
from services.invoicing.files.domain.file_columns import MOST_COLUMNS, FileColumnNames, FileLineColumns
from services.invoicing.files.domain.file_layouts import ParsedFileLines, UploadedFileLayout
from services.invoicing.files.domain.file_rows import LONGEST_ROW

BEGINNING = b"<Document><BkToCstmrStmt><Stmt><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>"
END = b"</Stmt></BkToCstmrStmt></Document>"


class CountedBytes(bytes):
    """A file of which it is known how far it was read (bytes)."""

    read_bytes = 0

    def __getitem__(self, place: slice) -> bytes:  # type: ignore[override]
        self.read_bytes = max(self.read_bytes, place.stop)
        return super().__getitem__(place)


@pytest.mark.parametrize("opening", [b'<Ntry a="', b"<Ntry ", b"<!--", b"<?a ", b"<"])
def test_a_tag_that_goes_on_and_on_is_not_read_to_its_end(opening: bytes) -> None:
    body = CountedBytes(BEGINNING + opening + b"x" * (16 << 20) + END)
    with pytest.raises(BankStatementRefused, match="a tag or comment of more than 262144 bytes"):
        list(camt.read_camt_statement(body))
    assert body.read_bytes < 4 * MAX_TOKEN_BYTES


def test_a_tag_as_long_as_may_be_is_read() -> None:
    long = b'<Ntry a="' + b"x" * (MAX_TOKEN_BYTES - 70_000) + b'"><Sts>INFO</Sts></Ntry>'
    assert list(camt.read_camt_statement(BEGINNING + long + END)) == []


def test_texts_may_be_long() -> None:
    entry = b"<Ntry><Sts>INFO</Sts><AddtlNtryInf>" + b"x" * (8 << 20) + b"</AddtlNtryInf></Ntry>"
    assert list(camt.read_camt_statement(BEGINNING + entry + END)) == []


def test_an_entry_has_not_all_too_many_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt, "MAX_ELEMENTS", 1000)
    entry = b"<Ntry><Sts>INFO</Sts>%s</Ntry>"
    assert list(camt.read_camt_statement(BEGINNING + entry % (b"<a/>" * 998) + END)) == []
    with pytest.raises(BankStatementRefused, match="an entry of more than 1000 elements"):
        list(camt.read_camt_statement(BEGINNING + entry % (b"<a/>" * 1000) + END))


def test_neither_has_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt, "MAX_ELEMENTS_OF_FILE", 1000)
    with pytest.raises(BankStatementRefused, match="more than 1000 elements"):
        list(camt.read_camt_statement(BEGINNING + b"<a/>" * 1000 + END))


COLUMNS = tabular.BankColumnMapping(
    bank_account="DE02",
    booked_on="day",
    amount="amount",
    currency=None,
    fixed_currency="EUR",
    sign=None,
    credit_signs=(),
    debit_signs=(),
    payer=None,
    text=(),
    entry_id=None,
    decimal_separator=".",
    date_format="%Y-%m-%d",
    delimiter=",",
    encoding="utf-8",
)
ROWS = {
    "one line": b"," * (2 * LONGEST_ROW),
    "many lines": b'"\n",' * LONGEST_ROW,
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_of_a_statement_is_not_read_to_its_end(row: bytes) -> None:
    with pytest.raises(BankStatementRefused, match="is a row of more than 1048576 characters"):
        list(tabular.read_csv_statement(b"day,amount\n2026-03-01,1.00\n" + row, COLUMNS))


def test_rows_together_are_longer_than_one_may_be() -> None:
    body = b"day,amount,text\n" + (b"2026-03-01,1.00," + b"x" * 9_000 + b"\n") * 300
    assert len(list(tabular.read_csv_statement(body, COLUMNS))) == 301


class Anything:
    """Reads whatever comes."""

    names = FileColumnNames(["a"], ["b"])

    def read_file_line(self, line: int, columns: FileLineColumns, values: object) -> int:
        """The number of the line."""
        return line


def _lines(rows: bytes) -> tuple[list[int], list[str]]:
    lines = ParsedFileLines(UploadedFileLayout.CSV, Anything())

    def raw() -> Iterator[bytes]:
        for line in rows.splitlines(keepends=True):
            assert len(lines.broken) < MOST_REPORTED
            yield line

    return list(lines.parse_raw_file_lines(raw())), [broken.message for broken in lines.broken]


def test_a_row_of_a_file_is_not_read_to_its_end() -> None:
    read, messages = _lines(b"a,b\n1,2\n" + ROWS["many lines"])
    assert read == [2]
    assert messages == ["is a row of more than 1048576 characters"]


def test_rows_of_a_file_together_are_longer_than_one_may_be() -> None:
    read, messages = _lines(b"a,b\n" + (b"1," + b"x" * 10_000 + b"\n") * 300)
    assert (len(read), messages) == (300, [])


def test_a_line_has_not_all_too_many_columns() -> None:
    names = ",".join(["a", *(f"x{number}" for number in range(MOST_COLUMNS))])
    assert _lines(names.encode() + b"\n")[1] == ["has more than 1000 columns"]
