"""States of a change of a subscription, and its moves."""

from enum import StrEnum


class ChangeState(StrEnum):
    """What became of a change that somebody wanted."""

    SCHEDULED = "scheduled"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"


CHANGE_ALLOWED: dict[ChangeState, frozenset[ChangeState]] = {
    ChangeState.SCHEDULED: frozenset({ChangeState.APPLIED, ChangeState.WITHDRAWN}),
    ChangeState.APPLIED: frozenset(),
    ChangeState.WITHDRAWN: frozenset(),
}
