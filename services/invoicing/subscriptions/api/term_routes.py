"""Subscriptions of plans over REST: bought, changed now or at renewal, cancelled."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.catalog.domain.plan_versions import PlanNotOffered
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from services.invoicing.subscriptions.api.subscription_routes import SubscriptionOut
from services.invoicing.subscriptions.domain.subscription_history import (
    ChangeKind,
    SubscriptionChangeRefused,
)
from services.invoicing.subscriptions.repository import subscription_queries, term_queries
from services.invoicing.subscriptions.tables.term_tables import SubscriptionChangeRow, TermRow
from services.invoicing.subscriptions.use_cases import subscription_orders
from services.invoicing.subscriptions.use_cases.subscription_activation import VendorCustomerOfAnother
from services.invoicing.subscriptions.use_cases.subscription_orders import (
    ChangeOrder,
    SubscriptionPurchase,
)
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Read, Router, refusals

reads = Router(prefix="/v1", tags=["subscriptions"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["subscriptions"], dependencies=[needs("invoicing:sales")], responses=PROBLEMS)


class PurchaseIn(RequestBody):
    """A subscription of a plan. Its price is the plan's in the account's currency."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        quantity=25,
        start="2026-03-01",
        auto_renew=True,
        co_terminate_with=None,
        vendor_customer_id="tenant-4711",
        vendor_subscription_id="vendor-subscription-18",
    )

    account_id: UUID
    quantity: int = Field(gt=0, le=1_000_000, strict=True)
    start: Day
    auto_renew: bool = True
    co_terminate_with: UUID | None = Field(
        default=None, description="a subscription of the same account, with whose term this one's first ends"
    )
    vendor_customer_id: Code
    vendor_subscription_id: Code


