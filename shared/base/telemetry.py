"""Traces (OpenTelemetry, W3C trace context) and logs (JSON lines with the trace id, no personal data)."""

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache

import structlog
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.base.transient_errors import list_error_causes

EXPORT_WITHIN = 1.0
"""Seconds for one batch of spans, unless the environment says otherwise: a process that ends waits no longer."""

TRACER = trace.get_tracer("goodstanding")
_W3C = TraceContextTextMapPropagator()

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def _with_trace(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry.setdefault("trace_id", f"{context.trace_id:032x}")
        entry.setdefault("span_id", f"{context.span_id:016x}")
    return entry


def _with_members(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its causes, and what broke together if it is a group."""
    for cause in list_error_causes(error):
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            for member in cause.exceptions:
                yield from _with_members(member)


def _log_uncaught(_: type[BaseException], error: BaseException, __: object) -> None:
    """Log what ends the process as anything else: one line, and no message, which may name a customer."""
    log.critical("the process ends by an error", exc_info=error)


def _where(exc_info: structlog.typing.ExcInfo) -> str:
    """The traceback of what broke and of its causes, with their types only: messages may name a customer."""
    lines: list[str] = []
    for error in _with_members(exc_info[1]):
        lines += [*traceback.format_tb(error.__traceback__), f"{type(error).__module__}.{type(error).__qualname__}\n"]
    return "".join(lines)


class _JsonLines(logging.Formatter):
    """Lines of libraries' logs, in the same form as our own."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = _split_process(process)

    def format(self, record: logging.LogRecord) -> str:
        event = record.getMessage().partition("\n")[0]  # asyncio's second line is what broke, with its message
        line = {"level": record.levelname.lower(), "logger": record.name, "event": event}
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(line | self._process | {"timestamp": at})


class _WithoutAddress(SpanProcessor):
    """Keeps what was asked for out of the spans of requests, which have their route: people may stand in a URL."""

    WITHHELD = ("url.path", "url.query")

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Overwrite, since an attribute cannot be taken away."""
        for name in self.WITHHELD:
            if name in (span.attributes or {}):
                span.set_attribute(name, "withheld")


def _span_line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"


def _split_process(process: str) -> dict[str, str]:
    """A process as the log tells of it: `service/role`, and the service by itself."""
    return {"process": process, "service": process.partition("/")[0]}


def _tracer_provider(process: str) -> TracerProvider:
    """Spans go where OpenTelemetry's own variables say, and nowhere without them.

    OTEL_TRACES_EXPORTER=otlp sends them over HTTP to OTEL_EXPORTER_OTLP_ENDPOINT, `console` makes them lines of the
    log; OTEL_TRACES_SAMPLER and its argument say how many. Where they go nowhere, nothing is recorded of them but
    their ids, by which the lines of the log belong together.
    """
    service, _, role = process.partition("/")
    resource = Resource.create({"service.name": service, "goodstanding.role": role or "all"})
    exporter = os.environ.get("OTEL_TRACES_EXPORTER")
    provider = TracerProvider(sampler=None if exporter else ALWAYS_OFF, resource=resource)
    provider.add_span_processor(_WithoutAddress())
    match exporter:
        case "console":
            provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=_span_line)))
        case "otlp":
            provider.add_span_processor(BatchSpanProcessor(_otlp()))
    return provider


def _otlp() -> OTLPSpanExporter:
    """Sends in a thread of its own. What cannot be sent within the time is dropped: nobody waits for a receiver."""
    return OTLPSpanExporter(timeout=float(os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT", EXPORT_WITHIN)))


_ids = RandomIdGenerator()
_state = {"ids_only": False}


def is_tracing_off() -> bool:
    """Say whether spans go nowhere in this process: then a request needs the ids of one, and no more."""
    return _state["ids_only"]


@contextmanager
def identify_request(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[None]:
    """Put a request whose spans go nowhere into the trace of its `traceparent`, or into a new one."""
    if not is_tracing_off():
        yield
        return
    parent = next((value.decode("latin-1") for name, value in headers if name == b"traceparent"), "")
    parent_context = (
        trace.get_current_span(_context_of(parent)).get_span_context() if parent else trace.INVALID_SPAN_CONTEXT
    )
    trace_id = parent_context.trace_id if parent_context.is_valid else _ids.generate_trace_id()
    span = NonRecordingSpan(SpanContext(trace_id, _ids.generate_span_id(), is_remote=False))
    token = attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        detach(token)


def set_up_telemetry(process: str, level: str = "info") -> None:
    """Give this process its tracer and its JSON log. `process` is `service/role`."""
    trace.set_tracer_provider(_tracer_provider(process))
    _state["ids_only"] = not os.environ.get("OTEL_TRACES_EXPORTER")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _with_trace,
            structlog.processors.ExceptionRenderer(_where),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
    )
    structlog.contextvars.bind_contextvars(**_split_process(process))
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines(process))
    sys.excepthook = _log_uncaught
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def get_traceparent() -> str:
    """The current trace context as a W3C `traceparent`, or an empty string."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@lru_cache(100)
def _context_of(parent: str) -> Context:
    """The context that a `traceparent` tells of; what happens together has it in common, and in a row."""
    return _W3C.extract({"traceparent": parent} if parent else {}, Context())


@contextmanager
def continue_trace(name: str, parent: str, kind: SpanKind = SpanKind.CONSUMER) -> Iterator[SpanContext]:
    """A span that continues the trace of `parent` (a `traceparent`, or empty for a new trace).

    What breaks it is told by its type only, as in the log.
    """
    span = TRACER.start_span(name, _context_of(parent), kind)
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span.get_span_context()
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__qualname__))
            raise
