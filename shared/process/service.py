"""Parts of a service; `services/<name>/service.py` declares one."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from shared.base.metrics.figures import MetricQuery
from shared.messaging.consumer import EventHandlers
from shared.process.intents import IntentKind
from shared.process.sweeps import Sweep

if TYPE_CHECKING:
    from shared.web.http import Router

NAMES = ("invoicing", "collections", "entitlements", "escalation")


@dataclass(frozen=True)
class Service:
    """The wiring of one service: its routes, what it hears, what falls due, what it wants from outside."""

    name: str
    summary: str
    routers: "tuple[Router, ...]"
    tables: MetaData
    handlers: EventHandlers = field(default_factory=EventHandlers)
    sweeps: tuple[Sweep, ...] = ()
    intents: tuple[IntentKind, ...] = ()
    figures: tuple[MetricQuery, ...] = ()
    """What one process tells Prometheus of the service's tables."""
    calls: tuple[str, ...] = ()
    """The services that it calls over REST."""


def load_service(name: str) -> Service:
    """The service of this name. Raises ValueError for an unknown one."""
    if name not in NAMES:
        raise ValueError(f"{name!r} is no service; there are {', '.join(NAMES)}")
    service = import_module(f"services.{name}.service").SERVICE
    assert isinstance(service, Service)
    return service
