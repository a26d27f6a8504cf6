"""Vendor disputes: what we contest of a vendor invoice, and how the vendor may answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from services.escalation.domain.deadlines import compute_deadline_warning
from services.escalation.domain.state_moves import move_state
from shared.pure.errors import Refusal

DEADLINE_LEAD = timedelta(days=6)
"""How long before the end of the last day on which the vendor is to answer we are warned: five days before it."""


class VendorDisputeState(StrEnum):
    """Where a vendor dispute is."""

    OPEN = "open"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


VENDOR_DISPUTE_ALLOWED: Mapping[VendorDisputeState, frozenset[VendorDisputeState]] = {
    VendorDisputeState.OPEN: frozenset(VendorDisputeState) - {VendorDisputeState.OPEN},
    VendorDisputeState.ACCEPTED: frozenset(),
    VendorDisputeState.PARTLY_ACCEPTED: frozenset(),
    VendorDisputeState.REJECTED: frozenset(),
    VendorDisputeState.WITHDRAWN: frozenset(),
}


class ContestedAboveInvoice(Refusal):
    """More would be contested of a vendor invoice than it bills."""

    code: ClassVar[str] = "contested_above_invoice"


class AcceptedAmountRefused(Refusal):
    """The vendor accepts something, and no more than was contested."""

    code: ClassVar[str] = "accepted_refused"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class ContestedVendorAmount:
    """An amount that is contested (minor units, with tax), of a vendor difference or of what `reference` names."""

    difference_id: UUID | None
    reference: str | None
    code: str
    amount_minor: int


def plan_deadline_warning(deadline: date | None) -> datetime | None:
    """Plan when we are warned of a deadline; never without one."""
    return None if deadline is None else compute_deadline_warning(deadline, DEADLINE_LEAD)


def check_contested_amount(contested_minor: int, others_minor: int, total_minor: int) -> None:
    """Check that no more is contested than is billed. Raises ContestedAboveInvoice.

    `others_minor` is what other vendor disputes of the invoice contest, and what the vendor has accepted of them.
    """
    if contested_minor + others_minor > total_minor:
        rest_minor = max(total_minor - others_minor, 0)
        raise ContestedAboveInvoice(f"{rest_minor} of the {total_minor} that are billed can be contested")


def accept_contested_amount(state: VendorDisputeState, contested_minor: int, accepted_minor: int) -> VendorDisputeState:
    """Return the state of a vendor dispute that the vendor accepts in full or in part.

    Raises StateMoveRefused, AcceptedAmountRefused.
    """
    is_whole = accepted_minor == contested_minor
    wanted = VendorDisputeState.ACCEPTED if is_whole else VendorDisputeState.PARTLY_ACCEPTED
    accepted = move_state(VENDOR_DISPUTE_ALLOWED, state, wanted)
    if not 0 < accepted_minor <= contested_minor:
        raise AcceptedAmountRefused(f"accepted_minor: {contested_minor} were contested")
    return accepted
