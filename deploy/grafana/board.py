"""A dashboard: rows of panels, its variables, and the way to the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as parts

from deploy.grafana.panels import SOURCE, Panel

TAG = "goodstanding"


@dataclass(frozen=True)
class PanelRow:
    """Panels beneath a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class BoardVariable:
    """A variable whose values are those of a label."""

    name: str
    label: str
    values_of: str
    """A series, and the label."""
    shown: str
    """What is chosen at first."""
    several: bool = False


SERVICE = BoardVariable("service", "Service", 'label_values(up{job="goodstanding"}, service)', "collections")
CURRENCY = BoardVariable(
    "currency", "Currency", "label_values(goodstanding_ledger_receivables_minor, currency)", "All", several=True
)
VENDOR_CURRENCY = BoardVariable(
    "currency", "Currency", "label_values(goodstanding_vendor_exposure_minor, currency)", "All", several=True
)
"""The vendor's: it need not be one that a customer pays in."""


@dataclass(frozen=True)
class DashboardBoard:
    """All that one dashboard is."""

    uid: str
    title: str
    shows: str
    rows: Sequence[PanelRow]
    choices: Sequence[BoardVariable] = ()

    def build_dashboard(self) -> parts.Dashboard:
        """As Grafana has it."""
        made = dashboard.Dashboard(self.title).uid(self.uid).description(self.shows).tags([TAG]).editable()
        made = (
            made.time("now-1h", "now").refresh("30s").timezone("browser").tooltip(parts.DashboardCursorSync.CROSSHAIR)
        )
        made = made.with_variable(_source()).link(_others()).annotation(_alerts())
        for choice in self.choices:
            made = made.with_variable(_variable(choice))
        for row in self.rows:
            made = made.with_row(dashboard.Row(row.title))
            for panel in row.panels:
                made = made.with_panel(panel)
        return made.build()


def _source() -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("source")
        .label("Prometheus")
        .type("prometheus")
        .current(_select_option("prometheus"))
    )


def _select_option(value: str, text: str | None = None) -> parts.VariableOption:
    return parts.VariableOption(selected=True, text=text or value, value=value)


def _variable(choice: BoardVariable) -> dashboard.QueryVariable:
    made = dashboard.QueryVariable(choice.name).label(choice.label).datasource(SOURCE).query(choice.values_of)
    made = made.refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(parts.VariableSort.ALPHABETICAL_ASC)
    if choice.several:
        return made.multi(True).include_all(True).current(_select_option("$__all", choice.shown))
    return made.current(_select_option(choice.shown))


def _others() -> dashboard.DashboardLink:
    others = dashboard.DashboardLink("Other dashboards").type(parts.DashboardLinkType.DASHBOARDS).tags([TAG])
    return others.as_dropdown(True).keep_time(True).include_vars(True)


def _alerts() -> dashboard.AnnotationQuery:
    """Vertical lines where something that pages began to fire."""
    asked = 'ALERTS{alertstate="firing",severity="page"}'
    made = dashboard.AnnotationQuery().name("Pages").datasource(SOURCE).enable(True).icon_color("red")
    return made.expr(asked)
