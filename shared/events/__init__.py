"""Every event of the product, declared once: the public contract of the topics."""

from shared.events import collections, entitlements, escalation, invoicing
from shared.events.base import PARTITIONS, REGISTRY, Event, topic_of

__all__ = [
    "PARTITIONS",
    "REGISTRY",
    "Event",
    "collections",
    "entitlements",
    "escalation",
    "invoicing",
    "topic_of",
]
