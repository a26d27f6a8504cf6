"""Consequences of an observation at the vendor, or of its refusal: the new state, and what is announced."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.entitlements.domain.entitlement import (
    EntitlementState,
    SubscriptionEntitlement,
    VendorFailure,
    move_entitlement,
    refresh_access_answer,
)
from services.entitlements.domain.hold import Hold, list_hold_reasons, list_suspension_ids
from services.entitlements.domain.sync_outcome import FinalVendorRefusal
from shared.events import Event
from shared.events.entitlements import (
    RenewalSettingsNotRestored,
    SubscriptionReinstated,
    SubscriptionSuspended,
    SuspensionRefusedByVendor,
    VendorSyncFailed,
)

NOT_RESTORED = "renewal_settings_not_restored"
"""Our own code of the failure that a person must look at after a reinstatement."""

Decision = tuple[SubscriptionEntitlement, list[Event]]


def apply_suspension_seen(entitlement: SubscriptionEntitlement, now: datetime) -> Decision:
    """It was seen suspended: announced once for each suspension, also if it is no longer wanted by now."""
    causes = [hold for hold in entitlement.holds if hold.must_announce_suspension]
    is_news = entitlement.state is not EntitlementState.SUSPENDED
    events = [
        SubscriptionSuspended(
            account_id=entitlement.account_id,
            subscription_id=entitlement.subscription_id,
            suspension_id=suspension_id,
            hold_reasons=list_hold_reasons([hold for hold in entitlement.holds if hold.stands] or causes),
            vendor_bills_on=entitlement.bills_while_suspended,
        )
        for suspension_id in _list_announced(list_suspension_ids(causes), is_news)
    ]
    after = replace(
        _with_observation(entitlement, "suspended", now),
        state=move_entitlement(entitlement.state, EntitlementState.SUSPENDED),
        holds=tuple(replace(hold, effective_at=now) if hold in causes else hold for hold in entitlement.holds),
    )
    return refresh_access_answer(after, now), list(events)


def apply_activity_seen(entitlement: SubscriptionEntitlement, missing: tuple[str, ...], now: datetime) -> Decision:
    """It was seen active: the end of a suspension is announced, with whether its renewal settings are back."""
    over = [hold for hold in entitlement.holds if hold.must_announce_reinstatement]
    is_news = entitlement.state is EntitlementState.SUSPENDED or bool(over)
    ended = _list_announced(list_suspension_ids(over), is_news)
    after = replace(
        _with_observation(entitlement, "active", now),
        state=move_entitlement(entitlement.state, EntitlementState.ACTIVE),
        snapshot=entitlement.snapshot if missing else None,
        failure=VendorFailure("active", NOT_RESTORED, ", ".join(missing), now) if missing else None,
        holds=tuple(_after_access(hold, now) for hold in entitlement.holds),
    )
    events: list[Event] = [_build_reinstated(entitlement, suspension_id, not missing) for suspension_id in ended]
    if missing:
        events += [_build_not_restored(entitlement, suspension_id, missing) for suspension_id in ended or [None]]
    return refresh_access_answer(after, now), events


def apply_vendor_refusal(entitlement: SubscriptionEntitlement, refusal: FinalVendorRefusal, now: datetime) -> Decision:
    """The vendor refuses what is wanted, for good: nothing changed there, and a person must look."""
    after = replace(
        entitlement,
        failure=VendorFailure(refusal.wanted, refusal.code, refusal.detail, now),
        waiting_for=None,
    )
    if refusal.wanted != "suspended":
        return after, [_sync_failed(entitlement, refusal)]
    standing = [hold for hold in entitlement.holds if hold.stands]
    events: list[Event] = [
        SuspensionRefusedByVendor(
            account_id=entitlement.account_id,
            subscription_id=entitlement.subscription_id,
            suspension_id=suspension_id,
            vendor_code=refusal.code,
        )
        for suspension_id in _list_announced(list_suspension_ids(standing), is_news=True)
    ]
    if after.state is EntitlementState.SUSPENDING:
        holds = tuple(_after_access(hold, now) for hold in entitlement.holds)
        after = replace(after, state=move_entitlement(after.state, EntitlementState.ACTIVE), holds=holds)
    return refresh_access_answer(after, now), events


def clear_pending_change(entitlement: SubscriptionEntitlement) -> SubscriptionEntitlement:
    """There was nothing to do at the vendor; what stood in the way of a suspension no longer matters."""
    failure = entitlement.failure
    kept = failure if failure and failure.wanted != "suspended" else None
    return replace(entitlement, failure=kept, waiting_for=None)


def _with_observation(entitlement: SubscriptionEntitlement, status: str, now: datetime) -> SubscriptionEntitlement:
    return replace(entitlement, seen_status=status, seen_at=now, failure=None, waiting_for=None)


def _list_announced(suspensions: Sequence[UUID], is_news: bool) -> list[UUID | None]:
    """List the suspensions to announce, or None once if there are none and it is news all the same."""
    return [*suspensions] or ([None] if is_news else [])


def _after_access(hold: Hold, now: datetime) -> Hold:
    if hold.must_announce_reinstatement:
        return replace(hold, ended_at=now)
    return hold if hold.effective_at else replace(hold, attempted_at=None)


def _build_reinstated(
    entitlement: SubscriptionEntitlement, suspension_id: UUID | None, restored: bool
) -> SubscriptionReinstated:
    return SubscriptionReinstated(
        account_id=entitlement.account_id,
        subscription_id=entitlement.subscription_id,
        suspension_id=suspension_id,
        renewal_restored=restored,
    )


def _build_not_restored(
    entitlement: SubscriptionEntitlement, suspension_id: UUID | None, missing: tuple[str, ...]
) -> RenewalSettingsNotRestored:
    return RenewalSettingsNotRestored(
        account_id=entitlement.account_id,
        subscription_id=entitlement.subscription_id,
        suspension_id=suspension_id,
        missing_settings=missing,
    )


def _sync_failed(entitlement: SubscriptionEntitlement, refusal: FinalVendorRefusal) -> VendorSyncFailed:
    return VendorSyncFailed(
        account_id=entitlement.account_id,
        subscription_id=entitlement.subscription_id,
        wanted_state=refusal.wanted,
        vendor_code=refusal.code,
    )
