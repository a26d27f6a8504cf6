"""Prometheus and Alertmanager of the local stack: their own binaries where they are installed, else nothing."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from deploy.local import files
from deploy.local.children import ChildProgram
from deploy.local.jars import CHECKOUT
from deploy.local.ports import HOST
from deploy.local.state import StackState, build_metrics_port_name

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "prometheus": ("prometheus",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),  # Debian's name for it
}
RULES = CHECKOUT / "deploy" / "prometheus" / "rules.yml"
ROUTES = CHECKOUT / "deploy" / "alertmanager" / "alertmanager.yml"
WEBHOOK_VARIABLE = "GOODSTANDING_ALERT_WEBHOOK"
"""Where the local Alertmanager sends what fires, as a URL; nowhere if it is not set."""
QUICK_VARIABLE = "GOODSTANDING_ALERT_SPEED"
"""By how much every duration of rules, scraping and routing is shortened: for tests, which cannot wait an hour."""
SCRAPE_EVERY = 15.0
SCRAPE_EVERY_AT_LEAST = 1.0
"""The shortest time between two scrapes (seconds): Prometheus takes a good part of a processor with four a second."""
RESEND_AFTER = 60.0
"""How often an alert is told again while it fires (seconds): the first may come before Alertmanager is known."""


def list_missing_programs() -> list[str]:
    """List the programs that are not installed here."""
    return [name for name in PROGRAMS if _binary(name) is None]


def shorten_scraping(speed: float) -> float:
    """Seconds between two scrapes when every duration is so many times shorter."""
    return max(SCRAPE_EVERY_AT_LEAST, SCRAPE_EVERY / speed)


def _binary(name: str) -> str | None:
    return next((path for command in PROGRAMS[name] if (path := shutil.which(command))), None)


def list_monitoring_programs(state: StackState, services: tuple[str, ...]) -> list[ChildProgram]:
    """Both, with their configuration written anew; nothing where one is not installed."""
    prometheus, alertmanager = _binary("prometheus"), _binary("alertmanager")
    if prometheus is None or alertmanager is None:
        return []
    folder, speed = state.root / "monitoring", float(os.environ.get(QUICK_VARIABLE, "1"))
    _write_configuration(state, services, folder, speed)
    address = f"--web.listen-address={HOST}:{{}}"
    return [
        ChildProgram(
            "alertmanager",
            (
                alertmanager,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                address.format(state.get_port("alertmanager")),
                "--cluster.listen-address=",
            ),
        ),
        ChildProgram(
            "prometheus",
            (
                prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--storage.tsdb.retention.time=15d",
                "--enable-feature=exemplar-storage",
                f"--rules.alert.resend-delay={max(1, round(RESEND_AFTER / speed))}s",
                address.format(state.get_port("prometheus")),
            ),
        ),
    ]


def _write_configuration(state: StackState, services: tuple[str, ...], folder: Path, speed: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scraping = build_scraping_configuration(state, services, shorten_scraping(speed))
    routes = shorten_durations(ROUTES.read_text(), speed)
    files.write_private_file(folder / "rules.yml", shorten_durations(RULES.read_text(), speed))
    files.write_private_file(folder / "prometheus.yml", yaml.safe_dump(scraping))
    webhook = os.environ.get(WEBHOOK_VARIABLE)
    files.write_private_file(folder / "alertmanager.yml", route_alerts_to_webhook(routes, webhook))


def build_scraping_configuration(state: StackState, services: tuple[str, ...], every: float) -> dict[str, object]:
    """Build Prometheus's configuration: each process with its service and role, the rules, where alerts go."""
    targets = [
        {
            "targets": [f"{HOST}:{state.get_port(build_metrics_port_name(service))}"],
            "labels": {"service": service, "role": "all"},
        }
        for service in services
    ]
    interval = f"{max(1, round(every * 1000))}ms"
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "goodstanding", "static_configs": targets}],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{state.get_port('alertmanager')}"]}]}]
        },
    }


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?<=[\[ ])(\d+)([smhd])(?=[\]:\s]|$)", re.MULTILINE)


def shorten_durations(text: str, speed: float) -> str:
    """A file of rules or routes whose durations are so many times shorter, but a second at least."""
    if speed == 1:
        return text

    def shorter(duration: re.Match[str]) -> str:
        seconds = int(duration[1]) * _SECONDS[duration[2]] / speed
        return f"{max(1, round(seconds))}s"

    return _DURATION.sub(shorter, text)


def route_alerts_to_webhook(text: str, webhook: str | None) -> str:
    """The routes, whose receivers go to one webhook, or nowhere: the local stack pages nobody."""
    configuration = yaml.safe_load(text)
    hooks = [{"url": webhook, "send_resolved": True}] if webhook else []
    configuration["receivers"] = [
        {"name": receiver["name"], "webhook_configs": hooks} for receiver in configuration["receivers"]
    ]
    return yaml.safe_dump(configuration)


def get_ready_url(state: StackState, name: str) -> str:
    """Where one of both says that it is ready."""
    return f"{state.url(name)}/-/ready"
