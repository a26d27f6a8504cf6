"""A ledger is read whole and checked before anything is done; what is wrong is named by row and column."""

from datetime import date
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from sandbox import replay
from sandbox.ledger import LedgerInvoice, LedgerRefused, read_ledger

HEAD = "customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate"
GOOD = "c-1,007,1/2/2013,2/1/2013,55.94,No,1/15/2013"


def write_ledger(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    path = tmp_path / "ledger.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_a_good_row(tmp_path: Path) -> None:
    invoices = read_ledger(write_ledger(tmp_path, GOOD))
    assert invoices == [LedgerInvoice("c-1", "007", date(2013, 1, 2), date(2013, 2, 1), 5594, False, date(2013, 1, 15))]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([GOOD, GOOD.replace("1/2/2013", "13/2/2013")], "row 3: column InvoiceDate"),
        ([GOOD.replace("2/1/2013", "2013-02-01")], "row 2: column DueDate"),
        ([GOOD.replace("55.94", "55.945")], "row 2: column InvoiceAmount"),
        ([GOOD.replace("55.94", "-55.94")], "row 2: column InvoiceAmount"),
        ([GOOD.replace("55.94", "0")], "row 2: column InvoiceAmount"),
        ([GOOD.replace("55.94", "1e3")], "row 2: column InvoiceAmount"),
        ([GOOD, GOOD], "row 3: column invoiceNumber: 007 stands in row 2 too"),
        ([GOOD.replace("2/1/2013", "1/1/2013")], "row 2: column DueDate: due before"),
        ([GOOD.replace("1/15/2013", "1/1/2013")], "row 2: column SettledDate: settled before"),
        ([GOOD.replace("1/15/2013", "")], "row 2: column SettledDate"),
        ([GOOD.replace("No", "Maybe")], "row 2: column Disputed"),
        ([GOOD.replace(",No,", ",")], "row 2: has not as many fields"),
        ([GOOD + ",more"], "row 2: has not as many fields"),
        ([], "has no invoices"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(LedgerRefused) as refused:
        read_ledger(write_ledger(tmp_path, *rows))
    assert message in str(refused.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerRefused, match="row 1: column Disputed is missing"):
        read_ledger(write_ledger(tmp_path, GOOD, head=HEAD.replace("Disputed,", "")))


def test_what_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    path.write_bytes(HEAD.encode() + b"\nc\xff")
    with pytest.raises(LedgerRefused, match="not UTF-8"):
        read_ledger(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    path.write_bytes(b"")
    with pytest.raises(LedgerRefused, match="is missing"):
        read_ledger(path)


def test_a_refused_ledger_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start_stack(*_: object, **__: object) -> None:
        raise AssertionError("a stack was started")

    monkeypatch.setattr(replay, "Stack", start_stack)
    app = Typer()
    app.command()(replay.main)
    result = CliRunner().invoke(app, [str(write_ledger(tmp_path, GOOD, GOOD))])
    assert result.exit_code == 2
    assert "stands in row 2 too" in " ".join(result.output.split())