class SubscriptionTermOut(BaseModel):
    """The current term; ends are exclusive, amounts minor units. `next_from` begins the cycle that is charged next."""

    model_config = set_model_example(
        subscription_id="01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        plan_id="01a20d60-1b7a-7d11-8f4e-0c5b9a2f6e21",
        version=1,
        currency="EUR",
        quantity=25,
        unit_price_minor=1008,
        term_start="2026-03-01",
        term_end="2027-03-01",
        period_months=1,
        timing="advance",
        next_from="2026-04-01",
        next_to="2026-05-01",
        is_billed=True,
        ended_on=None,
    )

    subscription_id: UUID
    account_id: UUID
    plan_id: UUID
    version: int
    currency: str
    quantity: int
    unit_price_minor: int
    term_start: date
    term_end: date
    period_months: int
    timing: str
    next_from: date | None
    next_to: date | None
    is_billed: bool
    ended_on: date | None

    @classmethod
    def from_subscription_term_row(cls, row: TermRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class PurchaseOut(BaseModel):
    """A subscription of a plan and its first term."""

    model_config = set_model_example(
        subscription=get_model_example(SubscriptionOut), term=get_model_example(SubscriptionTermOut)
    )

    subscription: SubscriptionOut
    term: SubscriptionTermOut


class ChangeIn(RequestBody):
    """A change of quantity or plan, or the end; now or when the term renews."""

    model_config = set_model_example(kind="quantity", when="now", quantity=30, reason="five new colleagues")

    kind: Literal["quantity", "plan", "cancel"]
    when: Literal["now", "renewal"]
    quantity: int | None = Field(default=None, gt=0, le=1_000_000, strict=True)
    plan_id: UUID | None = None
    reason: Prose

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "quantity" and (self.quantity is None or self.plan_id is not None):
            raise ValueError("a change of quantity says the quantity, and no plan")
        if self.kind == "plan" and self.plan_id is None:
            raise ValueError("a change of plan says the plan")
        if self.kind == "cancel" and (self.quantity, self.plan_id) != (None, None):
            raise ValueError("a cancellation says neither quantity nor plan")
        return self

    def build_change_order(self, actor: str) -> ChangeOrder:
        """Build the change that is wanted, with who wants it."""
        return ChangeOrder(
            ChangeKind(self.kind), self.when == "renewal", self.quantity, self.plan_id, actor, self.reason
        )


class ChangeOut(BaseModel):
    """A change: scheduled for the renewal on `effective_on`, applied, or withdrawn."""

    model_config = set_model_example(
        id="01a20d70-0a11-7c2d-8d8e-2b5c4f6a7b80",
        subscription_id="01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46",
        kind="quantity",
        state="applied",
        effective_on="2026-03-17",
        quantity=30,
        plan_id=None,
        actor="sales",
        reason="five new colleagues",
        requested_at="2026-03-17T10:00:00Z",
        decided_at="2026-03-17T10:00:00Z",
    )

    id: UUID
    subscription_id: UUID
    kind: str
    state: str
    effective_on: date
    quantity: int | None
    plan_id: UUID | None
    actor: str | None
    reason: str | None
    requested_at: datetime
    decided_at: datetime | None

    @classmethod
    def from_subscription_change_row(cls, row: SubscriptionChangeRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


@writes.post(
    "/plans/{plan_id}/subscriptions",
    status_code=201,
    response_model=PurchaseOut,
    summary="Begin a subscription",
    responses=refusals(PlanNotOffered, ExternalReferenceTaken, VendorCustomerOfAnother, SubscriptionChangeRefused),
)
async def begin_subscription(
    plan_id: UUID, purchase: PurchaseIn, command: Annotated[CommandRunner, perform_command("subscription.begin")]
) -> Response:
    """Begin a subscription of a plan; announces `SubscriptionActivated`. Bill runs charge it from its start on."""

    async def begin_and_show_subscription(unit: Unit) -> PurchaseOut:
        new = SubscriptionPurchase(plan_id=plan_id, **purchase.model_dump())
        row, term = await subscription_orders.purchase_subscription(unit, new)
        unit.record(AuditedChange("subscription", row.id, row.account_id))
        subscription = await subscription_queries.get_current_subscription(unit, row.id)
        return PurchaseOut(
            subscription=SubscriptionOut.from_current_subscription(subscription),
            term=SubscriptionTermOut.from_subscription_term_row(term),
        )

    return await command.run(begin_and_show_subscription, subject=purchase.account_id)


@reads.get("/subscriptions/{subscription_id}/term", summary="The current term of a subscription")
async def get_subscription_term(subscription_id: UUID, read: Read) -> SubscriptionTermOut:
    """The term as it is now."""
    return SubscriptionTermOut.from_subscription_term_row(
        await read(lambda unit: term_queries.get_term_row(unit, subscription_id))
    )


@writes.post(
    "/subscriptions/{subscription_id}/changes",
    status_code=201,
    response_model=ChangeOut,
    summary="Change or cancel a subscription",
    responses=refusals(SubscriptionChangeRefused, PlanNotOffered),
)
async def change_subscription(
    subscription_id: UUID, change: ChangeIn, command: Annotated[CommandRunner, perform_command("subscription.change")]
) -> Response:
    """Now: announces `SubscriptionChanged` or `SubscriptionEnded`, the difference is on the next invoice.

    At renewal: it is scheduled, and can be withdrawn until then. 409 where the vendor's programme does not allow it.
    """

    async def change_and_show_subscription(unit: Unit) -> ChangeOut:
        wanted = change.build_change_order(command.caller.subject)
        return ChangeOut.from_subscription_change_row(
            await subscription_orders.change_subscription(unit, subscription_id, wanted)
        )

    return await command.run(change_and_show_subscription, reason=change.reason, subject=subscription_id)


@reads.get(
    "/subscriptions/{subscription_id}/changes",
    name="list_subscription_changes",
    summary="The changes of a subscription",
)
async def list_changes(subscription_id: UUID, read: Read) -> Page[ChangeOut]:
    """All changes in the order in which they take effect: applied, scheduled and withdrawn ones."""

    async def load_subscription_changes(unit: Unit) -> list[ChangeOut]:
        await term_queries.get_term_row(unit, subscription_id)
        return [
            ChangeOut.from_subscription_change_row(row)
            for row in await term_queries.list_subscription_changes(unit, subscription_id)
        ]

    return Page(items=await read(load_subscription_changes), next=None)


@writes.post(
    "/subscriptions/{subscription_id}/changes/{change_id}:withdraw",
    status_code=200,
    response_model=ChangeOut,
    summary="Withdraw a scheduled change",
    responses=refusals(StateMoveRefused),
)
async def withdraw_subscription_change(
    subscription_id: UUID,
    change_id: UUID,
    reason_body: ReasonIn,
    command: Annotated[CommandRunner, perform_command("subscription_change.withdraw")],
) -> Response:
    """The change does not take effect; without its cancellation a subscription renews."""

    async def withdraw_and_show_change(unit: Unit) -> ChangeOut:
        return ChangeOut.from_subscription_change_row(
            await subscription_orders.withdraw_scheduled_change(unit, subscription_id, change_id)
        )

    return await command.run(withdraw_and_show_change, status=200, reason=reason_body.reason, subject=subscription_id)
