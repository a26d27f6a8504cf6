"""Hand-overs to the vendor over REST: what is done before, what is missing, and how the vendor is reached."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field, model_validator

from services.escalation import use_cases
from services.escalation.api.case_bodies import Description
from services.escalation.api.threads import EntryOut
from services.escalation.domain.handovers import MEANINGS, HandoverRequirement, TechnicalProblemCategory
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_queries, handover_queries, health_queries
from services.escalation.tables import VendorChannelRow
from services.escalation.use_cases.handovers import HandoverReadiness
from shared.persistence.database import Unit
from shared.pure.fields import (
    Code,
    Country,
    Email,
    Name,
    Prose,
    ReasonIn,
    RequestBody,
    get_model_example,
    set_model_example,
)
from shared.pure.languages import Language
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import PROBLEMS, Page, Read, Router, TextPaging, refusals

reads = Router(prefix="/v1", tags=["vendor tickets"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["vendor tickets"], dependencies=[needs("escalation:write")], responses=PROBLEMS)
overrides = Router(
    prefix="/v1", tags=["vendor tickets"], dependencies=[needs("escalation:override")], responses=PROBLEMS
)
admin = Router(prefix="/v1", tags=["vendor tickets"], dependencies=[needs("escalation:admin")], responses=PROBLEMS)

ChannelKind = Literal["portal", "distributor"]
NoLineReason = Literal["price_list", "terms", "own_vendor_invoice"]
HealthResult = Literal["no_incident", "incident", "incident_over"]


class HealthCheckIn(RequestBody):
    """Answer of service health: of an incident that fits its number, and whether it goes on."""

    model_config = set_model_example(
        result="incident_over", incident="EX25194", note="ended at 09:10, mail is still late"
    )

    result: HealthResult
    incident: Code | None = Field(default=None, examples=["EX25194"])
    note: Prose | None = None

    @model_validator(mode="after")
    def _names_incident(self) -> Self:
        if (self.result == "no_incident") != (self.incident is None):
            raise ValueError("incident: it is named where there is one, or was")
        return self


class RepairAttemptIn(RequestBody):
    """Attempt to repair the problem ourselves, and whether it helped."""

    model_config = set_model_example(action="assigned the licence anew, and waited an hour", result="did_not_help")

    action: Description
    result: Literal["helped", "did_not_help"]


class MissingRequirementOut(BaseModel):
    """A condition of a hand-over that is not fulfilled."""

    model_config = set_model_example(code="health_check", meaning=MEANINGS[HandoverRequirement.HEALTH_CHECK])

    code: HandoverRequirement
    meaning: str


class HandoverOut(BaseModel):
    """Whether a case may be handed over to the vendor, and what is missing; `waived` is what somebody let go."""

    model_config = set_model_example(
        missing=[get_model_example(MissingRequirementOut)],
        waived=[],
        health_result=None,
        attempts=1,
        consulted_resources=2,
    )

    missing: list[MissingRequirementOut]
    waived: list[HandoverRequirement]
    health_result: HealthResult | None = Field(description="of the newest check")
    attempts: int = Field(description="of our own, that did not help")
    consulted_resources: int

    @classmethod
    def from_readiness(cls, readiness: HandoverReadiness) -> Self:
        """Build the answer for what a case has and lacks."""
        return cls.model_validate(
            {
                "missing": [MissingRequirementOut(code=name, meaning=MEANINGS[name]) for name in readiness.missing],
                "waived": readiness.waived,
                "health_result": readiness.health_result,
                "attempts": readiness.attempts,
                "consulted_resources": readiness.consulted,
            }
        )


class VendorChannelIn(RequestBody):
    """How a legal entity reaches the vendor's support, and the contact data of ours that each ticket carries."""

    model_config = set_model_example(
        kind="portal",
        company="Goodstanding GmbH",
        contact_name="Service desk",
        contact_email="desk@goodstanding.example",
        contact_phone="+49 30 901820",
        language="en",
        countries=["DE", "AT"],
        watches_health=True,
        reason="direct partner since 2024",
    )

    kind: ChannelKind = Field(description="portal: a person opens the request there; distributor: it is asked by mail")
    company: Name
    contact_name: Name
    contact_email: Email = Field(examples=["desk@goodstanding.example"])
    contact_phone: Name = Field(examples=["+49 30 901820"])
    distributor_email: Email | None = Field(default=None, examples=["support@distributor.example"])
    language: Language = Field(default="en", description="of tickets that name none: English is answered any time")
    countries: list[Country] = Field(
        min_length=1, max_length=20, description="by whose ways of writing telephone numbers are found in tickets"
    )
    watches_health: bool = Field(
        default=False, strict=True, description="whether the vendor's service health is looked at by itself"
    )
    reason: Prose

    @model_validator(mode="after")
    def _address_of_distributor(self) -> Self:
        if (self.kind == "distributor") != (self.distributor_email is not None):
            raise ValueError("distributor_email is that of a distributor, who has one")
        return self


