"""The states of bill runs, changes of subscriptions, approvals and debits: one table each, and one way to move."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shared.pure.errors import Refusal
from shared.pure.state_tables import transition


class StateMoveRefused(Refusal):
    """This cannot be done in the present state."""

    code = "move_refused"


class ApprovalState(StrEnum):
    """State of a credit note, write-off or refund that somebody proposed."""

    PROPOSED = "proposed"
    CARRIED_OUT = "carried_out"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


APPROVAL_ALLOWED: dict[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.PROPOSED: frozenset({ApprovalState.CARRIED_OUT, ApprovalState.DECLINED, ApprovalState.WITHDRAWN}),
    ApprovalState.CARRIED_OUT: frozenset(),
    ApprovalState.DECLINED: frozenset(),
    ApprovalState.WITHDRAWN: frozenset(),
}

S = TypeVar("S", bound=StrEnum)


def check_state_move(allowed: Mapping[S, frozenset[S]], now: S, wanted: S) -> S:
    """The wanted state. Raises StateMoveRefused."""
    return transition(allowed, now, wanted, StateMoveRefused, "it is {state}, and cannot be {wanted} now")
