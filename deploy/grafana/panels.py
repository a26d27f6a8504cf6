"""The few kinds of panel that there are, each with a title, a description that says what to do, a unit and a link."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models import dashboard as parts

from deploy.grafana.queries import PanelQuery

SOURCE = parts.DataSourceRef(type_val="prometheus", uid="${source}")
BOOKS = "/public/docs/runbooks"
"""Where Grafana serves docs/runbooks (deploy/compose.yaml mounts it there)."""
SERVICES = {"invoicing": "blue", "collections": "#8f5a2b", "entitlements": "orange", "escalation": "purple"}
"""Each service has its colour on all dashboards; none is green, as what they share may be a failure."""
PER_TIME = {"h": "suffix:/ h", "min": "suffix:/ min"}
"""Units of rates that are small: an hour, a minute."""
TABLE: Any = "table"
"""The format of a table's answer: the kit's enumeration is not exported."""
Panel = timeseries.Panel | stat.Panel | table.Panel | bargauge.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, table.Panel, bargauge.Panel)


@dataclass(frozen=True)
class PanelLink:
    """Where to look next."""

    title: str
    url: str


def link_to_board(uid: str, title: str) -> PanelLink:
    """Another dashboard, at the same time and for the same service."""
    return PanelLink(title, f"/d/{uid}?${{__url_time_range}}&${{__all_variables}}")


def link_to_runbook(alert: str) -> PanelLink:
    """The page of an alert."""
    return PanelLink(f"Runbook: {alert}", f"{BOOKS}/{alert}.md")


@dataclass(frozen=True)
class PanelText:
    """Text of a panel: what it shows, what somebody does who sees it look bad, and where they go from there."""

    title: str
    shows: str
    do: str
    unit: str
    down: Sequence[PanelLink]

    @property
    def description(self) -> str:
        """Both, as Grafana shows them on the panel's corner."""
        return f"{self.shows}\n\n**When it looks bad:** {self.do}"


@dataclass(frozen=True)
class PanelLook:
    """How wide and high (of 24 columns), and what else is not as usual."""

    width: int = 8
    height: int = 7
    stacked: bool = False
    warn: float | None = None
    """From here on it is yellow, or a dashed line is drawn."""
    bad: float | None = None
    """From here on it is red."""
    low_is_bad: bool = False
    most: float | None = None
    decimals: int | None = None
    exemplars: bool = False
    repeat: str | None = None
    colours: dict[str, str] = field(default_factory=dict)
    """The colour of a series by its name, or by a pattern between slashes."""
    colour: str | None = None
    """The colour of all series that have none of their own."""
    none: str = "no figures"
    """What a number says if there is no series: that nobody tells it."""


def _links(text: PanelText) -> list[Any]:
    return [
        dashboard.DashboardLink(board.title).type(parts.DashboardLinkType.LINK).url(board.url) for board in text.down
    ]


def _target(number: int, query: PanelQuery, *, instant: bool, exemplars: bool = False) -> prometheus.Dataquery:
    asked = prometheus.Dataquery().datasource(SOURCE).ref_id(chr(ord("A") + number))
    asked = asked.expr(query.ask).legend_format(query.legend).exemplar(exemplars)
    return asked.instant() if instant else asked.range()


def _steps(look: PanelLook, fine: str = "green") -> dashboard.ThresholdsConfig:
    """From fine over yellow to red; the other way round where little is bad."""
    limits = [(look.warn, "yellow"), (look.bad, "red")]
    if look.low_is_bad:
        limits = [(look.bad, "yellow"), (look.warn, fine)]
    first = "red" if look.low_is_bad else fine
    steps = [parts.Threshold(value=None, color=first)]
    steps += [parts.Threshold(value=at, color=colour) for at, colour in limits if at is not None]
    return dashboard.ThresholdsConfig().mode(parts.ThresholdsMode.ABSOLUTE).steps(steps)


