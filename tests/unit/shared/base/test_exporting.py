"""Spans leave only where the environment says so, and a receiver that never answers keeps nobody waiting."""

import socket
import time
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from shared.base import telemetry


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def processors(provider: TracerProvider) -> list[object]:
    return list(provider._active_span_processor._span_processors)


def test_nothing_is_sent_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_TRACES_EXPORTER", raising=False)
    assert not any(
        isinstance(processor, BatchSpanProcessor) for processor in processors(telemetry._tracer_provider("x/api"))
    )


def test_a_process_is_named_by_service_and_role() -> None:
    named = telemetry._tracer_provider("invoicing/jobs").resource.attributes
    assert (named["service.name"], named["goodstanding.role"]) == ("invoicing", "jobs")


def test_nobody_waits_for_a_receiver_that_does_not_answer(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent}")
    provider = telemetry._tracer_provider("invoicing/api")
    tracer, began = provider.get_tracer("test"), time.monotonic()
    for _ in range(3000):  # more than the queue holds; to wait for the receiver once would take 10 s
        tracer.start_span("request").end()
    assert time.monotonic() - began < 4
    provider.shutdown()
    assert time.monotonic() - began < 8  # less than a process has to end in
