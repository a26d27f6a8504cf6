"""Accounts and their subscriptions. Amounts are minor units."""

from datetime import date
from uuid import UUID

from pydantic import Field

from shared.events.invoicing.base import InvoicingEvent
from shared.events.values import TaxStatus
from shared.pure.languages import LANGUAGES


class AccountRegistered(InvoicingEvent):
    """A billing customer exists from now on."""

    legal_entity: str
    currency: str
    time_zone: str = Field(description="IANA name; due dates and steps are in this zone")
    terms_days: int
    external_reference: str | None
    vendor_customer_ids: tuple[str, ...]
    language: str | None = Field(
        default=None, description=f"of its documents: {', '.join(LANGUAGES)}, or a locale of one"
    )
    country: str | None = Field(default=None, description="where it is taxed, ISO 3166; null while nobody said")
    tax_status: TaxStatus | None = Field(default=None, description="how it is taxed")
    support_level: str | None = Field(default=None, description="by which its questions are answered in time")


class AccountChanged(AccountRegistered):
    """The master data of an account as they are now."""


class SubscriptionActivated(InvoicingEvent):
    """A subscription was bought; `bills_while_suspended` says whether the vendor bills on then."""

    subscription_id: UUID
    product: str
    quantity: int
    start: date
    end_of_term: date | None
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool


class SubscriptionTerm(InvoicingEvent, abstract=True):
    """A subscription of a plan as it stands; ends are exclusive, amounts minor units."""

    subscription_id: UUID
    plan_id: UUID
    plan_version: int
    quantity: int
    unit_price_minor: int
    currency: str
    term_start: date
    term_end: date


class SubscriptionChanged(SubscriptionTerm):
    """Quantity, plan or price are others from `effective_on` on."""

    change_id: UUID
    kind: str
    effective_on: date


class SubscriptionRenewed(SubscriptionTerm):
    """The term that begins on `term_start` goes on as the one before: same quantity, plan and price."""


class SubscriptionEnded(SubscriptionTerm):
    """The subscription is cancelled, now or at the end of its term: nothing is charged from `ended_on` on."""

    ended_on: date
