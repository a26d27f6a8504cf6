"""States of disputes."""

from collections.abc import Mapping
from enum import StrEnum


class DisputeState(StrEnum):
    """Where a dispute is."""

    REQUESTED = "requested"
    """Committed here; invoicing has not yet reserved the amounts."""
    OPENED = "opened"
    """The amounts are reserved: a fact."""
    REFUSED = "refused"
    """Invoicing refuses the reservation: it never was a dispute."""
    WAITING_FOR_SECOND_PERSON = "waiting_for_second_person"
    """Somebody would uphold it who may not credit so much; the amounts stay reserved."""
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


DISPUTE_ALLOWED: Mapping[DisputeState, frozenset[DisputeState]] = {
    DisputeState.REQUESTED: frozenset({DisputeState.OPENED, DisputeState.REFUSED}),
    DisputeState.OPENED: frozenset(
        {
            DisputeState.UPHELD,
            DisputeState.REJECTED,
            DisputeState.WITHDRAWN,
            DisputeState.WAITING_FOR_SECOND_PERSON,
        }
    ),
    DisputeState.WAITING_FOR_SECOND_PERSON: frozenset(
        {DisputeState.UPHELD, DisputeState.OPENED, DisputeState.WITHDRAWN}
    ),
    DisputeState.REFUSED: frozenset(),
    DisputeState.UPHELD: frozenset(),
    DisputeState.REJECTED: frozenset(),
    DisputeState.WITHDRAWN: frozenset(),
}
UNDECIDED = frozenset({DisputeState.REQUESTED, DisputeState.OPENED, DisputeState.WAITING_FOR_SECOND_PERSON})
"""States of a dispute whose outcome is not known."""
