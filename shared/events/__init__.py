"""Every event of the product, declared once: the public contract of the topics."""

from shared.events import collections, entitlements, escalation, invoicing
from shared.events.base import PARTITIONS, REGISTRY, Event, get_topic

__all__ = [
    "PARTITIONS",
    "REGISTRY",
    "Event",
    "collections",
    "entitlements",
    "escalation",
    "get_topic",
    "invoicing",
]
