"""The process that the edge stands in, as far as the edge sees it."""

from typing import TYPE_CHECKING, Protocol

from shared.base.health import Health
from shared.base.settings import Settings
from shared.persistence.database import Units

if TYPE_CHECKING:
    from shared.web.http.strict_bodies import Router


class NamedWork(Protocol):
    """Something that is known by a name: a sweep, or a kind of call."""

    @property
    def name(self) -> str: ...


class ServiceEdge(Protocol):
    """The parts of a service that its edge shows."""

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def routers(self) -> "tuple[Router, ...]": ...
    @property
    def sweeps(self) -> tuple[NamedWork, ...]: ...
    @property
    def intents(self) -> tuple[NamedWork, ...]: ...


class ProcessEdge(Protocol):
    """The parts of a process that its edge needs."""

    @property
    def service(self) -> ServiceEdge: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def health(self) -> Health: ...
    @property
    def units(self) -> Units: ...
