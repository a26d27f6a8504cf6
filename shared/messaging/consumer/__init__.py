"""The consumer: each event of another service has its effect once, in the order of its subject."""

from shared.messaging.consumer.handlers import EventGroup, EventHandlers
from shared.messaging.consumer.member import EventConsumer

__all__ = ["EventConsumer", "EventGroup", "EventHandlers"]
