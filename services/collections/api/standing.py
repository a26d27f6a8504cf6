"""The standing of an account: the answer to "why is it so, and what happens next?"."""

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.collections import use_cases
from services.collections.api.notices import NoticeOut
from services.collections.api.standing_suspensions import SuspensionDetailsOut
from services.collections.api.vendor_debt import VendorDebtOut, build_vendor_debt_answer
from services.collections.domain.evaluated_item import EvaluatedItem
from services.collections.use_cases.standing import AccountStanding
from services.collections.use_cases.vendor_debt import VendorDebt
from shared.pure.fields import get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/accounts", tags=["standing"], dependencies=[needs("collections:read")], responses=PROBLEMS)


class DunnableAmountOut(BaseModel):
    """dunnable = open − disputed − in flight of each line, never below zero, less what is promised; minor units.

    It is 0 for as many days after a release as the policy says.
    """

    model_config = set_model_example(
        currency="EUR",
        open_minor=25200,
        disputed_minor=5040,
        in_flight_minor=0,
        promised_minor=0,
        dunnable_minor=20160,
    )

    currency: str
    open_minor: int
    disputed_minor: int
    in_flight_minor: int
    promised_minor: int
    dunnable_minor: int


class RequirementOut(BaseModel):
    """A notice on which a suspension rests, and how far that is."""

    model_config = set_model_example(
        notice="final_notice",
        sent_as="final_notice",
        days_before=7,
        delivered_on="2026-04-07",
        fulfilled_on="2026-04-14",
        reason="7 days since final_notice are complete on 2026-04-14",
    )

    notice: str
    sent_as: str = Field(description="the step whose notice counts: it may stand for the one that is required")
    days_before: int
    delivered_on: date | None
    fulfilled_on: date | None
    reason: str = Field(description="what it waits for, or waited for")


class StepOut(BaseModel):
    """A step of the policy as it stands for this invoice."""

    model_config = set_model_example(
        step="suspend",
        action="suspend",
        day=14,
        reached_on="2026-04-14",
        outcome="requested",
        taken_at="2026-04-14T07:00:00Z",
        requirements=[get_model_example(RequirementOut)],
    )

    step: str
    action: str
    day: int
    reached_on: date | None = Field(description="the local date on which it is reached; null while the clock stands")
    outcome: str | None
    taken_at: datetime | None
    requirements: list[RequirementOut]


_SENT = get_model_example(StepOut) | {
    "step": "final_notice",
    "action": "notice",
    "day": 7,
    "reached_on": "2026-04-07",
    "outcome": "sent",
    "taken_at": "2026-04-07T07:00:00Z",
    "requirements": [],
}
_TO_COME = _SENT | {
    "step": "terminate",
    "action": "terminate",
    "day": 45,
    "reached_on": "2026-05-15",
    "outcome": None,
    "taken_at": None,
}


class UpcomingStepOut(BaseModel):
    """The step that comes next if no new fact does."""

    model_config = set_model_example(
        step="terminate",
        at="2026-05-15T07:00:00Z",
        rule="terminate: 45 days after the due date, at 09:00 local time",
    )

    step: str
    at: datetime
    rule: str


class ReceivedFactOut(BaseModel):
    """A fact that the judgement rests on, with the event that told it (null: asked for over REST)."""

    model_config = set_model_example(
        fact="overdue", at="2026-03-31T22:00:00Z", sequence=4, event_id="01a20d62-f014-7a6e-92b5-d80c3e71f4a9"
    )

    fact: str
    at: datetime
    sequence: int
    event_id: str | None


