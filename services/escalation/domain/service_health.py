"""Service health: incidents that the vendor knows of, with its port."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

HEALTH_INTERVAL = timedelta(minutes=15)
"""Business time between two looks at service health."""
SLOW_HEALTH_INTERVAL = timedelta(days=1)
"""The same where the vendor does not show it to us."""

IncidentStatus = Literal["active", "resolved"]


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as the vendor shows it; the content is its newest update."""

    reference: str
    title: str
    content: str
    services: tuple[str, ...]
    regions: tuple[str, ...]
    status: IncidentStatus
    began_at: datetime | None
    ended_at: datetime | None


class ServiceHealthRefused(Exception):
    """The vendor does not show us service health, for good; with its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ServiceHealth(Protocol):
    """The vendor's page of incidents. Raises ServiceHealthRefused, RetryLater."""

    async def list_incidents(self) -> tuple[Incident, ...]:
        """List the incidents that go on, and those that have ended of late."""
        ...
