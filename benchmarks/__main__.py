"""`python -m benchmarks [--report FILE]`: every figure, each beside what must be reached and what could be at best."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import bank, bill_run, cases, onwards, payments, reconciliation
from benchmarks.stage import Row

ALL: dict[str, Callable[[], list[Row]]] = {
    "bill_run": bill_run.measure,
    "bill_run_of_a_million": bill_run.measure_million,
    "onwards": onwards.measure,
    "onwards_of_a_million": onwards.measure_million,
    "payments": payments.measure,
    "reconciliation": reconciliation.measure,
    "bank": bank.measure,
    "cases": cases.measure,
}


def machine() -> str:
    """Describe the machine on which it ran."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def table(rows: list[Row]) -> Table:
    """The rows as people read them."""
    shown = Table("", "value", "unit", "must reach", "limit", title=machine())
    for row in rows:
        digits = 3 if row["unit"] == "s" else 1
        figures = ("" if row[name] is None else f"{row[name]:,.{digits}f}" for name in ("value", "floor", "limit"))
        value, floor, limit = figures
        shown.add_row(row["name"], value, row["unit"], floor, limit)
    return shown


def main(
    report: Annotated[Path | None, typer.Option(help="where to write the rows as JSON")] = None,
    only: Annotated[str | None, typer.Option(help=f"one of {', '.join(ALL)}")] = None,
) -> None:
    """Measure everything, one after the other."""
    if only is not None and only not in ALL:
        raise typer.BadParameter(f"{only!r} is none of {', '.join(ALL)}")
    rows = [row for name, measure in ALL.items() if only in (None, name) for row in measure()]
    Console().print(table(rows))
    if report is not None:
        report.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    typer.run(main)
