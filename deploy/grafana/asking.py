"""Answers of a Prometheus to the panels of a dashboard: as Grafana would ask, with its variables filled in."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

POINTS = 240
"""How many points of time a line has at most."""
WITHIN = 30.0
Json = dict[str, Any]


@dataclass(frozen=True)
class QueryWindow:
    """A time (seconds since 1970) at a Prometheus that is scraped so often, and what the variables are."""

    prometheus: str
    begin: float
    end: float
    scraped: float
    variables: Mapping[str, str]

    @property
    def step_seconds(self) -> float:
        """Between two points of a line."""
        return max(self.scraped, (self.end - self.begin) / POINTS)

    def fill_variables(self, query: str) -> str:
        """A query with Grafana's variables and ours as what they are now."""
        seconds = math.ceil(max(self.step_seconds + self.scraped, 4 * self.scraped))
        times = {"__rate_interval": f"{seconds}s", "__range": f"{math.ceil(self.end - self.begin)}s"}
        variables = {"currency": ".*", **times, **self.variables}  # all of them, if none is chosen
        for name, value in variables.items():
            query = query.replace(f"${{{name}}}", value).replace(f"${name}", value)
        return query

    def choose_variable(self, name: str, value: str) -> "QueryWindow":
        """With one variable as said."""
        return replace(self, variables={**self.variables, name: value})

    def query_variable_values(self, query: str) -> list[str]:
        """The values that a variable's query, `label_values(SERIES, LABEL)`, has in this time."""
        series, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
        asked = {"match[]": self.fill_variables(series), "start": self.begin, "end": self.end}
        return [str(value) for value in self._got(f"/api/v1/label/{label}/values", asked)]

    def query_series(self, target: Json) -> Iterator[Json]:
        """The series that a panel's query gives: labels, legend, points of time and value."""
        query = {"query": self.fill_variables(target["expr"])}
        if target.get("instant"):
            results = self._got("/api/v1/query", {**query, "time": self.end})["result"]
        else:
            span = {"start": self.begin, "end": self.end, "step": self.step_seconds}
            results = self._got("/api/v1/query_range", {**query, **span})["result"]
        for result in results:
            points = [(at, float(value)) for at, value in result.get("values") or [result["value"]]]
            finite = [(at, value) for at, value in points if math.isfinite(value)]
            if finite:
                yield {"labels": result["metric"], "legend": name_series(target, result["metric"]), "points": finite}

    def _got(self, path: str, parameters: Mapping[str, object]) -> Any:
        with urlopen(f"{self.prometheus}{path}?{urlencode(parameters)}", timeout=WITHIN) as answer:
            return json.load(answer)["data"]


def name_series(target: Json, labels: Mapping[str, str]) -> str:
    """Name a series as its legend shows it."""
    text = str(target.get("legendFormat", ""))
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def list_panels_with_queries(board: Json) -> Iterator[Json]:
    """All panels of a dashboard that ask something."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


def query_panel_series(window: QueryWindow, panel: Json) -> list[Json]:
    """All that a panel is answered."""
    return [each for target in panel["targets"] for each in window.query_series(target)]


def repeat_panel(window: QueryWindow, panel: Json, values: Sequence[str]) -> Iterator[tuple[QueryWindow, Json]]:
    """A panel that is repeated for each value of a variable, beside each other."""
    place = panel["gridPos"]
    width = place["w"] if len(values) == 1 else 24 // min(len(values), int(panel.get("maxPerRow", 4)))
    for at, value in enumerate(values):
        copy = panel | {
            "title": panel["title"].replace(f"${panel['repeat']}", value),
            "gridPos": place | {"x": at * width % 24, "w": width, "y": place["y"] + at * width // 24 * place["h"]},
        }
        yield window.choose_variable(panel["repeat"], value), copy


def query_board(window: QueryWindow, board: Json) -> Iterable[Json]:
    """Each panel with what it was answered; rows of headings as they are."""
    queries = {variable["name"]: variable["query"] for variable in board["templating"]["list"]}
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield {"panel": panel, "series": []}
        elif "repeat" in panel:
            for inside, copy in repeat_panel(window, panel, window.query_variable_values(queries[panel["repeat"]])):
                yield {"panel": copy, "series": query_panel_series(inside, copy)}
        else:
            yield {"panel": panel, "series": query_panel_series(window, panel)}
