"""Small HTTP servers that keep what they are sent: alerts from Alertmanager, spans as OTLP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVER, CLIENT, CONSUMER = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_CONSUMER


@dataclass(frozen=True)
class Received:
    """One span as it came over the wire."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str


@dataclass
class Receiver:
    """Receiver that keeps all that came so far."""

    url: str
    bodies: list[bytes] = field(default_factory=list)

    def alerts(self) -> dict[str, str]:
        """The last status of each alert: firing or resolved."""
        status_by_alert: dict[str, str] = {}
        for body in list(self.bodies):
            message: dict[str, Any] = json.loads(body)
            status_by_alert |= {alert["labels"]["alertname"]: alert["status"] for alert in message["alerts"]}
        return status_by_alert

    def spans(self) -> Iterator[Received]:
        """List every span."""
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
                for span in (span for scope in resource.scope_spans for span in scope.spans):
                    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                    yield Received(named["service.name"], span.name, span.kind, *ids)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A server on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing at all."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
