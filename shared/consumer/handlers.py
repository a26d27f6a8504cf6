"""Which use case hears which event."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from opentelemetry.trace import SpanContext

from shared.database import Cause, Unit
from shared.events import REGISTRY, Event
from shared.kafka import Envelope
from shared.telemetry import continued

E = TypeVar("E", bound=Event)
Handler = Callable[[Unit, Any, Envelope], Awaitable[None]]


class Handlers:
    """The events that a service hears, each with its handler."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(
        self, event: type[E]
    ) -> Callable[[Callable[[Unit, E, Envelope], Awaitable[None]]], Callable[[Unit, E, Envelope], Awaitable[None]]]:
        """Declare the handler of an event."""

        def declare(
            handler: Callable[[Unit, E, Envelope], Awaitable[None]],
        ) -> Callable[[Unit, E, Envelope], Awaitable[None]]:
            self._handlers[event.type()] = handler
            return handler

        return declare

    def __contains__(self, type_: str) -> bool:
        return type_ in self._handlers

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def topics(self) -> list[str]:
        """The topics on which these events come."""
        return sorted({REGISTRY[name].topic() for name in self._handlers})

    async def handle(self, unit: Unit, received: Envelope) -> SpanContext:
        """Decode the event and call its handler, as part of the trace that the event belongs to; the span of that."""
        unit.cause = Cause(id=received.id)
        with continued(f"handle {received.type}", received.traceparent) as span:
            event = REGISTRY[received.type].model_validate_json(received.data)
            await self._handlers[received.type](unit, event, received)
        return span