class VendorChannelOut(BaseModel):
    """How a legal entity reaches the vendor's support, and who said so."""

    model_config = set_model_example(
        legal_entity="GS-DE",
        **get_model_example(VendorChannelIn),
        distributor_email=None,
        changed_by="support-lead",
        changed_at="2026-04-02T09:30:00Z",
    )

    legal_entity: str
    kind: ChannelKind
    company: str
    contact_name: str
    contact_email: str
    contact_phone: str
    distributor_email: str | None
    language: Language
    countries: list[str]
    watches_health: bool
    changed_by: str
    reason: str
    changed_at: datetime

    @classmethod
    def from_row(cls, row: VendorChannelRow, watches_health: bool) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump() | {"watches_health": watches_health})


@writes.post(
    "/cases/{case_id}/health-checks",
    name="record_health_check",
    status_code=201,
    response_model=EntryOut,
    summary="Record that service health was checked",
    responses=refusals(StateMoveRefused),
)
async def record_check(
    case_id: UUID, check: HealthCheckIn, command: Annotated[CommandRunner, perform_command("case.check_health")]
) -> Response:
    """Record what service health said. While an incident that fits goes on, the vendor is not asked about it."""

    async def record(unit: Unit) -> EntryOut:
        actor = command.caller.subject
        entry = await use_cases.handovers.record_health_check(
            unit, case_id, check.result, check.incident, check.note or "", actor
        )
        return EntryOut.from_row(entry)

    return await command.run(record, subject=case_id)


@writes.post(
    "/cases/{case_id}/attempts",
    name="record_repair_attempt",
    status_code=201,
    response_model=EntryOut,
    summary="Record what was tried",
    responses=refusals(StateMoveRefused),
)
async def record_attempt(
    case_id: UUID, attempt: RepairAttemptIn, command: Annotated[CommandRunner, perform_command("case.attempt")]
) -> Response:
    """Record in the thread what was tried to repair the problem ourselves."""

    async def record(unit: Unit) -> EntryOut:
        actor = command.caller.subject
        entry = await use_cases.handovers.record_repair_attempt(unit, case_id, attempt.action, attempt.result, actor)
        return EntryOut.from_row(entry)

    return await command.run(record, subject=case_id)


@reads.get("/cases/{case_id}/handover", summary="What a hand-over to the vendor lacks")
async def get_handover(
    case_id: UUID,
    read: Read,
    category: Annotated[TechnicalProblemCategory | None, Query(description="of a technical problem")] = None,
    no_line_reason: Annotated[NoLineReason | None, Query(description="why there is no line of ours")] = None,
) -> HandoverOut:
    """All that was checked, tried and consulted, and what is missing before the vendor may be asked."""

    async def load(unit: Unit) -> HandoverOut:
        case = await case_queries.get_case(unit, case_id)
        readiness = await use_cases.handovers.load_handover_readiness(unit, case, category, no_line_reason)
        return HandoverOut.from_readiness(readiness)

    return await read(load)


@overrides.post(
    "/cases/{case_id}/handover:override",
    status_code=200,
    response_model=HandoverOut,
    summary="Let a case be handed over without what is missing",
    responses=refusals(StateMoveRefused),
)
async def override_handover(
    case_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("case.override_handover")]
) -> Response:
    """Waive what is missing now, with a reason that stands in the thread; what is missing later is not waived."""

    async def override(unit: Unit) -> HandoverOut:
        actor = command.caller.subject
        return HandoverOut.from_readiness(
            await use_cases.handovers.waive_missing_handover_steps(unit, case_id, basis.reason, actor)
        )

    return await command.run(override, status=200, reason=basis.reason, subject=case_id)


@reads.get("/vendor-channels", summary="How the vendor is reached")
async def list_channels(read: Read, paging: TextPaging) -> Page[VendorChannelOut]:
    """The channel of each legal entity, in the order of their codes."""

    async def load(unit: Unit) -> list[VendorChannelOut]:
        rows = await handover_queries.list_vendor_channels(unit, paging.after, paging.limit + 1)
        watched = await health_queries.list_watched_legal_entities(unit, [row.legal_entity for row in rows])
        return [VendorChannelOut.from_row(row, row.legal_entity in watched) for row in rows]

    return paging.page(await read(load), key=lambda channel: channel.legal_entity)


@admin.put("/vendor-channels/{legal_entity}", summary="Say how a legal entity reaches the vendor")
async def set_channel(
    legal_entity: Code,
    channel: VendorChannelIn,
    command: Annotated[ChangeRunner, perform_change("vendor_channel.set")],
) -> VendorChannelOut:
    """Set the channel of a legal entity, in the place of a former one; tickets that are prepared keep theirs."""

    async def change(unit: Unit) -> VendorChannelOut:
        row = VendorChannelRow(
            legal_entity=legal_entity,
            changed_by=command.caller.subject,
            changed_at=unit.now,
            **channel.model_dump(exclude={"watches_health"}),
        )
        await use_cases.handovers.set_vendor_channel(unit, row)
        await use_cases.service_health.set_health_watch(unit, legal_entity, channel.watches_health)
        return VendorChannelOut.from_row(row, channel.watches_health)

    return await command.run(change, reason=channel.reason)
