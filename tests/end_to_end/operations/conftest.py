"""A stack with Prometheus and Alertmanager whose minutes are seconds, and with receivers of alerts and spans."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import monitoring
from deploy.local.stack import Stack, remove_stack_folder
from sandbox.clock import START
from sandbox.driver import SandboxDriver, open_driver
from tests.end_to_end.beginnings import BEGIN, publish_policy
from tests.end_to_end.operations.receivers import Receiver, receiver


@dataclass(frozen=True)
class Watched:
    """The stack, and what it tells the outside."""

    stack: Stack
    folder: Path
    alerts: Receiver
    spans: Receiver


@pytest.fixture(scope="package")
def watched(fast_folder: Path) -> Iterator[Watched]:
    """Durations of rules and routes are a sixtieth of what they are."""
    assert monitoring.list_missing_programs() == [], "make setup installs them"
    folder = fast_folder / "watched"
    with ExitStack() as block:
        alerts, spans = block.enter_context(receiver()), block.enter_context(receiver())
        with pytest.MonkeyPatch.context() as patch:  # only for what is started now
            patch.setenv(START, f"{BEGIN:%Y-%m-%dT%H:%M:%S}")
            patch.setenv(monitoring.QUICK_VARIABLE, "60")
            patch.setenv(monitoring.WEBHOOK_VARIABLE, alerts.url)
            patch.setenv("GOODSTANDING_METRICS_INTERVAL", "1")
            patch.setenv("OTEL_TRACES_EXPORTER", "otlp")
            patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", spans.url)
            patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
            running = block.enter_context(Stack(folder, durable=False, metrics=True))
        yield Watched(running, folder, alerts, spans)
    remove_stack_folder(folder)


@pytest.fixture(scope="package")
async def watcher(watched: Watched) -> AsyncIterator[SandboxDriver]:
    """A driver of that stack; the standard policy is in force."""
    async with open_driver(watched.stack) as new_driver:
        await publish_policy(new_driver)
        yield new_driver
