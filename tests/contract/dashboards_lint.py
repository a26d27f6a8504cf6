"""Rules for dashboards, as functions over their JSON: each returns what it finds, nothing if all is well."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]
GRAFANAS = {"__rate_interval", "__range"}
UNITS = {"none", "short", "percentunit", "s", "h", "bytes", "ops", "reqps"}
UNITS |= {"suffix: days", "suffix: ×", "suffix:/ h", "suffix:/ min"}
"""Those that we use; another one is added here when it is read on a panel."""
DO = "**When it looks bad:** "
BOOK = re.compile(r"^/public/(docs/runbooks/\w+\.md)$")
BOARD = re.compile(r"^/d/([\w-]+)\?")
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


def panels(board: Json) -> list[Json]:
    """All panels that ask something."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: Json) -> Iterator[str]:
    """List the queries of all panels."""
    for panel in panels(board):
        yield from (target["expr"] for target in panel["targets"])


def fill_placeholders(query: str) -> str:
    """Fill the placeholders of a query, so that it can be parsed."""
    return VARIABLE.sub(lambda match: "5m" if match[1] in GRAFANAS else "x", query)


def find_unexplained(board: Json) -> Iterator[str]:
    """Find panels without a title, a unit that we know, what they show, or what to do."""
    for panel in panels(board):
        shows, _, do = panel.get("description", "").partition(DO)
        if not panel.get("title") or len(shows.strip()) < 8 or len(do) < 20:
            yield f"{panel.get('title')}: not explained"
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"{panel.get('title')}: unit"


def dead_ends(board: Json, uids: set[str]) -> Iterator[str]:
    """Panels without a link down, or with one that leads nowhere."""
    for panel in panels(board):
        if not panel.get("links"):
            yield f"{panel['title']}: no link"
        for link in panel.get("links", []):
            book, other = BOOK.match(link["url"]), BOARD.match(link["url"])
            there = (ROOT / book[1]).exists() if book else bool(other and other[1] in uids and other[1] != board["uid"])
            if not there:
                yield f"{panel['title']}: {link['url']}"


def windows(board: Json) -> Iterator[str]:
    """Rates over a fixed time: empty where Prometheus scrapes less often, else coarser than they need be."""
    for query in queries(board):
        spans = re.findall(r"\[([^\]]+)\]", query)
        yield from (query for span in spans if span not in {"$__rate_interval", "$__range"})


def variables(board: Json) -> Iterator[str]:
    """Variables that are used and not defined, or defined and not used."""
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = {name for query in queries(board) for name in VARIABLE.findall(query)} - GRAFANAS
    used |= {panel["repeat"] for panel in panels(board) if "repeat" in panel}
    sources = {source["uid"] for panel in panels(board) for source in (panel["datasource"], *_sources(panel))}
    used |= {name for uid in sources for name in VARIABLE.findall(uid)}
    yield from (f"not defined: {name}" for name in used - defined)
    yield from (f"not used: {name}" for name in defined - used)
    yield from (f"not by variable: {uid}" for uid in sources - {"${source}"})


def _sources(panel: Json) -> Iterator[Json]:
    return (target["datasource"] for target in panel["targets"])


def repeated_titles(board: Json) -> list[str]:
    """Titles that two panels beneath one heading have."""
    counted, row = Counter[tuple[str, str]](), ""
    for panel in board["panels"]:
        row = panel["title"] if panel["type"] == "row" else row
        counted[row, panel["title"]] += 1
    return [title for (_, title), times in counted.items() if times > 1]


def added_currencies(board: Json) -> Iterator[str]:
    """Amounts that are added up without their currency."""
    for query in queries(board):
        if any(_adds(node) for node in nodes(promql_parser.parse(fill_placeholders(query)))):
            yield query


def _adds(node: Any) -> bool:
    """Whether this adds amounts up, by other labels than their currency."""
    if not isinstance(node, promql_parser.AggregateExpr) or str(node.op) not in {"sum", "avg"}:
        return False
    how = node.modifier
    by_currency = how is not None and (how.type == promql_parser.AggModifierType.By) == ("currency" in how.labels)
    amounts = (selector for selector in nodes(node.expr) if isinstance(selector, promql_parser.VectorSelector))
    return not by_currency and any(str(amount.name).endswith("_minor") for amount in amounts)


def nodes(tree: Any) -> Iterator[Any]:
    """A parsed query and all its parts."""
    yield tree
    parts = [getattr(tree, part, None) for part in ("expr", "lhs", "rhs", "vector_selector")]
    parts += tree.args if isinstance(tree, promql_parser.Call) else []
    for part in parts:
        if part is not None:
            yield from nodes(part)


def overlapping(board: Json) -> list[str]:
    """Panels that lie on one another or beyond the 24 columns."""
    taken: set[tuple[int, int]] = set()
    titles = []
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        if cells & taken or place["x"] + place["w"] > 24:
            titles.append(str(panel["title"]))
        taken |= cells
    return titles


def findings(board: Json, uids: set[str]) -> list[str]:
    """All of it."""
    return [
        *find_unexplained(board),
        *dead_ends(board, uids),
        *windows(board),
        *variables(board),
        *repeated_titles(board),
        *added_currencies(board),
        *overlapping(board),
    ]
