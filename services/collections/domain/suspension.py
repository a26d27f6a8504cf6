"""A suspension for non-payment, from its request to the reinstatement; its id stays the same.

It begins with a dunnable amount, and ends when the debt that caused it is paid or credited: a dispute
merely filed, a debit in flight and a write-off stop further steps, and lift nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from services.collections.domain.item import Balance, Item, round_of
from services.collections.domain.timeline import Timeline, timeline_of
from services.collections.domain.void import is_blocked_since
from shared.errors import Refusal


class SuspensionState(StrEnum):
    """Where a suspension is."""

    REQUESTED = "requested"
    """Entitlements was asked; at the vendor nothing has changed yet as far as is known here."""
    EFFECTIVE = "effective"
    """The vendor has switched access off."""
    WITHDRAWN = "withdrawn"
    """It stopped standing before it was effective."""
    ENDING = "ending"
    """The reinstatement was requested."""
    ENDED = "ended"
    """Access is back at the vendor, or the subscription is gone."""


ALLOWED: dict[SuspensionState, frozenset[SuspensionState]] = {
    SuspensionState.REQUESTED: frozenset({SuspensionState.EFFECTIVE, SuspensionState.WITHDRAWN}),
    SuspensionState.EFFECTIVE: frozenset({SuspensionState.ENDING, SuspensionState.ENDED}),
    SuspensionState.WITHDRAWN: frozenset(),
    SuspensionState.ENDING: frozenset({SuspensionState.ENDED}),
    SuspensionState.ENDED: frozenset(),
}


class SuspensionMoveRefused(Refusal):
    """A suspension cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "suspension_move_refused"


def moved_to(state: SuspensionState, wanted: SuspensionState) -> SuspensionState:
    """The wanted state if the table allows the move, else `SuspensionMoveRefused`."""
    if wanted not in ALLOWED[state]:
        raise SuspensionMoveRefused(f"a suspension that is {state} cannot become {wanted}")
    return wanted


def of_this_round(causes: Mapping[UUID, int], items: Mapping[UUID, Item], now: datetime) -> frozenset[UUID]:
    """The causes, each with the round in which it became one, whose invoice is still in that round.

    A debt that was settled meanwhile and is open again needs its notices anew before it suspends anything,
    also where both facts became known at once. An invoice that is not among the items stays a cause.
    """
    return frozenset(
        invoice_id
        for invoice_id, number in causes.items()
        if invoice_id not in items or round_of(items[invoice_id].history(now))[0] == number
    )


def never_blocked(
    causes: frozenset[UUID],
    items: Mapping[UUID, Item],
    release_days: Mapping[UUID, int],
    requested_at: datetime,
    now: datetime,
) -> frozenset[UUID]:
    """The causes that no dispute or promise has blocked since the suspension was requested.

    What was blocked needs a new final notice, also where its release became known at once with it. `release_days` says
    by invoice how many days it stays blocked after a release.
    """
    return frozenset(
        invoice_id
        for invoice_id in causes
        if invoice_id not in items
        or not is_blocked_since(_get_timeline(items[invoice_id], release_days, now), requested_at, now)
    )


def causes_left(causes: frozenset[UUID], subscription_id: UUID, balances: Mapping[UUID, Balance]) -> frozenset[UUID]:
    """The invoices, of those that caused a suspension, that still do.

    One ends as a cause when its lines for this subscription have nothing open and nothing written off.
    An invoice whose balance is not known stays a cause.
    """
    return frozenset(
        invoice_id
        for invoice_id in causes
        if invoice_id not in balances or _owed(balances[invoice_id], subscription_id)
    )


def _owed(balance: Balance, subscription_id: UUID) -> int:
    lines = (line for line in balance.lines if line.subscription_id == subscription_id)
    return sum(line.open_minor + line.written_off_minor for line in lines)


def _get_timeline(item: Item, release_days: Mapping[UUID, int], now: datetime) -> Timeline:
    return timeline_of(item, item.history(now), release_days.get(item.invoice_id, 0))


def stands(
    causes: frozenset[UUID],
    subscription_id: UUID,
    items: Mapping[UUID, Item],
    release_days: Mapping[UUID, int],
    now: datetime,
) -> bool:
    """Whether a suspension may still be carried out: some cause is dunnable for this subscription now.

    Asked directly before the vendor is called, with items that were told the fresh balance. An item that is
    not among them carries nothing: to be late is fine, to cut off a paying customer is not.
    """
    return any(
        subscription_id in _get_timeline(item, release_days, now).at(now).by_subscription
        for invoice_id, item in items.items()
        if invoice_id in causes
    )
