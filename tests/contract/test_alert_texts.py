"""The figure in an alert's summary: a count is a whole number, a duration, a share and an amount can be read."""

import re
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from shared.pure.money import get_minor_digits, list_known_currencies
from tests.contract.dashboards_lint import nodes
from tests.contract.test_alerts import ALERTS, program, rules

FORMATS = {
    "count": 'printf "%.0f"',
    "duration": "humanizeDuration",
    "share": "humanizePercentage",
    "money": 'printf (printf "%%.%sf" $labels.decimals)',
}
VALUE = re.compile(r"\{\{ \$value(?: \| (.*?))? \}\}")
EXTRAPOLATING = {"increase", "delta", "rate"}
COUNTS = {
    "BrokerAway",
    "CustomerNotInformed",
    "DatabaseAway",
    "DatabaseDeadlocks",
    "EventForeign",
    "EventParked",
    "NoticesFail",
    "ResponseDeadlineMissed",
    "StepOverdue",
    "SuspensionsSpike",
    "VendorCreditsNotPassedOn",
    "WorkFailed",
}
"""Alerts whose summary says how many."""


def find_value(node: Any) -> Any:
    """Find the part of a parsed expression whose value an alert shows."""
    if isinstance(node, promql_parser.BinaryExpr):
        is_clock = isinstance(node.lhs, promql_parser.Call) and not node.lhs.args
        return node if str(node.op) == "/" else find_value(node.rhs if is_clock else node.lhs)
    if isinstance(node, promql_parser.AggregateExpr | promql_parser.ParenExpr):
        return find_value(node.expr)
    if isinstance(node, promql_parser.Call) and node.args and node.func.name != "histogram_quantile":
        return find_value(node.args[0])
    return node


def classify_value(expression: str) -> str:
    """Classify what an alert's value is: a count, a duration, a share or money."""
    value = find_value(promql_parser.parse(expression))
    name = str(getattr(value, "name", ""))
    if isinstance(value, promql_parser.Call) or name.endswith("_seconds"):
        return "duration"
    if isinstance(value, promql_parser.BinaryExpr) or ":ratio_" in name:
        return "share"
    return "money" if name.endswith((":units", "_minor")) else "count"


def list_wrong_figures(alert: dict[str, Any]) -> list[str]:
    """List the figures in an alert's texts that are not written as what they are."""
    texts = " ".join(alert["annotations"].values())
    kind = classify_value(alert["expr"])
    wrong = [text for text in VALUE.findall(texts) if text != FORMATS[kind]]
    tree = promql_parser.parse(alert["expr"])
    calls = {node.func.name for node in nodes(tree) if isinstance(node, promql_parser.Call)}
    if kind == "count" and VALUE.search(texts):
        wrong += sorted(calls & EXTRAPOLATING)
    return wrong + ["$value" for _ in range(texts.count("$value") - len(VALUE.findall(texts)))]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ('sum by (topic) (goodstanding_parked_events{place="head"}) > 0', "count"),
        ("goodstanding_due_work > 0 and time() - goodstanding_a_timestamp_seconds > 60", "count"),
        ("time() - max by (service) (goodstanding_a_timestamp_seconds) > 2 * goodstanding_b_seconds", "duration"),
        ("goodstanding_business_timestamp_seconds - on (service) group_right () goodstanding_a > 1", "duration"),
        ("histogram_quantile(0.99, sum by (le) (rate(goodstanding_a_seconds_bucket[5m]))) > 1", "duration"),
        ("sum(rate(goodstanding_a_total[5m])) / sum(rate(goodstanding_b_total[5m])) > 0.5", "share"),
        ("goodstanding:http_errors:ratio_rate1h > 0.01", "share"),
        ("goodstanding:ledger_imbalance:units != 0", "money"),
    ],
)
def test_what_an_alert_shows_is_recognised(expression: str, kind: str) -> None:
    assert classify_value(expression) == kind


@pytest.mark.parametrize("name", ALERTS)
def test_a_figure_is_written_as_what_it_is(name: str) -> None:
    assert list_wrong_figures(ALERTS[name]) == []


def test_the_alerts_that_count_are_these() -> None:
    showing = {name for name, alert in ALERTS.items() if VALUE.search(alert["annotations"]["summary"])}
    assert {name for name in showing if classify_value(ALERTS[name]["expr"]) == "count"} == COUNTS


@pytest.mark.parametrize(
    ("expression", "summary", "wrong"),
    [
        ("max(goodstanding_a) > 3", "{{ $value | humanize }} deadlocks", ["humanize"]),
        ("max(goodstanding_a) > 3", "{{ $value }} deadlocks", [""]),
        ("max(goodstanding_a) > 3", "{{$value}} deadlocks", ["$value"]),
        ("max(increase(goodstanding_a_total[15m])) > 3", '{{ $value | printf "%.0f" }} deadlocks', ["increase"]),
        ("time() - goodstanding_a_timestamp_seconds > 3", '{{ $value | printf "%.0f" }}', ['printf "%.0f"']),
        ("goodstanding_ledger_imbalance_minor != 0", "{{ $value }} (minor units)", [""]),
    ],
)
def test_a_figure_that_is_written_otherwise_is_seen(expression: str, summary: str, wrong: list[str]) -> None:
    assert list_wrong_figures({"expr": expression, "annotations": {"summary": summary}}) == wrong


def test_prometheus_renders_counts_as_whole_numbers(tmp_path: Path) -> None:
    """Each summary that counts, rendered for 1234567 and a third: neither 1.235M nor 1.234567e+06."""
    summaries = {name: ALERTS[name]["annotations"]["summary"] for name in sorted(COUNTS)}
    alerts = [
        {"alert": name, "expr": "vector(1234567.3)", "annotations": {"summary": summary}}
        for name, summary in summaries.items()
    ]
    expected = [
        {
            "eval_time": "1m",
            "alertname": name,
            "exp_alerts": [
                {"exp_annotations": {"summary": re.sub(r"\{\{ \$labels.*?\}\}", "", VALUE.sub("1234567", summary))}}
            ],
        }
        for name, summary in summaries.items()
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "counts", "rules": alerts}]}))
    world = {"name": "counts", "interval": "1m", "input_series": [], "alert_rule_test": expected}
    (tmp_path / "world.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [world]}))
    command = [program("promtool"), "test", "rules", str(tmp_path / "world.yml")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_imbalance_has_the_decimals_of_its_currency() -> None:
    (rule,) = (rule for rule in rules() if rule.get("record") == "goodstanding:ledger_imbalance:units")
    parts = re.findall(r'currency(=~|!~)"([A-Z|]+)"\} / (\d+), "decimals", "(\d)"', rule["expr"])
    assert len(parts) == 4
    for currency in list_known_currencies():
        matching = [
            (int(divisor), int(decimals))
            for operator, codes, divisor, decimals in parts
            if (currency in codes.split("|")) == (operator == "=~")
        ]
        digits = get_minor_digits(currency)
        assert matching == [(10**digits, digits)], currency