def draw_line_panel(text: PanelText, *queries: PanelQuery, look: PanelLook = PanelLook()) -> timeseries.Panel:
    """How something went over time."""
    panel = _common(timeseries.Panel(), text, look)
    for number, query in enumerate(queries):
        panel = panel.with_target(_target(number, query, instant=False, exemplars=look.exemplars))
    panel = panel.legend(_legend()).tooltip(common.VizTooltipOptions().mode(words.TooltipDisplayMode.MULTI))
    panel = panel.min(0).axis_soft_max(1 if look.bad is None else look.bad) if _counts(text, look) else panel.min(0)
    # In a stack the line of what is 0 would lie on top of the others.
    panel = panel.line_width(0 if look.stacked else 1.5).fill_opacity(70 if look.stacked else 8)
    panel = panel.show_points(words.VisibilityMode.NEVER).color_scheme(_scheme(look))
    if look.stacked:
        panel = panel.stacking(common.StackingConfig().mode(words.StackingMode.NORMAL).group("A"))
    if look.warn is not None or look.bad is not None:
        dashed = common.GraphThresholdsStyleConfig().mode(words.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_steps(look, "transparent")).thresholds_style(dashed)
    if look.most is not None:
        panel = panel.max(look.most)
    by_service = any(query.legend == "{{service}}" for query in queries)
    return _set_colours(panel, (SERVICES if by_service else {}) | look.colours)


def _scheme(look: PanelLook) -> dashboard.FieldColor:
    if look.colour is None:
        return dashboard.FieldColor().mode(parts.FieldColorModeId.PALETTE_CLASSIC)
    return dashboard.FieldColor().mode(parts.FieldColorModeId.FIXED).fixed_color(look.colour)


def _counts(text: PanelText, look: PanelLook) -> bool:
    """Whether nothing is drawn on an axis up to one, or to the limit, rather than up to a hundred."""
    return text.unit in {"none", "ops", "reqps", "suffix: ×", *PER_TIME.values()} or look.bad is not None


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(True).display_mode(words.LegendDisplayMode.LIST)
    return legend.placement(words.LegendPlacement.BOTTOM)


def _set_colours(panel: timeseries.Panel, colours: dict[str, str]) -> timeseries.Panel:
    for name, colour in colours.items():
        fixed = [parts.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})]
        by = panel.override_by_regexp if name.startswith("/") else panel.override_by_name
        panel = by(name, fixed)
    return panel


def draw_number_panel(
    text: PanelText, *queries: PanelQuery, look: PanelLook = PanelLook(width=4, height=4)
) -> stat.Panel:
    """Draw a number at the end of the time shown: never the last that somebody reported before."""
    panel = _common(stat.Panel(), text, look)
    for at, query in enumerate(queries):
        panel = panel.with_target(_target(at, query, instant=True))
    panel = panel.thresholds(_steps(look)).no_value(look.none)
    panel = panel.color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS))
    panel = panel.color_mode(words.BigValueColorMode.BACKGROUND).graph_mode(words.BigValueGraphMode.NONE)
    return panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))


def draw_bar_panel(text: PanelText, query: PanelQuery, look: PanelLook = PanelLook()) -> bargauge.Panel:
    """How much of each there is now."""
    panel = _common(bargauge.Panel(), text, look).with_target(_target(0, query, instant=True))
    panel = panel.thresholds(_steps(look)).min(0).no_value(look.none)
    panel = panel.color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS))
    panel = panel.display_mode(words.BarGaugeDisplayMode.BASIC).orientation(words.VizOrientation.HORIZONTAL)
    return panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))


def draw_table_panel(text: PanelText, query: PanelQuery, look: PanelLook = PanelLook()) -> table.Panel:
    """A row for each series now; its labels are the columns."""
    panel = _common(table.Panel(), text, look).with_target(_target(0, query, instant=True).format(TABLE))
    shown = {"excludeByName": {"Time": True}, "renameByName": {"Value": "number"}}
    moved = parts.DataTransformerConfig(id_val="organize", options=shown)
    return panel.with_transformation(moved).no_value(look.none)


def _common(panel: P, text: PanelText, look: PanelLook) -> P:
    panel.title(text.title).description(text.description).datasource(SOURCE).unit(text.unit)
    panel.links(_links(text)).span(look.width).height(look.height)
    if look.decimals is not None:
        panel.decimals(look.decimals)
    if look.repeat is not None:
        panel.repeat(look.repeat).repeat_direction("h").max_per_row(3)
    return panel
