"""Rules for what a panel shows: one moment, colours, rates, currencies, classes; each yields what breaks it."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser

from shared.process.service import NAMES
from tests.contract.dashboards_lint import Json, fill_placeholders, nodes, panels

OF_ONE_MOMENT = {"table", "bargauge", "stat"}
FAILURES = {
    "goodstanding:http_errors:ratio_rate1h",
    "goodstanding_bill_run_accounts_set_aside",
    "goodstanding_cases_answer_late",
    "goodstanding_cases_customer_not_informed",
    "goodstanding_consumer_group_stopped",
    "goodstanding_consumer_partitions_lost_total",
    "goodstanding_consumer_restarts_total",
    "goodstanding_consumer_retries_total",
    "goodstanding_consumer_stuck",
    "goodstanding_database_pool_waiting",
    "goodstanding_entitlements_denied",
    "goodstanding_entitlements_refused_by_vendor",
    "goodstanding_ledger_imbalance_minor",
    "goodstanding_parked_events",
    "goodstanding_postgres_deadlocks_total",
    "goodstanding_postgres_rollbacks_total",
    "goodstanding_relay_restarts_total",
    "goodstanding_suspended_subscriptions",
}
"""Metrics that count what went wrong, whatever their labels say."""
FAILED_VALUES = {
    ("goodstanding_consumer_events_total", "outcome"): ("head", "unreadable", "foreign"),
    ("goodstanding_database_units_total", "outcome"): ("transient", "refused"),
    ("goodstanding_disputes_finished_total", "state"): ("refused",),
    ("goodstanding_entitlements_unsettled", "wanted"): ("active", "suspended"),
    ("goodstanding_entitlements_unsettled_oldest_timestamp_seconds", "wanted"): ("active", "suspended"),
    ("goodstanding_http_requests_total", "status"): ("500", "503", "504", "409", "422"),
    ("goodstanding_intent_attempts_total", "outcome"): ("broke", "later"),
    ("goodstanding_notices", "state"): ("failed",),
    ("goodstanding_part_ok", "part"): ("relay", "consumer", "sweeps", "intents"),
    ("goodstanding_vendor_calls_total", "outcome"): ("passing", "unreachable", "throttled", "refused", "stale"),
}
"""The values of a label that say that something failed."""
SAYS_FAILURE = re.compile(r"\b(fail|failed|broke|lost|stuck|stopped|down|late|refused|rolled back|denied)\b")
RATES = {"rate", "irate"}


def list_selectors(query: str) -> list[Any]:
    """List the selectors of a query."""
    tree = promql_parser.parse(fill_placeholders(query))
    return [node for node in nodes(tree) if isinstance(node, promql_parser.VectorSelector)]


def find_lasting_rows(board: Json) -> Iterator[str]:
    """Find panels of the present that ask for a time, in which rows stay that are gone; and lines of one moment."""
    for panel in panels(board):
        is_instant = panel["type"] in OF_ONE_MOMENT
        if any(
            target.get("instant", False) != is_instant or target.get("range", False) == is_instant
            for target in panel["targets"]
        ):
            yield str(panel["title"])


def find_green_failures(board: Json) -> Iterator[str]:
    """Find series that say that something failed and may be drawn in green."""
    for panel in panels(board):
        for target in panel["targets"]:
            names = list_failing_names(target)
            yield from (f"{panel['title']}: {name}" for name in names if not _is_marked(panel, name))


def list_failing_names(target: Json) -> list[str]:
    """List the names that the failing series of a query may have."""
    legend, names = str(target.get("legendFormat", "")), list[str]()
    for selector in list_selectors(target["expr"]):
        label = re.search(r"\{\{(\w+)\}\}", legend)
        for value in FAILED_VALUES.get((str(selector.name), label[1] if label else ""), ()):
            names.append(legend.replace(f"{{{{{label[1]}}}}}", value) if label else legend)
        if str(selector.name) in FAILURES:
            names += [legend.replace("{{service}}", name) for name in (NAMES if "{{service}}" in legend else ("",))]
    return names or ([legend] if SAYS_FAILURE.search(legend) else [])


def _is_marked(panel: Json, name: str) -> bool:
    """Whether a series of this name has a colour of its own that is not green, or is in colours from a limit on."""
    if panel["type"] == "table":
        return True
    defaults = panel["fieldConfig"]["defaults"]
    fixed = [defaults["color"]["fixedColor"]] if defaults["color"]["mode"] == "fixed" else []
    for override in panel["fieldConfig"].get("overrides", []):
        if _matches(override["matcher"], name):
            fixed = [change["value"]["fixedColor"] for change in override["properties"] if change["id"] == "color"]
    if panel["type"] == "timeseries":
        return bool(fixed) and "green" not in fixed[-1]
    steps = [step["color"] for step in defaults["thresholds"]["steps"]]
    return any("green" not in colour for colour in steps)


def _matches(matcher: Json, name: str) -> bool:
    if matcher["id"] == "byRegexp":
        return re.search(matcher["options"].strip("/"), name) is not None
    return bool(matcher["options"] == name)


def find_bare_totals(board: Json) -> Iterator[str]:
    """Find counters that are shown as they are, or as an increase that depends on how far one looks."""
    for panel in panels(board):
        for target in panel["targets"]:
            tree = promql_parser.parse(fill_placeholders(target["expr"]))
            counted = [selector for selector in list_selectors(target["expr"]) if str(selector.name).endswith("_total")]
            rated = [
                selector
                for call in nodes(tree)
                if isinstance(call, promql_parser.Call) and call.func.name in RATES
                for selector in nodes(call)
                if isinstance(selector, promql_parser.VectorSelector)
            ]
            if len(counted) > sum(str(selector.name).endswith("_total") for selector in rated):
                yield str(panel["title"])


def find_mixed_currencies(board: Json) -> Iterator[str]:
    """Find panels that draw amounts of several currencies on one axis."""
    for panel in panels(board):
        for target in panel["targets"]:
            amounts = [selector for selector in list_selectors(target["expr"]) if str(selector.name).endswith("_minor")]
            if amounts and not _is_without_amounts(promql_parser.parse(fill_placeholders(target["expr"]))):
                chosen = all(_is_of_one_currency(selector) for selector in amounts)
                if not chosen or panel.get("repeat") != "currency":
                    yield str(panel["title"])


def _is_of_one_currency(selector: Any) -> bool:
    """Whether a selector takes the currency that is chosen; `fill_placeholders` writes x for it."""
    return any(
        matcher.name == "currency" and matcher.value == "x" and matcher.op == promql_parser.MatchOp.Equal
        for matcher in selector.matchers.matchers
    )


def _is_without_amounts(node: Any) -> bool:
    """Whether a value is a number of rows, or a share of amounts of each currency."""
    if isinstance(node, promql_parser.AggregateExpr):
        return str(node.op) == "count" or _is_without_amounts(node.expr)
    if isinstance(node, promql_parser.ParenExpr):
        return _is_without_amounts(node.expr)
    if isinstance(node, promql_parser.BinaryExpr) and str(node.op) in {"or", "unless", "and"}:
        return _is_without_amounts(node.lhs)
    if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "/":
        return all(
            any(str(selector.name).endswith("_minor") for selector in _selectors(side)) for side in (node.lhs, node.rhs)
        )
    return False


def _selectors(tree: Any) -> list[Any]:
    return [node for node in nodes(tree) if isinstance(node, promql_parser.VectorSelector)]


def find_unnamed_errors(board: Json) -> Iterator[str]:
    """Find lists of what broke that do not say the class of the error."""
    for panel in panels(board):
        for target in panel["targets"]:
            tree = promql_parser.parse(fill_placeholders(target["expr"]))
            asks = any(str(selector.name) == "goodstanding_parked_events" for selector in _selectors(tree))
            if panel["type"] == "table" and asks and not _is_by_error(tree):
                yield str(panel["title"])


def _is_by_error(tree: Any) -> bool:
    aggregates = [node for node in nodes(tree) if isinstance(node, promql_parser.AggregateExpr)]
    return any(
        node.modifier is not None
        and node.modifier.type == promql_parser.AggModifierType.By
        and "error" in node.modifier.labels
        for node in aggregates
    )
