"""Handlers of events: which use case consumes which event."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from shared.base.kafka import MessageEnvelope
from shared.base.telemetry import continue_trace
from shared.events import REGISTRY, Event
from shared.persistence.database import Cause, Unit

E = TypeVar("E", bound=Event)
Handler = Callable[[Unit, Any, MessageEnvelope], Awaitable[None]]


@dataclass(frozen=True)
class GroupedEvents:
    """Events of a batch that one handler takes together, in their order."""

    events: Sequence[tuple[Event, MessageEnvelope]]
    spans: dict[str, SpanContext]
    """By the id of the event that it is about."""

    @cached_property
    def last(self) -> dict[str, MessageEnvelope]:
        """The last of them about each subject."""
        return {envelope.subject: envelope for _, envelope in self.events}

    def list_overtaken_events(self) -> list[MessageEnvelope]:
        """Those after which there is another about the same subject, with which they are looked at."""
        return [envelope for _, envelope in self.events if envelope is not self.last[envelope.subject]]

    @contextmanager
    def attribute_to_event(self, unit: Unit, subject: object) -> Iterator[None]:
        """Give what is done within the cause and trace of the last event about a subject."""
        last = self.last[str(subject)]
        unit.cause = Cause(id=last.id)
        with continue_trace(f"handle {last.type}", last.traceparent) as span:
            self.spans[last.id] = span
            yield


HandlerOfMany = Callable[[Unit, GroupedEvents], Awaitable[None]]


class EventHandlers:
    """The events that a service hears, each with its handler."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._of_many: dict[str, HandlerOfMany] = {}

    def on(
        self, event: type[E]
    ) -> Callable[
        [Callable[[Unit, E, MessageEnvelope], Awaitable[None]]], Callable[[Unit, E, MessageEnvelope], Awaitable[None]]
    ]:
        """Declare the handler of an event."""

        def declare(
            handler: Callable[[Unit, E, MessageEnvelope], Awaitable[None]],
        ) -> Callable[[Unit, E, MessageEnvelope], Awaitable[None]]:
            self._handlers[event.type()] = handler
            return handler

        return declare

    def declare_group_handler(self, *events: type[Event]) -> Callable[[HandlerOfMany], HandlerOfMany]:
        """Declare the handler of some kinds of events that takes what a batch has of them in one call.

        It may look at a subject once for several events; what it decides must follow from all facts, and not from
        how many events told them.
        """

        def declare(handler: HandlerOfMany) -> HandlerOfMany:
            self._of_many |= {event.type(): handler for event in events}
            return handler

        return declare

    def __contains__(self, type_: str) -> bool:
        return type_ in self._handlers or type_ in self._of_many

    def __iter__(self) -> Iterator[str]:
        return iter((*self._handlers, *self._of_many))

    def list_event_types(self, topic: str) -> list[str]:
        """List the types of these events that come on a topic."""
        return sorted(name for name in self if REGISTRY[name].topic() == topic)

    def is_handled_in_groups(self, type_: str) -> bool:
        """Whether events of this type are taken together."""
        return type_ in self._of_many

    def list_topics(self) -> list[str]:
        """The topics on which these events come."""
        return sorted({REGISTRY[name].topic() for name in self})

    async def handle_event(self, unit: Unit, received: MessageEnvelope) -> SpanContext:
        """Decode the event and call its handler, as part of the trace that the event belongs to; the span of that."""
        if received.type in self._of_many:
            return (await self.handle_event_group(unit, [received]))[0]
        unit.cause = Cause(id=received.id)
        with (
            continue_trace(f"handle {received.type}", received.traceparent) as span,
            unit.applying_events(is_past=received.is_past),
        ):
            event = REGISTRY[received.type].model_validate_json(received.payload)
            await self._handlers[received.type](unit, event, received)
        return span

    async def handle_event_group(self, unit: Unit, received: Sequence[MessageEnvelope]) -> list[SpanContext]:
        """Decode events that are taken together and call their handlers, each with its own; the span of each event.

        All of them are of the past, or none is.
        """
        shares: dict[HandlerOfMany, list[tuple[Event, MessageEnvelope]]] = {}
        for envelope in received:
            event = REGISTRY[envelope.type].model_validate_json(envelope.payload)
            shares.setdefault(self._of_many[envelope.type], []).append((event, envelope))
        spans: dict[str, SpanContext] = {}
        for handler, share in shares.items():
            heard = GroupedEvents(share, spans)
            for envelope in heard.list_overtaken_events():
                with continue_trace(f"handle {envelope.type}", envelope.traceparent) as span:
                    spans[envelope.id] = span
            with unit.applying_events(is_past=received[0].is_past):
                await handler(unit, heard)
        return [spans.get(envelope.id, INVALID_SPAN_CONTEXT) for envelope in received]
