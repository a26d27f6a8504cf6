"""Each alert is complete, fires and is quiet when it should, goes where it should, and names metrics that there are."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from shared.base.metrics import backbone, http, process
from shared.base.metrics.declared import list_metric_names
from shared.process.service import NAMES, load_service

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
WORLDS = ROOT / "deploy" / "prometheus" / "rules_test.yml"
ROUTES = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
BOOKS = ROOT / "docs" / "runbooks"
FROM_PROMETHEUS = {"up"}
"""What Prometheus itself adds to what it scrapes."""

assert all((backbone.LAG, http.REQUESTS, process.UNITS))  # they are declared once they are imported


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def program(*names_: str) -> str:
    executable = next((path for name in names_ if (path := shutil.which(name))), None)
    assert executable, f"{names_[0]} is not installed: make setup"
    return executable


def run_tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def selectors(query: object) -> Iterator[str]:
    """The metrics that a parsed query names."""
    if isinstance(query, promql_parser.VectorSelector):
        yield str(query.name)
    for part in ("expr", "lhs", "rhs", "vector_selector"):
        if (inner := getattr(query, part, None)) is not None:
            yield from selectors(inner)
    if isinstance(query, promql_parser.Call):
        for argument in query.args:
            yield from selectors(argument)


def list_known_metrics() -> set[str]:
    metrics = list_metric_names(figure for name in NAMES for figure in load_service(name).figures)
    return metrics | RECORDED | FROM_PROMETHEUS


def test_what_a_query_names_is_found() -> None:
    query = 'histogram_quantile(0.9, sum by (le) (rate(a_bucket{x="y"}[5m]))) > 2 * b and on (c) -d or absent(e)'
    assert set(selectors(promql_parser.parse(query))) == {"a_bucket", "b", "d", "e"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_metrics_that_there_are(rule: dict[str, Any]) -> None:
    asked = set(selectors(promql_parser.parse(rule["expr"])))
    assert asked or rule.get("alert") == "Watchdog"
    assert asked <= list_known_metrics()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_complete(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ({"none"} if name == "Watchdog" else {"page", "ticket"})
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert all(alert["annotations"].values())
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
    book = (BOOKS / f"{name}.md").read_text()
    headings = [line for line in book.splitlines() if line.startswith("#")]
    assert headings == [
        f"# {name}",
        *("## What it means", "## How to look", "## What to do", "## When it is over"),
    ]


def test_each_runbook_belongs_to_an_alert() -> None:
    assert {path.stem for path in BOOKS.glob("*.md")} - {"README"} == set(ALERTS)


def test_the_index_of_runbooks_says_what_each_alert_does() -> None:
    lines = [line for line in (BOOKS / "README.md").read_text().splitlines() if line.startswith("- [")]
    assert lines == [
        f"- [{name}]({name}.md) ({alert['labels']['severity']}): {alert['annotations']['description']}"
        for name, alert in ALERTS.items()
    ]


def test_runbooks_name_metrics_that_there_are() -> None:
    text = "\n".join(path.read_text() for path in BOOKS.glob("*.md"))
    metrics = set(re.findall(r"goodstanding_[a-z0-9_]+", text))
    assert metrics
    assert {name for name in metrics if not {name, f"{name}_count"} & list_known_metrics()} == set()


def test_each_alert_has_a_world_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    worlds = {
        (alert["alertname"], bool(alert["exp_alerts"]))
        for world in yaml.safe_load(WORLDS.read_text())["tests"]
        for alert in world["alert_rule_test"]
    }
    assert worlds == {(name, fires) for name in ALERTS for fires in (True, False)} - {("Watchdog", False)}


def test_prometheus_takes_the_rules_and_they_judge_as_they_should() -> None:
    run_tool(program("promtool"), "check", "rules", str(RULES))
    assert "SUCCESS" in run_tool(program("promtool"), "test", "rules", str(WORLDS))


def test_a_rule_that_judges_otherwise_is_seen(tmp_path: Path) -> None:
    worlds = yaml.safe_load(WORLDS.read_text())
    worlds["tests"] = [world for world in worlds["tests"] if "goodstanding_guard_held" in yaml.safe_dump(world)]
    (tmp_path / "rules_test.yml").write_text(yaml.safe_dump(worlds))
    for limit, code in (("0", 0), ("1000", 1)):
        changed = RULES.read_text().replace("goodstanding_guard_held > 0", f"goodstanding_guard_held > {limit}")
        (tmp_path / "rules.yml").write_text(changed)
        command = [program("promtool"), "test", "rules", str(tmp_path / "rules_test.yml")]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=page", "alertname=OutboxStalled"), "pages"),
        (("severity=ticket", "alertname=EventParked"), "tickets"),
        (("severity=none", "alertname=Watchdog"), "watchdog"),
        (("alertname=NobodyKnowsIt",), "tickets"),
    ],
)
def test_an_alert_goes_where_it_should(labels: tuple[str, ...], receiver: str) -> None:
    run_tool(program("amtool"), "check-config", str(ROUTES))
    route = run_tool(program("amtool"), "config", "routes", "test", f"--config.file={ROUTES}", *labels)
    assert route.strip() == receiver


def test_a_page_inhibits_the_tickets_of_its_service() -> None:
    (rule,) = yaml.safe_load(ROUTES.read_text())["inhibit_rules"]
    assert rule == {
        "source_matchers": ['severity = "page"'],
        "target_matchers": ['severity = "ticket"'],
        "equal": ["service"],
    }
