"""Files of rated usage for tests."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

NAMES = ("id", "subscription_id", "meter", "quantity", "unit_cost", "period_from", "period_to")
NUMBERS = {"quantity", "unit_cost"}


def usage_line(subscription: str, id_: str = "17", /, **changed: Any) -> dict[str, str]:
    """A line of usage of January, as text: 12.5 hours at 0.0999."""
    return {
        "id": id_,
        "subscription_id": subscription,
        "meter": "hours",
        "quantity": "12.5",
        "unit_cost": "0.0999",
        "period_from": "2026-01-01",
        "period_to": "2026-02-01",
    } | changed


def as_csv(lines: Iterable[dict[str, str]], names: Sequence[str] = NAMES) -> bytes:
    """The lines as CSV, with the columns in this order."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    writer.writerows([line[name] for name in names] for line in lines)
    return buffer.getvalue().encode()


def as_json_lines(lines: Iterable[dict[str, str]], *, packed: bool = False, numbers: bool = False) -> bytes:
    """The lines as JSON lines, packed or not; with numbers as numbers or as text."""

    def text(line: dict[str, str]) -> str:
        members = [
            f"{json.dumps(name)}: {value if numbers and name in NUMBERS else json.dumps(value)}"
            for name, value in line.items()
        ]
        return "{" + ", ".join(members) + "}\n"

    content = "".join(map(text, lines)).encode()
    return gzip.compress(content) if packed else content