class ItemOut(BaseModel):
    """One open invoice, judged now."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        number="GS-DE-00000001",
        due_date="2026-03-31",
        policy_version=1,
        round=1,
        position=14,
        paused_days=0,
        overdue_at="2026-03-31T22:00:00Z",
        amounts=get_model_example(DunnableAmountOut),
        after_release_until=None,
        stage="suspend",
        steps=[_SENT, get_model_example(StepOut), _TO_COME],
        next=get_model_example(UpcomingStepOut),
        facts=[get_model_example(ReceivedFactOut)],
    )

    invoice_id: UUID
    number: str
    due_date: date
    policy_version: int
    round: int
    position: int = Field(description="days on the ladder: those since the due date, less the days held")
    paused_days: int
    overdue_at: datetime | None
    amounts: DunnableAmountOut
    after_release_until: datetime | None = Field(
        description="until when nothing is dunnable only since a dispute or a promise has ended too recently"
    )
    stage: str | None
    steps: list[StepOut]
    next: UpcomingStepOut | None
    facts: list[ReceivedFactOut]

    @classmethod
    def of(cls, result: EvaluatedItem, facts: list[Any]) -> Self:
        """The answer for a judged item."""
        evaluation = result.evaluation
        return cls(
            invoice_id=result.item.invoice_id,
            number=result.item.number,
            due_date=result.item.due_date,
            policy_version=result.version,
            round=evaluation.round,
            position=evaluation.position,
            paused_days=sum((end - start).days for start, end in evaluation.paused_days),
            overdue_at=evaluation.overdue_at,
            amounts=DunnableAmountOut.model_validate(evaluation, from_attributes=True),
            after_release_until=evaluation.after_release_until,
            stage=evaluation.stage.name if evaluation.stage else None,
            steps=[_step(rung) for rung in evaluation.ladder],
            next=UpcomingStepOut.model_validate(evaluation.next, from_attributes=True) if evaluation.next else None,
            facts=[ReceivedFactOut(**{name: row[name] for name in ReceivedFactOut.model_fields}) for row in facts],
        )


def _step(rung: Any) -> StepOut:
    return StepOut(
        step=rung.step.name,
        action=rung.step.kind.name,
        day=rung.step.day,
        reached_on=rung.reached_on,
        outcome=rung.taken.outcome if rung.taken else None,
        taken_at=rung.taken.at if rung.taken else None,
        requirements=[
            RequirementOut.model_validate(requirement, from_attributes=True) for requirement in rung.requirements
        ],
    )


class CaseOut(BaseModel):
    """A dunning case."""

    model_config = set_model_example(
        id="01a20d62-f2b6-7194-8e7a-b5c04d93a1f2", opened_at="2026-03-31T22:00:00Z", closed_at=None, stage="suspend"
    )

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


class StandingOut(BaseModel):
    """Where an account stands, why, and what comes next."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        time_zone="Europe/Berlin",
        state="suspended",
        items=[get_model_example(ItemOut)],
        cases=[get_model_example(CaseOut)],
        suspensions=[get_model_example(SuspensionDetailsOut)],
        deferred=[],
        notices=[get_model_example(NoticeOut)],
        vendor_debt=get_model_example(VendorDebtOut),
        vendor_debt_missing_reason=None,
    )

    account_id: UUID
    time_zone: str
    state: str = Field(examples=["good_standing", "overdue", "suspension_requested", "suspension_refused", "suspended"])
    items: list[ItemOut]
    cases: list[CaseOut]
    suspensions: list[SuspensionDetailsOut]
    deferred: list[DeferralOut]
    notices: list[NoticeOut]
    vendor_debt: VendorDebtOut | None = Field(description="what we go on owing for it; of a late account only")
    vendor_debt_missing_reason: str | None = Field(description="why it is not said, where it is not")

    @classmethod
    def of(cls, standing: AccountStanding, debt: VendorDebt) -> Self:
        """The answer for a standing."""
        return cls(
            account_id=standing.account_id,
            time_zone=standing.time_zone,
            state=standing.state,
            items=[ItemOut.of(result, standing.facts.get(result.item.invoice_id, [])) for result in standing.items],
            cases=[CaseOut(**dict(row)) for row in standing.cases],
            suspensions=[SuspensionDetailsOut(**dict(row)) for row in standing.suspensions],
            deferred=[DeferralOut(**dict(row)) for row in standing.deferrals],
            notices=[NoticeOut.of(row) for row in standing.notices],
            vendor_debt=build_vendor_debt_answer(debt.exposure),
            vendor_debt_missing_reason=debt.missing,
        )


@reads.get("/{account_id}/standing", summary="The standing of an account, explained")
async def get_account_standing(account_id: UUID, read: Read) -> StandingOut:
    """The state, each item with the arithmetic of its dunnable amount, what was sent, what comes next and why.

    Of a late account, also what we go on owing the vendor: invoicing is asked, and without its answer the rest is said.
    """
    standing = await read(lambda unit: use_cases.standing.load_account_standing(unit, account_id))
    return StandingOut.of(standing, await use_cases.vendor_debt.load_vendor_debt(read.runtime, standing))
