"""A subscription as the vendor keeps it, and what a PATCH makes of it: the vendor's own rules, pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

Status = Literal["active", "suspended", "deleted", "expired", "pending", "disabled"]

MOVES: dict[Status, frozenset[Status]] = {
    "active": frozenset({"suspended", "deleted"}),
    "suspended": frozenset({"active", "deleted"}),
    "deleted": frozenset(),
    "expired": frozenset(),
    "pending": frozenset(),
    "disabled": frozenset(),
}


class VendorRefusal(Exception):
    """An error answer of the vendor: HTTP status, its own code, and words."""

    def __init__(self, status: int, code: int, description: str) -> None:
        super().__init__(f"{status} {code}: {description}")
        self.status = status
        self.code = code
        self.description = description


class _Camel(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class RenewalSettings(_Camel):
    """Settings for the end of the term."""

    auto_renew_enabled: bool = False
    scheduled_next_term_instructions: dict[str, Any] | None = None


LOST = RenewalSettings()
"""What a suspension leaves of it."""


class WantedSubscription(RenewalSettings):
    """The part of a resource that a PATCH can change; what it leaves out is dropped."""

    status: Status
    quantity: int = Field(ge=1, strict=True)
    friendly_name: str | None = None


class SubscriptionSeed(WantedSubscription):
    """A subscription to begin with; by default an active one whose cancellation window is closed."""

    model_config = ConfigDict(extra="forbid")

    offer_name: str = "Business Premium"
    status: Status = "active"
    quantity: int = Field(default=1, ge=1)
    auto_renew_enabled: bool = True
    commitment_end_date: datetime | None = None
    cancellation_allowed_until_date: datetime | None = None
    is_new_commerce: bool = True
    """New commerce loses its renewal settings in a suspension; a legacy offer keeps them."""


class Subscription(SubscriptionSeed):
    """A subscription with what the vendor remembers about it."""

    customer: str
    id: str
    etag: str
    lost: RenewalSettings | None = None
    """The settings that a suspension lost, until somebody has put back exactly those."""
    effects: dict[str, int] = Field(default_factory=dict)
    """How many times its status became another, by that status."""

    @property
    def renewal(self) -> RenewalSettings:
        """The renewal settings as they are."""
        return RenewalSettings(
            auto_renew_enabled=self.auto_renew_enabled,
            scheduled_next_term_instructions=self.scheduled_next_term_instructions,
        )

    def build_resource(self) -> dict[str, Any]:
        """The resource as the API shows it; what is not set is left out."""
        hidden = {"customer", "etag", "lost", "effects", "is_new_commerce"}
        resource = self.model_dump(mode="json", by_alias=True, exclude=hidden, exclude_none=True)
        return resource | {"attributes": {"etag": self.etag, "objectType": "Subscription"}}


def create_vendor_subscription(customer: str, identifier: str, seed: SubscriptionSeed) -> Subscription:
    """A new subscription."""
    return Subscription(customer=customer, id=identifier, etag=_fresh_etag(), **dict(seed))


def patch_vendor_subscription(current: Subscription, body: object, if_match: str | None, now: datetime) -> Subscription:
    """The subscription after a PATCH. Raises VendorRefusal, and then nothing has changed."""
    if current.status == "deleted":
        raise VendorRefusal(400, 2011, "the subscription is deleted")
    if current.status == "pending":
        raise VendorRefusal(409, 800082, "the subscription is not ready")
    wanted = _parse_body(current, body, if_match)
    _check_move(current, wanted, now)
    renewal, lost = _renewal_after(current, wanted)
    effects = dict(current.effects)
    if wanted.status != current.status:
        effects[wanted.status] = effects.get(wanted.status, 0) + 1
    changes = dict(wanted) | dict(renewal) | {"lost": lost, "effects": effects, "etag": _fresh_etag()}
    return current.model_copy(update=changes)


def _fresh_etag() -> str:
    return uuid4().hex


def _parse_body(current: Subscription, body: object, if_match: str | None) -> WantedSubscription:
    """Parse what the body asks for, if it was made from the resource as it is now."""
    attributes = body.get("attributes") if isinstance(body, Mapping) else None
    etag = attributes.get("etag") if isinstance(attributes, Mapping) else None
    if not etag == (if_match or "").strip('"') == current.etag:
        raise VendorRefusal(400, 2055, "the ETag of the request and that of the resource are not the same")
    try:
        return WantedSubscription.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors()[0]
        raise VendorRefusal(400, 2001, f"{first['loc'][0]}: {first['msg']}") from None


def _check_move(current: Subscription, wanted: WantedSubscription, now: datetime) -> None:
    if wanted.status != current.status and wanted.status not in MOVES[current.status]:
        raise VendorRefusal(400, 800040, f"a subscription that is {current.status} cannot become {wanted.status}")
    if current.status == "suspended" and wanted.quantity != current.quantity:
        raise VendorRefusal(400, 2001, "the quantity of a suspended subscription cannot change")
    until = current.cancellation_allowed_until_date
    if wanted.status == "deleted" and (until is None or now > until):
        raise VendorRefusal(400, 900117, "the time in which the subscription could be cancelled is over")


def _renewal_after(current: Subscription, wanted: WantedSubscription) -> tuple[RenewalSettings, RenewalSettings | None]:
    """The renewal settings, and those that a suspension lost and nobody has put back.

    They are lost with the suspension, stay lost as long as it lasts, and do not come back with it.
    """
    asked = RenewalSettings(**{name: getattr(wanted, name) for name in RenewalSettings.model_fields})
    if not current.is_new_commerce:
        return asked, None
    if "suspended" not in (current.status, wanted.status):
        return asked, None if asked == current.lost else current.lost
    return LOST, current.lost or current.renewal
