"""Spans name nobody: what breaks one is told by type, and what a request asked for is withheld."""

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import telemetry

NAME = "Peregrina"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> tuple[TracerProvider, InMemorySpanExporter]:
    provider, exporter = telemetry._tracer_provider("test"), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "TRACER", provider.get_tracer("test"))
    return provider, exporter


def test_what_breaks_a_span_is_told_by_its_type(exported: tuple[TracerProvider, InMemorySpanExporter]) -> None:
    with pytest.raises(ValueError, match=NAME), telemetry.continued("handle", ""):
        raise ValueError(NAME)
    (span,) = exported[1].get_finished_spans()
    told = json.loads(span.to_json())
    assert told["status"] == {"status_code": "ERROR", "description": "ValueError"}
    assert told["events"] == []


def test_the_address_of_a_request_is_withheld(exported: tuple[TracerProvider, InMemorySpanExporter]) -> None:
    asked = {"url.path": f"/v1/accounts/{NAME}", "url.query": f"external_reference={NAME}", "url.scheme": "http"}
    exported[0].get_tracer("fastapi").start_span("GET", attributes=asked).end()
    (span,) = exported[1].get_finished_spans()
    assert dict(span.attributes or {}) == {"url.path": "withheld", "url.query": "withheld", "url.scheme": "http"}
