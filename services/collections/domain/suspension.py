"""A suspension for non-payment, from its request to the reinstatement; its id stays the same.

It begins with a dunnable amount, and ends when the debt that caused it is paid or credited: a dispute
merely filed, a debit in flight and a write-off stop further steps, and lift nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple
from uuid import UUID

from services.collections.domain.item import Balance, Item, find_round
from services.collections.domain.policy import Policy
from services.collections.domain.timeline import build_timeline
from services.collections.domain.void import find_warned_at, is_blocked_since, list_required
from shared.pure.errors import Refusal


class ItemTerms(NamedTuple):
    """Terms of an invoice by its policy on which a suspension rests."""

    release_days: int
    """How many days the invoice stays blocked after a release."""
    required: frozenset[str]
    """The notices that a suspension requires."""

    @classmethod
    def from_policy(cls, policy: Policy) -> "ItemTerms":
        """Take them from a policy."""
        return cls(policy.after_release_days, list_required(policy))


NO_TERMS = ItemTerms(0, frozenset())
"""The terms of an invoice that no policy judges."""


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


SUSPENSION_ALLOWED: dict[SuspensionState, frozenset[SuspensionState]] = {
    SuspensionState.REQUESTED: frozenset({SuspensionState.EFFECTIVE, SuspensionState.WITHDRAWN}),
    SuspensionState.EFFECTIVE: frozenset({SuspensionState.ENDING, SuspensionState.ENDED}),
    SuspensionState.WITHDRAWN: frozenset(),
    SuspensionState.ENDING: frozenset({SuspensionState.ENDED}),
    SuspensionState.ENDED: frozenset(),
}


class SuspensionMoveRefused(Refusal):
    """A suspension cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "suspension_move_refused"


def move_suspension(state: SuspensionState, wanted: SuspensionState) -> SuspensionState:
    """The wanted state if the table allows the move, else `SuspensionMoveRefused`."""
    if wanted not in SUSPENSION_ALLOWED[state]:
        raise SuspensionMoveRefused(f"a suspension that is {state} cannot become {wanted}")
    return wanted


def list_current_causes(causes: Mapping[UUID, int], items: Mapping[UUID, Item], now: datetime) -> frozenset[UUID]:
    """The causes, each with the round in which it became one, whose invoice is still in that round.

    A debt that was settled meanwhile and is open again needs its notices anew before it suspends anything,
    also where both facts became known at once. An invoice that is not among the items stays a cause.
    """
    return frozenset(
        invoice_id
        for invoice_id, number in causes.items()
        if invoice_id not in items or find_round(items[invoice_id].history(now))[0] == number
    )


def list_unblocked_causes(
    causes: frozenset[UUID],
    items: Mapping[UUID, Item],
    terms: Mapping[UUID, ItemTerms],
    requested_at: datetime,
    now: datetime,
) -> frozenset[UUID]:
    """The causes that no dispute or promise has blocked since the notices on which the suspension rests.

    What was blocked needs a new final notice, also where that became known only after the suspension was requested.
    """
    return frozenset(
        invoice_id
        for invoice_id in causes
        if invoice_id not in items
        or not _is_blocked(items[invoice_id], terms.get(invoice_id, NO_TERMS), requested_at, now)
    )


def _is_blocked(item: Item, terms: ItemTerms, requested_at: datetime, now: datetime) -> bool:
    timeline = build_timeline(item, item.history(now), terms.release_days)
    return is_blocked_since(timeline, find_warned_at(item, terms.required, requested_at), now)


def list_open_causes(
    causes: frozenset[UUID], subscription_id: UUID, balances: Mapping[UUID, Balance]
) -> frozenset[UUID]:
    """The invoices, of those that caused a suspension, that still do.

    One ends as a cause when its lines for this subscription have nothing open and nothing written off.
    An invoice whose balance is not known stays a cause.
    """
    return frozenset(
        invoice_id
        for invoice_id in causes
        if invoice_id not in balances or _sum_unpaid(balances[invoice_id], subscription_id)
    )


def _sum_unpaid(balance: Balance, subscription_id: UUID) -> int:
    lines = (line for line in balance.lines if line.subscription_id == subscription_id)
    return sum(line.open_minor + line.written_off_minor for line in lines)


def is_still_due(
    causes: frozenset[UUID],
    subscription_id: UUID,
    items: Mapping[UUID, Item],
    terms: Mapping[UUID, ItemTerms],
    now: datetime,
) -> bool:
    """Whether a suspension may still be carried out: some cause is dunnable for this subscription now.

    Asked directly before the vendor is called, with items that were told the fresh balance. An item that is
    not among them carries nothing: to be late is fine, to cut off a paying customer is not.
    """
    return any(
        subscription_id
        in build_timeline(item, item.history(now), terms.get(invoice_id, NO_TERMS).release_days).at(now).by_subscription
        for invoice_id, item in items.items()
        if invoice_id in causes
    )
