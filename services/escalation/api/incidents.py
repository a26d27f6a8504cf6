"""Service health over REST: incidents of the vendor's services, and those that a case fits."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from services.escalation.domain.service_health import IncidentStatus
from services.escalation.repository import case_queries, health_queries
from shared.persistence.database import Unit
from shared.pure.fields import get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Read, Router, TextPaging

reads = Router(prefix="/v1", tags=["service health"], dependencies=[needs("escalation:read")], responses=PROBLEMS)

MAX_SHOWN = 100
"""How many incidents of a case are shown."""


class IncidentOut(BaseModel):
    """An incident of the vendor's services, as it was seen last."""

    model_config = set_model_example(
        reference="EX25194",
        title="Mail to outside is late",
        content="We have found the cause, and expect the end by 11:00 UTC.",
        services=["Microsoft 365 Business Premium"],
        regions=["Europe"],
        status="active",
        began_at="2026-04-02T08:00:00Z",
        ended_at=None,
        seen_at="2026-04-02T09:30:00Z",
    )

    reference: str
    title: str
    content: str = Field(description="the newest update, which the customer may be told")
    services: list[str]
    regions: list[str]
    status: IncidentStatus
    began_at: datetime | None
    ended_at: datetime | None
    seen_at: datetime


class CaseIncidentOut(IncidentOut):
    """An incident that a case fits."""

    model_config = set_model_example(**get_model_example(IncidentOut), linked_at="2026-04-02T09:30:00Z", asked_at=None)

    linked_at: datetime
    asked_at: datetime | None = Field(description="when its owner was asked whether the problem is gone")


class CaseIncidentsOut(BaseModel):
    """Incidents that a case fits, the newest link first."""

    model_config = set_model_example(items=[get_model_example(CaseIncidentOut)])

    items: list[CaseIncidentOut]


@reads.get("/incidents", summary="List incidents of the vendor's services")
async def list_incidents(
    read: Read, paging: TextPaging, status: Annotated[IncidentStatus | None, Query()] = None
) -> Page[IncidentOut]:
    """Incidents in the order of their references."""
    rows = await read(lambda unit: health_queries.list_vendor_incidents(unit, status, paging.after, paging.limit + 1))
    incidents = [IncidentOut.model_validate(row, from_attributes=True) for row in rows]
    return paging.page(incidents, key=lambda incident: incident.reference)


@reads.get("/cases/{case_id}/incidents", summary="Incidents that a case fits")
async def list_case_incidents(case_id: UUID, read: Read) -> CaseIncidentsOut:
    """Incidents by the product of a technical case, with the words for the customer."""

    async def load(unit: Unit) -> CaseIncidentsOut:
        await case_queries.get_case(unit, case_id)
        rows = await health_queries.list_incidents_of_case(unit, case_id, MAX_SHOWN)
        return CaseIncidentsOut(items=[CaseIncidentOut.model_validate(dict(row)) for row in rows])

    return await read(load)
