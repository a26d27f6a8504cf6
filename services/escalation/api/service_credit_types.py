"""Types of service credits over REST."""

from typing import Annotated

from fastapi import Path

from services.escalation.api.service_credit_bodies import ServiceCreditTypeIn, ServiceCreditTypeOut
from services.escalation.repository import service_credit_queries
from services.escalation.tables import ServiceCreditTypeRow
from services.escalation.use_cases import service_credits
from shared.persistence.database import Unit
from shared.pure.fields import Code
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Page, Read, Router

reads = Router(prefix="/v1", tags=["service credits"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
admin = Router(prefix="/v1", tags=["service credits"], dependencies=[needs("escalation:admin")], responses=PROBLEMS)


@reads.get("/service-credit-types", summary="List the types of service credits")
async def list_service_credit_types(read: Read) -> Page[ServiceCreditTypeOut]:
    """Every kind of credit that the vendor gives, by its code."""
    rows = await read(service_credit_queries.list_service_credit_types)
    return Page(items=[ServiceCreditTypeOut.from_row(row) for row in rows], next=None)


@admin.put("/service-credit-types/{code}", summary="Keep a type of service credits")
async def put_service_credit_type(
    code: Annotated[Code, Path()],
    kind: ServiceCreditTypeIn,
    command: Annotated[ChangeRunner, perform_change("service_credit_type.put")],
) -> ServiceCreditTypeOut:
    """Add a type, or change it; requests that are there keep their last day."""

    async def save_type(unit: Unit) -> ServiceCreditTypeOut:
        row = await service_credits.put_service_credit_type(unit, ServiceCreditTypeRow(code=code, **kind.model_dump()))
        return ServiceCreditTypeOut.from_row(row)

    return await command.run(save_type)
