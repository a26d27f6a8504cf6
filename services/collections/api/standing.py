"""The standing of an account: the answer to "why is it so, and what happens next?"."""

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.collections import use_cases
from services.collections.tables import NoticeRow
from services.collections.use_cases.judging import Judged
from services.collections.use_cases.standing import Standing
from shared.auth import needs
from shared.http import PROBLEMS, Read

reads = APIRouter(
    prefix="/v1/accounts", tags=["standing"], dependencies=[needs("collections:read")], responses=PROBLEMS
)


class DunnableOut(BaseModel):
    """dunnable = open − disputed − in flight − promised, never below zero; minor units."""

    currency: str
    open_minor: int
    disputed_minor: int
    in_flight_minor: int
    promised_minor: int
    dunnable_minor: int


class RequirementOut(BaseModel):
    """A notice on which a suspension rests, and how far that is."""

    notice: str
    sent_as: str
    days_before: int
    delivered_on: date | None
    met_on: date | None


class StepOut(BaseModel):
    """A step of the policy as it stands for this invoice."""

    step: str
    action: str
    day: int
    reached_on: date | None = Field(description="the local date on which it is reached; null while the clock stands")
    outcome: str | None
    taken_at: datetime | None
    requirements: list[RequirementOut]


class NextOut(BaseModel):
    """What comes next if no new fact does."""

    step: str
    at: datetime
    rule: str


class FactOut(BaseModel):
    """A fact that the judgement rests on, with the event that told it (null: asked for over REST)."""

    fact: str
    at: datetime
    sequence: int
    event_id: str | None


class ItemOut(BaseModel):
    """One open invoice, judged now."""

    invoice_id: UUID
    number: str
    due_date: date
    policy_version: int
    round: int
    position: int = Field(description="days on the ladder: those since the due date, less the days held")
    held_days: int
    overdue_at: datetime | None
    amounts: DunnableOut
    stage: str | None
    steps: list[StepOut]
    next: NextOut | None
    facts: list[FactOut]

    @classmethod
    def of(cls, one: Judged, facts: list[Any]) -> Self:
        """The answer for a judged item."""
        judgement = one.judgement
        return cls(
            invoice_id=one.item.invoice_id,
            number=one.item.number,
            due_date=one.item.due_date,
            policy_version=one.version,
            round=judgement.round,
            position=judgement.position,
            held_days=sum((end - start).days for start, end in judgement.held_days),
            overdue_at=judgement.overdue_at,
            amounts=DunnableOut.model_validate(judgement, from_attributes=True),
            stage=judgement.stage.name if judgement.stage else None,
            steps=[_step(rung) for rung in judgement.ladder],
            next=NextOut.model_validate(judgement.next, from_attributes=True) if judgement.next else None,
            facts=[FactOut(**{name: row[name] for name in FactOut.model_fields}) for row in facts],
        )


def _step(rung: Any) -> StepOut:
    return StepOut(
        step=rung.step.name,
        action=rung.step.action,
        day=rung.step.day,
        reached_on=rung.reached_on,
        outcome=rung.taken.outcome if rung.taken else None,
        taken_at=rung.taken.at if rung.taken else None,
        requirements=[RequirementOut.model_validate(one, from_attributes=True) for one in rung.requirements],
    )


class SuspensionOut(BaseModel):
    """A suspension with its causes; `vendor_bills_on` says whether we go on owing for it."""

    id: UUID
    subscription_id: UUID
    state: str
    policy_version: int
    step: str
    invoice_ids: list[UUID]
    requested_at: datetime
    effective_at: datetime | None
    ended_at: datetime | None
    ended_because: str | None
    vendor_bills_on: bool | None


class CaseOut(BaseModel):
    """A dunning case."""

    id: UUID
    opened_at: datetime
    closed_at: datetime | None
    stage: str | None


class DeferralOut(BaseModel):
    """A step that is due and waits, and what for."""

    invoice_id: UUID
    step: str
    cause: str
    until: datetime | None
    since: datetime


class NoticeOut(BaseModel):
    """A message to the customer and what became of it."""

    id: UUID
    kind: str
    template: str
    state: str
    created_at: datetime
    delivered_at: datetime | None
    failure: str | None
    items: list[dict[str, Any]]

    @classmethod
    def of(cls, row: NoticeRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class StandingOut(BaseModel):
    """Where an account stands, why, and what comes next."""

    account_id: UUID
    time_zone: str
    state: str = Field(examples=["good_standing", "overdue", "suspension_requested", "suspended"])
    items: list[ItemOut]
    cases: list[CaseOut]
    suspensions: list[SuspensionOut]
    deferred: list[DeferralOut]
    notices: list[NoticeOut]

    @classmethod
    def of(cls, found: Standing) -> Self:
        """The answer for a standing."""
        return cls(
            account_id=found.account_id,
            time_zone=found.time_zone,
            state=found.state,
            items=[ItemOut.of(one, found.facts.get(one.item.invoice_id, [])) for one in found.items],
            cases=[CaseOut(**dict(row)) for row in found.cases],
            suspensions=[SuspensionOut(**dict(row)) for row in found.suspensions],
            deferred=[DeferralOut(**dict(row)) for row in found.deferrals],
            notices=[NoticeOut.of(row) for row in found.notices],
        )


@reads.get("/{account_id}/standing", summary="The standing of an account, explained")
async def get_standing(account_id: UUID, read: Read) -> StandingOut:
    """The state, each item with the arithmetic of its dunnable amount, what was sent, what comes next and why."""
    return StandingOut.of(await read(lambda unit: use_cases.standing.standing(unit, account_id)))
