"""Every panel shows something of a real stack that lived through a good and a bad time, or silence is good news."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.asking import QueryWindow, list_panels_with_queries, query_board
from deploy.grafana.queries import compute_money_total
from deploy.local import monitoring
from deploy.local.stack import remove_stack_folder
from sandbox.hours import FIGURES_EVERY, live_through_hours, open_proxied_stack

pytestmark = [pytest.mark.xdist_group("dashboards"), pytest.mark.timeout(240)]
SECONDS = 32.0
"""Each of both times."""
BOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
SILENT = {
    ("gs-lifecycle", "How long the vendor has not followed"),  # it has
    ("gs-cases", "How long the vendor has not followed"),
    ("gs-receivables", "Steps that wait"),  # none does
    ("gs-receivables", "EUR disputed or unapplied"),  # nobody disputes in this currency
    ("gs-receivables", "JPY disputed or unapplied"),
    ("gs-receivables", "USD disputed or unapplied"),
    ("gs-cases", "EUR disputed"),
    ("gs-cases", "JPY disputed"),
    ("gs-cases", "USD disputed"),
    ("gs-vendor-jobs", "Due and not judged"),  # all is judged
    ("gs-vendor-jobs", "Wanted and not done"),  # all is done
}
"""Where no data is good news."""


@pytest.fixture(scope="module")
async def window(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QueryWindow]:
    """Both times together, at the Prometheus that was there."""
    assert monitoring.list_missing_programs() == [], "make setup installs them"
    folder = tmp_path_factory.mktemp("hours")
    with open_proxied_stack(folder) as (stack, proxies):
        hours = await live_through_hours(stack, proxies, SECONDS)
        yield QueryWindow(hours.prometheus, hours.good[0], hours.bad[1], FIGURES_EVERY, {"service": "collections"})
    remove_stack_folder(folder)


def silent(board: dict[str, Any], window: QueryWindow) -> set[tuple[str, str]]:
    """The panels of a dashboard that are answered nothing at any moment.

    A table shows one moment, and that may be one at which a figure is just not told, since its database was killed.
    """
    lasting = copy.deepcopy(board)
    for target in (target for panel in list_panels_with_queries(lasting) for target in panel["targets"]):
        target["instant"] = False
    shown = [answered for answered in query_board(window, lasting) if answered["panel"]["type"] != "row"]
    assert shown
    return {(board["uid"], answered["panel"]["title"]) for answered in shown if not answered["series"]}


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_shows_something(window: QueryWindow, uid: str) -> None:
    assert silent(BOARDS[uid], window) - SILENT == set()


def test_money_is_told_of_each_currency(window: QueryWindow) -> None:
    board = BOARDS["gs-receivables"]
    titles = {answered["panel"]["title"] for answered in query_board(window, board)}
    assert {f"{currency} owed by age" for currency in ("EUR", "JPY", "USD")} <= titles
    (dso,) = (panel for panel in list_panels_with_queries(board) if panel["title"] == "Days sales outstanding")
    assert {each["legend"] for each in window.query_series(dso["targets"][0])} == {"EUR", "JPY", "USD"}


def test_money_is_told_in_the_units_that_people_speak_of(window: QueryWindow) -> None:
    def query_points(query: str) -> dict[str, dict[float, float]]:
        each_series = window.query_series({"expr": query, "legendFormat": "{{currency}}"})
        return {each["legend"]: dict(each["points"]) for each in each_series}

    minor = query_points("sum by (currency) (goodstanding_receivables_minor)")
    assert {currency for currency, points in minor.items() if any(points.values())} >= {"EUR", "JPY"}
    assert query_points(compute_money_total("goodstanding_receivables_minor", "currency")) == {
        currency: {at: amount if currency == "JPY" else amount / 100 for at, amount in points.items()}
        for currency, points in minor.items()
    }


def test_a_panel_that_asks_for_nothing_is_seen(window: QueryWindow) -> None:
    board = copy.deepcopy(BOARDS["gs-platform"])
    panel = next(list_panels_with_queries(board))
    panel["targets"][0]["expr"] = "sum(goodstanding_nothing_of_the_kind)"
    assert silent(board, window) == {("gs-platform", panel["title"])}


def test_what_is_silent_by_right_is_on_a_dashboard() -> None:
    titles = {
        (uid, panel["title"].replace("$currency", currency))
        for uid, board in BOARDS.items()
        for panel in list_panels_with_queries(board)
        for currency in ("EUR", "JPY", "USD")
    }
    assert titles >= SILENT


def test_the_two_times_differ(window: QueryWindow) -> None:
    (heads,) = (
        panel for panel in list_panels_with_queries(BOARDS["gs-events"]) if panel["title"] == "Heads that broke"
    )
    (series,) = window.query_series(heads["targets"][0] | {"instant": False})
    broken = [(at, count) for at, count in series["points"] if count]
    assert broken[0][0] > window.begin + SECONDS
    assert broken[-1][1] >= 3


def test_what_broke_is_named_by_its_class(window: QueryWindow) -> None:
    (broke,) = (panel for panel in list_panels_with_queries(BOARDS["gs-events"]) if panel["title"] == "What broke")
    errors = {series["labels"]["error"] for series in window.query_series(broke["targets"][0] | {"instant": False})}
    assert errors == {"ValidationError"}
