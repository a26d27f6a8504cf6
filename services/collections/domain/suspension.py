"""A suspension for non-payment, from its request to the reinstatement; its id stays the same.

It begins with a dunnable amount, and ends when the debt that caused it is paid or credited: a dispute
merely filed, a debit in flight and a write-off stop further steps, and lift nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple
from uuid import UUID

from services.collections.domain.dunning_item import ItemBalance, ItemFacts, find_dunning_round
from services.collections.domain.dunning_timeline import build_dunning_timeline
from services.collections.domain.policy import Policy
from services.collections.domain.voided_steps import (
    find_customer_warned_at,
    is_invoice_blocked_since,
    list_required_notices,
)
from shared.pure.errors import Refusal
from shared.pure.state_tables import transition


class SuspensionTerms(NamedTuple):
    """Terms of an invoice by its policy on which a suspension rests."""

    release_days: int
    """How many days the invoice stays blocked after a release."""
    required: frozenset[str]
    """The notices that a suspension requires."""

    @classmethod
    def from_policy(cls, policy: Policy) -> "SuspensionTerms":
        """Take them from a policy."""
        return cls(policy.after_release_days, list_required_notices(policy))


NO_TERMS = SuspensionTerms(0, frozenset())
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
    words = "a suspension that is {state} cannot become {wanted}"
    return transition(SUSPENSION_ALLOWED, state, wanted, SuspensionMoveRefused, words)


def list_current_suspension_causes(
    causes: Mapping[UUID, int], items: Mapping[UUID, ItemFacts], now: datetime
) -> frozenset[UUID]:
    """The causes, each with the round in which it became one, whose invoice is still in that round.

    A debt that was settled meanwhile and is open again needs its notices anew before it suspends anything,
    also where both facts became known at once. An invoice that is not among the items stays a cause.
    """
    return frozenset(
        invoice_id
        for invoice_id, number in causes.items()
        if invoice_id not in items or find_dunning_round(items[invoice_id].list_balance_history(now))[0] == number
    )


def list_unblocked_suspension_causes(
    causes: frozenset[UUID],
    items: Mapping[UUID, ItemFacts],
    terms: Mapping[UUID, SuspensionTerms],
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


def _is_blocked(item: ItemFacts, terms: SuspensionTerms, requested_at: datetime, now: datetime) -> bool:
    timeline = build_dunning_timeline(item, item.list_balance_history(now), terms.release_days)
    return is_invoice_blocked_since(timeline, find_customer_warned_at(item, terms.required, requested_at), now)


def list_open_suspension_causes(
    causes: frozenset[UUID], subscription_id: UUID, balances: Mapping[UUID, ItemBalance]
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


def _sum_unpaid(balance: ItemBalance, subscription_id: UUID) -> int:
    lines = (line for line in balance.lines if line.subscription_id == subscription_id)
    return sum(line.open_minor + line.written_off_minor for line in lines)


def is_suspension_still_due(
    causes: frozenset[UUID],
    subscription_id: UUID,
    items: Mapping[UUID, ItemFacts],
    terms: Mapping[UUID, SuspensionTerms],
    now: datetime,
) -> bool:
    """Whether a suspension may still be carried out: some cause is dunnable for this subscription now.

    Asked directly before the vendor is called, with items that were told the fresh balance. An item that is
    not among them carries nothing: to be late is fine, to cut off a paying customer is not.
    """
    return any(
        subscription_id
        in build_dunning_timeline(item, item.list_balance_history(now), terms.get(invoice_id, NO_TERMS).release_days)
        .get_span_at(now)
        .dunnable_by_subscription
        for invoice_id, item in items.items()
        if invoice_id in causes
    )
