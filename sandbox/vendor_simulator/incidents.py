"""Incidents of the vendor's services, as its page of service health shows them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sandbox.vendor_simulator.service_requests import NEVER


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class IncidentUpdate(_Camel):
    """A word of the vendor's on an incident."""

    created_date: str = NEVER
    text: str


class IncidentSeed(_Camel):
    """An incident to begin with, or to be put in the place of a former state."""

    title: str = "Mail is late"
    services: list[str]
    regions: list[str] = ["Europe"]
    status: str = "active"
    start_date: str = NEVER
    end_date: str = NEVER
    updates: list[IncidentUpdate] = Field(default_factory=list)


class VendorIncident(IncidentSeed):
    """An incident with its number."""

    id: str

    def build_incident_resource(self) -> dict[str, Any]:
        """Show it as the API does."""
        return self.model_dump(by_alias=True)
