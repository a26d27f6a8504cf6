"""Spans name nobody: what breaks one is told by type, and what a request asked for is withheld."""

import json

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.base import telemetry

NAME = "Peregrina"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> tuple[TracerProvider, InMemorySpanExporter]:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    provider, exporter = telemetry._tracer_provider("test"), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "TRACER", provider.get_tracer("test"))
    return provider, exporter


def test_what_breaks_a_span_is_told_by_its_type(exported: tuple[TracerProvider, InMemorySpanExporter]) -> None:
    with pytest.raises(ValueError, match=NAME), telemetry.continue_trace("handle", ""):
        raise ValueError(NAME)
    (span,) = exported[1].get_finished_spans()
    record = json.loads(span.to_json())
    assert record["status"] == {"status_code": "ERROR", "description": "ValueError"}
    assert record["events"] == []


def test_the_address_of_a_request_is_withheld(exported: tuple[TracerProvider, InMemorySpanExporter]) -> None:
    asked = {"url.path": f"/v1/accounts/{NAME}", "url.query": f"external_reference={NAME}", "url.scheme": "http"}
    exported[0].get_tracer("fastapi").start_span("GET", attributes=asked).end()
    (span,) = exported[1].get_finished_spans()
    assert dict(span.attributes or {}) == {"url.path": "withheld", "url.query": "withheld", "url.scheme": "http"}


def test_of_spans_that_go_nowhere_only_the_ids_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_TRACES_EXPORTER", raising=False)
    monkeypatch.setattr(telemetry, "TRACER", telemetry._tracer_provider("test").get_tracer("test"))
    with telemetry.continue_trace("first", "") as first:
        parent = telemetry.get_traceparent()
    with telemetry.continue_trace("second", parent) as second:
        assert not trace.get_current_span().is_recording()
    assert first.is_valid
    assert (first.trace_id, first.span_id) == (second.trace_id, int(parent.split("-")[2], 16))
