"""Subscriptions over REST."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.subscriptions.repository import subscription_queries
from services.invoicing.subscriptions.repository.subscription_queries import CurrentSubscription
from services.invoicing.subscriptions.use_cases import subscription_activation
from services.invoicing.subscriptions.use_cases.subscription_activation import NewSubscription, VendorCustomerOfAnother
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Name, RequestBody, get_model_example, set_model_example
from shared.pure.money import Minor
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Read, Router, refusals

reads = Router(prefix="/v1", tags=["subscriptions"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["subscriptions"], dependencies=[needs("invoicing:sales")], responses=PROBLEMS)


class SubscriptionIn(RequestBody):
    """A subscription that was bought. The unit price is in minor units of the account's currency."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        product="Business Premium",
        quantity=25,
        unit_price_minor=1008,
        start="2026-03-01",
        end_of_term="2027-02-28",
        vendor_customer_id="tenant-4711",
        vendor_subscription_id="vendor-subscription-17",
    )

    account_id: UUID
    product: Name = Field(examples=["Business Premium"])
    quantity: int = Field(gt=0, le=1_000_000, strict=True)
    unit_price_minor: Minor
    start: Day
    end_of_term: Day | None = None
    vendor_customer_id: Code
    vendor_subscription_id: Code
    bills_while_suspended: bool = Field(
        default=True, description="whether the vendor bills on while it is suspended (new commerce does)"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end_of_term is not None and self.end_of_term <= self.start:
            raise ValueError("end_of_term is not after start")
        return self


class ScheduledChangeOut(BaseModel):
    """A change that takes effect when the term renews, on `effective_on`, unless it is withdrawn."""

    model_config = set_model_example(
        id="01a20d70-0a11-7c2d-8d8e-2b5c4f6a7b80",
        kind="quantity",
        effective_on="2027-03-01",
        quantity=30,
        plan_id=None,
    )

    id: UUID
    kind: str
    effective_on: date
    quantity: int | None
    plan_id: UUID | None


class SubscriptionOut(BaseModel):
    """The billing side of a subscription as it stands: after the changes that took effect, in its present term.

    `unit_price_minor` is in minor units of `currency`; `end_of_term` is the first day after the term. `state` is
    `upcoming`, `active`, `ending` (it does not renew, or ends on `ended_on`) or `ended`; entitlements says whether it
    can be used.
    """

    model_config = set_model_example(
        id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        product="Business Premium",
        plan_id="01a20d60-1b7a-7d11-8f4e-0c5b9a2f6e21",
        plan_version=1,
        quantity=25,
        unit_price_minor=1008,
        currency="EUR",
        start="2026-03-01",
        term_start="2026-03-01",
        end_of_term="2027-03-01",
        ended_on=None,
        vendor_customer_id="tenant-4711",
        vendor_subscription_id="vendor-subscription-17",
        bills_while_suspended=True,
        state="active",
        scheduled_changes=[get_model_example(ScheduledChangeOut)],
    )

    id: UUID
    account_id: UUID
    product: str
    plan_id: UUID | None
    plan_version: int | None
    quantity: int
    unit_price_minor: int
    currency: str
    start: date
    term_start: date
    end_of_term: date | None
    ended_on: date | None
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool
    state: str
    scheduled_changes: list[ScheduledChangeOut]

    @classmethod
    def from_current_subscription(cls, subscription: CurrentSubscription) -> Self:
        """Build the answer for a subscription as it stands."""
        return cls.model_validate(subscription, from_attributes=True)


@writes.post(
    "/subscriptions",
    status_code=201,
    response_model=SubscriptionOut,
    summary="Activate a subscription",
    responses=refusals(ExternalReferenceTaken, VendorCustomerOfAnother),
)
async def activate_subscription(
    subscription: SubscriptionIn, command: Annotated[CommandRunner, perform_command("subscription.activate")]
) -> Response:
    """Record what was bought; announces `SubscriptionActivated`, and entitlements grants access."""

    async def activate_and_show_subscription(unit: Unit) -> SubscriptionOut:
        new = NewSubscription(**subscription.model_dump())
        row = await subscription_activation.activate_subscription(unit, new)
        unit.record(AuditedChange("subscription", row.id, row.account_id))
        return SubscriptionOut.from_current_subscription(
            await subscription_queries.get_current_subscription(unit, row.id)
        )

    return await command.run(activate_and_show_subscription, subject=subscription.account_id)


@reads.get("/subscriptions/{subscription_id}", summary="One subscription")
async def get_subscription(subscription_id: UUID, read: Read) -> SubscriptionOut:
    """The billing side of a subscription as it stands."""
    return SubscriptionOut.from_current_subscription(
        await read(lambda unit: subscription_queries.get_current_subscription(unit, subscription_id))
    )


@reads.get("/accounts/{account_id}/subscriptions", summary="The subscriptions of an account")
async def list_subscriptions(account_id: UUID, read: Read) -> Page[SubscriptionOut]:
    """All subscriptions of an account as they stand."""

    async def load_subscriptions(unit: Unit) -> list[SubscriptionOut]:
        await account_queries.get_account(unit, account_id)
        return [
            SubscriptionOut.from_current_subscription(subscription)
            for subscription in await subscription_queries.list_current_subscriptions(unit, account_id)
        ]

    return Page(items=await read(load_subscriptions), next=None)
