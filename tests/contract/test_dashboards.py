"""The dashboards are what the code makes, have Grafana's own types, ask for what there is, and can be understood."""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from deploy.grafana.__main__ import FOLDER, list_differing_files
from deploy.grafana.asking import QueryWindow
from deploy.grafana.pictures import PICTURES
from tests.contract import dashboards_lint
from tests.contract.test_alerts import list_known_metrics, selectors

NODE = Path(__file__).parents[2] / "deploy" / "grafana" / "node"
FROM_PROMETHEUS = {"ALERTS"}
BOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
LIFECYCLE = BOARDS["gs-lifecycle"]


def test_there_are_seven_and_they_are_what_the_code_makes() -> None:
    assert len(BOARDS) == 7
    assert list_differing_files() == []


def test_a_dashboard_that_was_changed_by_hand_is_seen(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    changed = tmp_path / "gs-events.json"
    changed.write_text(changed.read_text().replace('"title": "Published"', '"title": "Sent"'))
    (tmp_path / "gs-cases.json").unlink()
    (tmp_path / "gs-mine.json").write_text("{}")
    assert list_differing_files(tmp_path) == ["gs-cases.json", "gs-events.json", "gs-mine.json"]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_asks_for_what_there_is(uid: str) -> None:
    asked = list(dashboards_lint.queries(BOARDS[uid]))
    assert asked
    for query in asked:
        named = set(selectors(promql_parser.parse(dashboards_lint.fill_placeholders(query))))
        assert named, query
        assert named <= list_known_metrics() | FROM_PROMETHEUS, query


def test_variables_ask_for_what_there_is() -> None:
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                series = variable["query"].removeprefix("label_values(").rpartition(",")[0]
                assert set(selectors(promql_parser.parse(series))) <= list_known_metrics()


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_can_be_understood(uid: str) -> None:
    assert dashboards_lint.findings(BOARDS[uid], set(BOARDS)) == []


def _set(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda panel: panel.update({key: value})


def _asks(query: str) -> Callable[[dict[str, Any]], None]:
    return lambda panel: panel["targets"][0].update({"expr": query})


@pytest.mark.parametrize(
    ("change", "finds"),
    [
        (_set("description", "Pages."), "Pages: not explained"),
        (_set("title", "Tickets"), "Tickets"),
        (_set("links", []), "Pages: no link"),
        (_set("links", [{"url": "/public/docs/runbooks/Nothing.md"}]), "Pages: /public/docs/runbooks/Nothing.md"),
        (_set("links", [{"url": "/d/gs-nothing?x"}]), "Pages: /d/gs-nothing?x"),
        (lambda panel: panel["fieldConfig"]["defaults"].update({"unit": "furlongs"}), "Pages: unit"),
        (_asks("rate(up[5m])"), "rate(up[5m])"),
        (_asks('up{service="$nobody"}'), "not defined: nobody"),
        (_asks("sum(goodstanding_unapplied_cash_minor)"), "sum(goodstanding_unapplied_cash_minor)"),
        (_asks("sum by (part) (2 * goodstanding_vendor_exposure_minor)"), "goodstanding_vendor_exposure_minor"),
        (_asks("sum without (currency) (goodstanding_unapplied_cash_minor)"), "sum without (currency)"),
        (_set("datasource", {"type": "prometheus", "uid": "mine"}), "not by variable: mine"),
        (lambda panel: panel["gridPos"].update({"x": 1}), "Tickets"),
    ],
)
def test_what_cannot_be_understood_is_seen(change: Callable[[dict[str, Any]], None], finds: str) -> None:
    board = copy.deepcopy(LIFECYCLE)
    change(dashboards_lint.panels(board)[0])
    flaws = dashboards_lint.findings(board, set(BOARDS))
    assert any(finds in flaw for flaw in flaws), flaws


@pytest.mark.parametrize("uid", BOARDS)
def test_all_variables_can_be_filled_in(uid: str) -> None:
    window = QueryWindow("nowhere", 0, 3600, 15, {"service": "invoicing"})
    assert [query for query in dashboards_lint.queries(BOARDS[uid]) if "$" in window.fill_variables(query)] == []


def test_variables_are_filled_in_as_grafana_does() -> None:
    window = QueryWindow("nowhere", 0, 3600, 15, {"service": "invoicing"})  # a line of 240 points has one each 15 s
    query = 'rate(a{service="$service",currency=~"$currency"}[$__rate_interval]) / increase(a[$__range])'
    assert window.fill_variables(query) == 'rate(a{service="invoicing",currency=~".*"}[60s]) / increase(a[3600s])'
    assert "[90s]" in QueryWindow("nowhere", 0, 18000, 15, {}).fill_variables(
        query
    )  # a day's fifth: a point each 75 s, and a scrape


def test_each_dashboard_is_shown_by_pictures_that_are_small() -> None:
    page = (PICTURES / "README.md").read_text()
    shown = set(re.findall(r"\((gs-[\w-]+\.png)\)", page))
    assert shown == {path.name for path in PICTURES.glob("*.png")}
    assert {name.rpartition("-")[0] for name in shown} == set(BOARDS)
    assert {f"{uid}-{kind}.png" for uid in ("gs-lifecycle", "gs-events") for kind in ("good", "bad")} <= shown
    assert max(path.stat().st_size for path in PICTURES.glob("*.png")) < 250_000


def types_of(folder: Path, boards: dict[str, dict[str, Any]]) -> str:
    """Return what the compiler says of these dashboards as constants of Grafana's types; nothing if they are well."""
    shutil.copytree(NODE / "check", folder / "check")
    shutil.copy(NODE / "tsconfig.json", folder)
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    for uid, board in boards.items():
        text = json.dumps(board, ensure_ascii=False)
        source = f"import type {{ Dashboard }} from './dashboard';\nexport const board: Dashboard = {text};\n"
        (folder / "check" / f"{uid}.ts").write_text(source)
    compiler = NODE / "node_modules" / ".bin" / "tsc"
    assert compiler.exists(), "make test installs it"
    done = subprocess.run([str(compiler), "-p", str(folder)], capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stdout), done.stderr
    return done.stdout


def test_they_have_grafanas_own_types(tmp_path: Path) -> None:
    assert types_of(tmp_path, BOARDS) == ""


def test_what_grafana_does_not_know_is_seen(tmp_path: Path) -> None:
    wrong = {name: copy.deepcopy(LIFECYCLE) for name in ("kind", "option", "unknown", "enumeration")}
    dashboards_lint.panels(wrong["kind"])[0]["type"] = "statistic"
    dashboards_lint.panels(wrong["option"])[0]["options"]["colourMode"] = "value"
    wrong["unknown"]["refreshes"] = "30s"
    dashboards_lint.panels(wrong["enumeration"])[-1]["options"]["legend"]["placement"] = "left"
    said = types_of(tmp_path, wrong)
    assert [name for name in wrong if f"{name}.ts" not in said] == []
