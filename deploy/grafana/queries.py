"""Short words for the queries that dashboards are made of."""

from dataclasses import dataclass

from shared.pure.money import get_minor_digits, list_known_currencies

REQUESTS = 'goodstanding_http_requests_total{route!~"/health/.*"%s}'
BUSINESS = "max by (service) (goodstanding_business_timestamp_seconds)"


@dataclass(frozen=True)
class PanelQuery:
    """A query, and how each line of its answer is called."""

    ask: str
    legend: str


def compute_rate(metric: str, by: str, selector: str = "") -> str:
    """How often in a second, by these labels."""
    return f"sum by ({by}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def rate_per_hour(metric: str, by: str, selector: str = "") -> str:
    """Compute how often in an hour, by these labels."""
    return f"3600 * {compute_rate(metric, by, selector)}"


def count_now(metric: str, service: str = "", selector: str = "") -> str:
    """Count what rows of a table tell: 0 if there are none, and nothing if that service tells no figures."""
    return f"sum({metric}{{{selector}}}) or {give_zero_if_read(service)}"


def give_zero_if_read(service: str = "") -> str:
    """Give 0 while this service (any, if none is named) tells figures, else nothing."""
    return f'0 * max(goodstanding_business_timestamp_seconds{{service=~"{service or ".+"}"}})'


def compute_quantile(part: float, metric: str, by: str, selector: str = "") -> str:
    """The value below which so large a part of what a histogram saw is."""
    buckets = compute_rate(f"{metric}_bucket", f"{by}, le" if by else "le", selector)
    return f"histogram_quantile({part}, {buckets})"


def compute_total(metric: str, by: str, selector: str = "") -> str:
    """The sum by these labels."""
    return f"sum by ({by}) ({metric}{{{selector}}})"


def compute_age(metric: str, by: str, selector: str = "") -> str:
    """How long ago by the system's clock; an instant of 0 is none."""
    return f"time() - min by ({by}) ({metric}{{{selector}}} > 0)"


def compute_business_age(metric: str, by: str, selector: str = "") -> str:
    """How many hours ago by the business clock; `by` begins with the service."""
    assert by.startswith("service")
    return f"({BUSINESS} - on (service) group_right () min by ({by}) ({metric}{{{selector}}})) / 3600"


def compute_failing_share(window: str = "$__rate_interval") -> str:
    """The part of the requests of each service that failed; 0 if none did."""
    failed, asked = (REQUESTS % more for more in (',status=~"5.."', ""))
    bad, every = (f"sum by (service) (rate({counter}[{window}]))" for counter in (failed, asked))
    return f"({bad} or 0 * {every}) / {every}"


def _of_precision(digits: int) -> str:
    return "|".join(sorted(code for code in list_known_currencies() if get_minor_digits(code) == digits))


def compute_money_total(metric: str, by: str, selector: str = "") -> str:
    """An amount in the units that people speak of: metrics tell minor ones. Each currency by itself.

    How many minor units are one is a property of the currency (ISO 4217), and usually 100.
    """
    assert "currency" in by
    none, three, four = (_of_precision(digits) for digits in (0, 3, 4))
    conditions = f"{selector}," if selector else ""
    return (
        f'sum by ({by}) ({metric}{{{conditions}currency!~"{none}|{three}|{four}"}}) / 100'
        f' or sum by ({by}) ({metric}{{{conditions}currency=~"{none}"}})'
        f' or sum by ({by}) ({metric}{{{conditions}currency=~"{three}"}}) / 1000'
        f' or sum by ({by}) ({metric}{{{conditions}currency=~"{four}"}}) / 10000'
    )
