"""The consumer: each event of another service has its effect once, in the order of its subject."""

from shared.messaging.consumer.handlers import EventGroup, Handlers
from shared.messaging.consumer.member import Consumer

__all__ = ["Consumer", "EventGroup", "Handlers"]
