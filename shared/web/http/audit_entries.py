"""The audit over REST, the same in every service: who changed what by which request."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import asyncpg
from fastapi import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from shared.persistence import audit_queries
from shared.persistence.audit_queries import AuditCriteria, UnknownAuditAction
from shared.persistence.database import Unit
from shared.pure.actor_names import fold_actor_name
from shared.pure.fields import Code, Instant, Name, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeDependency, CommandDependency, UploadDependency
from shared.web.http.paging import Page, Paging
from shared.web.http.problems import PROBLEMS, refusals
from shared.web.http.process import ServiceEdge
from shared.web.http.reading import Read
from shared.web.http.strict_bodies import Router


class AuditEntryOut(BaseModel):
    """An entry of the audit. Of what was made, `before` and `after` are null: it stands in the object itself."""

    model_config = set_model_example(
        id="01a20d63-4f0a-7c29-9e57-3c8a1d5e7b62",
        occurred_at="2026-03-30T10:12:00Z",
        actor="anna@goodstanding.example",
        action="account.change",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        object_type="account",
        object_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        cause_id="01a20d63-4f0a-7c29-9e57-3c8a1d5e7b61",
        before={"terms_days": 14, "version": 1},
        after={"terms_days": 30, "version": 2},
        personal={
            "before": {"billing_email": "billing@alpenrose.example"},
            "after": {"billing_email": "payables@alpenrose.example"},
        },
    )

    id: UUID
    occurred_at: datetime = Field(description="business time")
    actor: str = Field(description="the token's subject, normalised")
    action: str
    account_id: UUID | None
    object_type: str
    object_id: str
    cause_id: str = Field(description="as `ce_causationid` of the events that follow from it")
    before: dict[str, Any] | None = Field(description="the fields that changed, as they were")
    after: dict[str, Any] | None
    personal: dict[str, Any] = Field(description="`reason`, and what of the values is personal; may be erased")

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """The answer for a row."""
        return cls.model_validate(dict(row))


_ACTIONS: dict[str, frozenset[str]] = {}
"""Actions that the routes of a service name; they are the same as long as the process runs."""


def _list_actions(service: ServiceEdge) -> frozenset[str]:
    if service.name not in _ACTIONS:
        calls = (
            dependency.call
            for router in service.routers
            for route in router.routes
            if isinstance(route, APIRoute)
            for dependency in route.dependant.dependencies
        )
        actions = (
            call.action for call in calls if isinstance(call, ChangeDependency | CommandDependency | UploadDependency)
        )
        _ACTIONS[service.name] = frozenset(actions)
    return _ACTIONS[service.name]


def create_audit_router(service: str) -> Router:
    """Create the routes of the audit of a service."""
    router = Router(
        prefix="/v1/audit-entries", tags=["audit"], dependencies=[needs(f"{service}:audit")], responses=PROBLEMS
    )

    @router.get("/{audit_entry_id}", summary="Get an audit entry")
    async def get_audit_entry(audit_entry_id: UUID, read: Read) -> AuditEntryOut:
        """Get the entry of one action, as `ce_actionid` of an event names it."""
        return AuditEntryOut.of(await read(lambda unit: audit_queries.get_audit_entry(unit, audit_entry_id)))

    @router.get("", summary="List audit entries", responses=refusals(UnknownAuditAction))
    async def list_audit_entries(
        read: Read,
        paging: Paging,
        account_id: Annotated[UUID | None, Query()] = None,
        actor: Annotated[Name | None, Query(description="the token's subject")] = None,
        action: Annotated[Code | None, Query(examples=["payment.record"])] = None,
        object_id: Annotated[Name | None, Query()] = None,
        since: Annotated[Instant | None, Query(alias="from", description="occurred then or later")] = None,
        until: Annotated[Instant | None, Query(alias="to", description="occurred before then")] = None,
    ) -> Page[AuditEntryOut]:
        """Who changed what, oldest first; one entry for each request that was accepted and changed something."""
        who = None if actor is None else fold_actor_name(actor)
        criteria = AuditCriteria(account_id, who, action, object_id, since, until)
        after = paging.get_last_id()
        actions = _list_actions(read.runtime.service)

        async def find(unit: Unit) -> list[AuditEntryOut]:
            await audit_queries.check_audit_action(unit, action, actions)
            rows = await audit_queries.list_audit_entries(unit, criteria, after, paging.limit + 1)
            return [AuditEntryOut.of(row) for row in rows]

        return paging.page(await read(find), key=lambda entry: entry.id)

    return router
