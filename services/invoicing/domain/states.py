"""The states of bill runs, changes of subscriptions, approvals and debits: one table each, and one way to move."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shared.pure.errors import Refusal


class MoveRefused(Refusal):
    """This cannot be done in the present state."""

    code = "move_refused"


class RunState(StrEnum):
    """How far a bill run is."""

    DRAFTING = "drafting"
    DRAFTED = "drafted"
    ISSUING = "issuing"
    DONE = "done"
    DISCARDED = "discarded"


class ChangeState(StrEnum):
    """What became of a change that somebody wanted."""

    SCHEDULED = "scheduled"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"


class ApprovalState(StrEnum):
    """What became of a credit note, write-off or refund that somebody proposed."""

    PROPOSED = "proposed"
    CARRIED_OUT = "carried_out"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class DebitState(StrEnum):
    """What became of a direct debit."""

    INITIATED = "initiated"
    SETTLED = "settled"
    REFUSED = "refused"


RUN_ALLOWED: dict[RunState, frozenset[RunState]] = {
    RunState.DRAFTING: frozenset({RunState.DRAFTED, RunState.DISCARDED}),
    RunState.DRAFTED: frozenset({RunState.ISSUING, RunState.DISCARDED, RunState.DRAFTING}),
    RunState.ISSUING: frozenset({RunState.DONE}),
    RunState.DONE: frozenset({RunState.DRAFTING, RunState.ISSUING}),
    RunState.DISCARDED: frozenset(),
}
"""Accounts that were set aside are drafted, or issued at once, when they are tried again. What is still drafting can be
discarded if only the outside tax calculator is waited for."""
CHANGE_ALLOWED: dict[ChangeState, frozenset[ChangeState]] = {
    ChangeState.SCHEDULED: frozenset({ChangeState.APPLIED, ChangeState.WITHDRAWN}),
    ChangeState.APPLIED: frozenset(),
    ChangeState.WITHDRAWN: frozenset(),
}
APPROVAL_ALLOWED: dict[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.PROPOSED: frozenset({ApprovalState.CARRIED_OUT, ApprovalState.DECLINED, ApprovalState.WITHDRAWN}),
    ApprovalState.CARRIED_OUT: frozenset(),
    ApprovalState.DECLINED: frozenset(),
    ApprovalState.WITHDRAWN: frozenset(),
}
DEBIT_ALLOWED: dict[DebitState, frozenset[DebitState]] = {
    DebitState.INITIATED: frozenset({DebitState.SETTLED, DebitState.REFUSED}),
    DebitState.SETTLED: frozenset(),
    DebitState.REFUSED: frozenset(),
}

S = TypeVar("S", bound=StrEnum)


def moved_to(allowed: Mapping[S, frozenset[S]], now: S, wanted: S) -> S:
    """The wanted state. Raises MoveRefused."""
    if wanted not in allowed[now]:
        raise MoveRefused(f"it is {now}, and cannot be {wanted} now")
    return wanted
