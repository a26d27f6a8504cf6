"""Holds: why a subscription may not be used. Several with different reasons can stand at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.events.entitlements import HoldReason
from shared.pure.errors import Refusal


class HoldAlreadyReleased(Refusal):
    """The hold is gone; a new one would be a new hold."""

    code = "already_released"


class FraudRoleNeeded(Refusal):
    """A fraud hold is lifted by who has the role for it."""

    code = "role_needed"
    status = 403


class HoldEndsThroughCollections(Refusal):
    """A hold for non-payment ends when collections asks for it, not by hand (product rule 5)."""

    code = "ends_through_collections"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a subscription; one for non-payment belongs to a suspension of collections."""

    id: UUID
    account_id: UUID
    subscription_id: UUID
    reason: HoldReason
    owner: str
    comment: str | None
    placed_at: datetime
    suspension_id: UUID | None = None
    invoice_ids: tuple[UUID, ...] = ()
    """The invoices that cause it, all of them."""
    released_at: datetime | None = None
    attempted_at: datetime | None = None
    """When the vendor was about to be called for it."""
    effective_at: datetime | None = None
    """When the subscription was seen suspended at the vendor with this hold as a cause."""
    ended_at: datetime | None = None
    """When the subscription was seen active again after this hold was released."""

    @property
    def stands(self) -> bool:
        """Whether it still forbids access."""
        return self.released_at is None

    @property
    def must_announce_suspension(self) -> bool:
        """Whether a suspension seen at the vendor is to be announced for it."""
        return self.effective_at is None and (self.stands or self.attempted_at is not None)

    @property
    def must_announce_reinstatement(self) -> bool:
        """Whether access seen at the vendor is to be announced as the end of it."""
        return self.effective_at is not None and self.ended_at is None and not self.stands


FRAUD_ROLE = "fraud"
"""The role (claim `roles` of the token) of those who may lift fraud holds."""


def release_hold_by_hand(hold: Hold, now: datetime, roles: Collection[str]) -> Hold:
    """Release a hold by a person with these roles.

    Raises HoldEndsThroughCollections, FraudRoleNeeded, HoldAlreadyReleased.
    """
    if hold.reason == "fraud" and FRAUD_ROLE not in roles:
        raise FraudRoleNeeded(f"a fraud hold is released with the role `{FRAUD_ROLE}`")
    if hold.reason == "non_payment":
        raise HoldEndsThroughCollections("a hold for non-payment ends through collections")
    if not hold.stands:
        raise HoldAlreadyReleased(f"hold {hold.id} was released before")
    return replace(hold, released_at=now)


def list_standing_holds(holds: Iterable[Hold]) -> frozenset[UUID]:
    """The ids of the holds that stand: if they are the same later, what was decided from them still holds good."""
    return frozenset(hold.id for hold in holds if hold.stands)


def list_hold_reasons(holds: Iterable[Hold]) -> tuple[HoldReason, ...]:
    """The different reasons of these holds, in alphabetical order."""
    return tuple(sorted({hold.reason for hold in holds}))


def list_suspension_ids(holds: Iterable[Hold]) -> list[UUID]:
    """The suspensions of collections that these holds belong to, in order."""
    return sorted(hold.suspension_id for hold in holds if hold.suspension_id is not None)
