"""The consumer: each event of another service has its effect once, in the order of its subject."""

from shared.messaging.consumer.event_consumer import EventConsumer
from shared.messaging.consumer.handlers import EventHandlers, GroupedEvents

__all__ = ["EventConsumer", "EventHandlers", "GroupedEvents"]
