"""The names of all metrics that the processes of these services tell: what rules and dashboards may ask for."""

from collections.abc import Iterable, Mapping

from prometheus_client import REGISTRY

from shared.base.backbone_figures import FIGURES
from shared.base.metrics.figures import BUSINESS_TIME, MetricQuery
from shared.base.metrics.process import PART_OK

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("_sum", "_count"),
}


def list_metric_names(figures: Iterable[MetricQuery]) -> set[str]:
    """Every name that a process with these figures may tell; what is imported counts, as its metrics are declared."""
    declared = (*FIGURES, *figures)  # at once, as a service declares its own metrics when it is loaded
    metric_names = {BUSINESS_TIME, PART_OK}
    for metric in REGISTRY.collect():
        metric_names |= {metric.name + suffix for suffix in SUFFIXES.get(metric.type, ("",))}
    for figure in declared:
        metric_names |= {name + suffix for name in figure.values for suffix in SUFFIXES.get(figure.kind, ("",))}
    return metric_names
