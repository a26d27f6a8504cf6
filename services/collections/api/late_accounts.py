"""Late accounts over REST: who is late, since when, where they stand by the policy, and what comes next."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from services.collections import use_cases
from services.collections.api.standing import DunnableAmountOut, UpcomingStepOut
from services.collections.repository.late_account_queries import LateAccountCriteria
from services.collections.use_cases.late_accounts import LateAccount, UnknownPolicyStep
from shared.events.collections import WaitsFor
from shared.pure.fields import Code, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(
    prefix="/v1/late-accounts", tags=["late accounts"], dependencies=[needs("collections:read")], responses=PROBLEMS
)


class UpcomingInvoiceStepOut(UpcomingStepOut):
    """The first step that comes if no new fact does, and the invoice whose step it is."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", **get_model_example(UpcomingStepOut)
    )

    invoice_id: UUID


class DeferredStepOut(BaseModel):
    """A step of one of its invoices that is due and waits."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        step="suspend",
        waits_for="guard",
        cause="all suspensions are stopped",
        since="2026-04-14T07:00:00Z",
        until=None,
    )

    invoice_id: UUID
    step: str
    waits_for: WaitsFor
    cause: str
    since: datetime
    until: datetime | None


class LateAccountOut(BaseModel):
    """An account of which something is overdue; amounts are those of its overdue invoices, by currency."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        legal_entity="GS-DE",
        case_id="01a20d62-f2b6-7194-8e7a-b5c04d93a1f2",
        late_since="2026-03-31T22:00:00Z",
        oldest_due_date="2026-03-31",
        days_late=14,
        state="overdue",
        step="final_notice",
        position=14,
        next=get_model_example(UpcomingInvoiceStepOut),
        amounts=[get_model_example(DunnableAmountOut)],
        suspended_subscription_ids=[],
        waiting=[get_model_example(DeferredStepOut)],
    )

    account_id: UUID
    legal_entity: str
    case_id: UUID
    late_since: datetime = Field(description="since when something of it is overdue without a break")
    oldest_due_date: date = Field(description="of its oldest overdue invoice")
    days_late: int = Field(description="whole days since then, in the account's zone")
    state: Literal["good_standing", "overdue", "suspension_requested", "suspension_refused", "suspended"]
    step: str | None = Field(description="the furthest step of the policy that was taken")
    position: int = Field(description="the furthest on the ladder of its overdue invoices, in days")
    next: UpcomingInvoiceStepOut | None
    amounts: list[DunnableAmountOut]
    suspended_subscription_ids: list[UUID]
    waiting: list[DeferredStepOut] = Field(description="what is due and waits, for example for the guard")

    @classmethod
    def of(cls, account: LateAccount) -> Self:
        """Build the answer for a late account."""
        fields = {name: getattr(account, name) for name in cls.model_fields if name != "waiting"}
        waiting = [DeferredStepOut.model_validate(dict(row)) for row in account.waiting]
        return cls.model_validate({**fields, "waiting": waiting}, from_attributes=True)


async def _read_criteria(
    legal_entity: Annotated[Code | None, Query()] = None,
    step: Annotated[Code | None, Query(description="the furthest step that was taken", examples=["suspend"])] = None,
    min_days_late: Annotated[
        int | None, Query(ge=1, le=36_500, description="days since the oldest due date, at least")
    ] = None,
) -> LateAccountCriteria:
    return LateAccountCriteria(legal_entity, step, min_days_late)


@reads.get("", summary="List late accounts", responses=refusals(UnknownPolicyStep))
async def list_late_accounts(
    read: Read, paging: Paging, criteria: Annotated[LateAccountCriteria, Depends(_read_criteria)]
) -> Page[LateAccountOut]:
    """Accounts of which something is overdue, first those that are so the longest without a break."""
    after = paging.get_last_id()
    accounts = await read(
        lambda unit: use_cases.late_accounts.list_late_accounts(unit, criteria, after, paging.limit + 1)
    )
    return paging.page([LateAccountOut.of(account) for account in accounts], key=lambda account: account.case_id)
