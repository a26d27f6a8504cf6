"""Rules for panels: each holds on all dashboards, and a panel that breaks it is seen."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.grafana.__main__ import FOLDER
from tests.contract import panels_lint

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]
BOARDS: dict[str, Json] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
RULES: tuple[Rule, ...] = (
    panels_lint.find_lasting_rows,
    panels_lint.find_green_failures,
    panels_lint.find_bare_totals,
    panels_lint.find_mixed_currencies,
    panels_lint.find_unnamed_errors,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("uid", BOARDS)
def test_a_rule_holds_on_all_dashboards(uid: str, rule: Rule) -> None:
    assert list(rule(BOARDS[uid])) == []


def test_what_broke_is_listed_somewhere() -> None:
    titles = {panel["title"] for board in BOARDS.values() for panel in board["panels"] if panel["type"] == "table"}
    assert "What broke" in titles


def change_panel(uid: str, title: str, change: Callable[[Json], object]) -> Json:
    """Copy a dashboard with one panel changed."""
    board = copy.deepcopy(BOARDS[uid])
    (panel,) = (panel for panel in board["panels"] if panel["title"] == title and panel["type"] != "row")
    change(panel)
    return board


def ask_range(panel: Json) -> None:
    panel["targets"][0].update({"instant": False, "range": True})


def ask_moment(panel: Json) -> None:
    panel["targets"][0].update({"instant": True, "range": False})


def ask(query: str, legend: str = "") -> Callable[[Json], None]:
    return lambda panel: panel["targets"][0].update({"expr": query} | ({"legendFormat": legend} if legend else {}))


def forget_colours(panel: Json) -> None:
    panel["fieldConfig"]["overrides"] = []
    panel["fieldConfig"]["defaults"]["color"] = {"mode": "palette-classic"}


def forget_limits(panel: Json) -> None:
    panel["fieldConfig"]["defaults"]["thresholds"]["steps"] = [{"value": None, "color": "green"}]


def paint_green(panel: Json) -> None:
    panel["fieldConfig"]["defaults"]["color"] = {"mode": "fixed", "fixedColor": "dark-green"}


def add_all_currencies(panel: Json) -> None:
    panel["targets"][0]["expr"] = panel["targets"][0]["expr"].replace('currency="$currency"', 'currency=~"$currency"')


def forget_repeat(panel: Json) -> None:
    del panel["repeat"]


@pytest.mark.parametrize(
    ("rule", "uid", "title", "change", "broken"),
    [
        (panels_lint.find_lasting_rows, "gs-events", "What broke", ask_range, "What broke"),
        (panels_lint.find_lasting_rows, "gs-vendor-jobs", "Wanted and not done", ask_range, "Wanted and not done"),
        (panels_lint.find_lasting_rows, "gs-lifecycle", "Pages", ask_range, "Pages"),
        (panels_lint.find_lasting_rows, "gs-events", "Published", ask_moment, "Published"),
        (
            panels_lint.find_green_failures,
            "gs-receivables",
            "Notices that are not sent",
            forget_limits,
            "Notices that are not sent: failed",
        ),
        (panels_lint.find_green_failures, "gs-platform", "Deadlocks", paint_green, "Deadlocks: deadlocks"),
        (
            panels_lint.find_green_failures,
            "gs-lifecycle",
            "How fast the error budget burns",
            forget_colours,
            "How fast the error budget burns: collections",
        ),
        (panels_lint.find_green_failures, "gs-platform", "Transactions", forget_colours, "Transactions: rolled back"),
        (
            panels_lint.find_green_failures,
            "gs-service",
            "Requests by status",
            forget_colours,
            "Requests by status: 500",
        ),
        (panels_lint.find_green_failures, "gs-service", "Failed", forget_limits, "Failed: failed"),
        (panels_lint.find_green_failures, "gs-lifecycle", "Without access", forget_limits, "Without access: denied"),
        (
            panels_lint.find_bare_totals,
            "gs-receivables",
            "Notices by kind",
            ask("sum by (template) (goodstanding_notices_created_total)"),
            "Notices by kind",
        ),
        (
            panels_lint.find_bare_totals,
            "gs-platform",
            "Deadlocks",
            ask("max(increase(goodstanding_postgres_deadlocks_total[$__rate_interval]))"),
            "Deadlocks",
        ),
        (panels_lint.find_mixed_currencies, "gs-cases", "$currency disputed", add_all_currencies, "$currency disputed"),
        (panels_lint.find_mixed_currencies, "gs-cases", "$currency disputed", forget_repeat, "$currency disputed"),
        (
            panels_lint.find_mixed_currencies,
            "gs-receivables",
            "Ledgers out of balance",
            ask("max(abs(goodstanding_ledger_imbalance_minor))"),
            "Ledgers out of balance",
        ),
        (
            panels_lint.find_unnamed_errors,
            "gs-events",
            "What broke",
            ask('sum by (service, topic) (goodstanding_parked_events{place=~"head|unreadable"})'),
            "What broke",
        ),
    ],
)
def test_a_panel_that_breaks_a_rule_is_seen(
    rule: Rule, uid: str, title: str, change: Callable[[Json], object], broken: str
) -> None:
    assert broken in list(rule(change_panel(uid, title, change)))
