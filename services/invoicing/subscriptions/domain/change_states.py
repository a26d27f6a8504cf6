"""States of a change of a subscription, and its moves."""

from enum import StrEnum


class SubscriptionChangeState(StrEnum):
    """State of a change that somebody wanted."""

    SCHEDULED = "scheduled"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"


CHANGE_ALLOWED: dict[SubscriptionChangeState, frozenset[SubscriptionChangeState]] = {
    SubscriptionChangeState.SCHEDULED: frozenset({SubscriptionChangeState.APPLIED, SubscriptionChangeState.WITHDRAWN}),
    SubscriptionChangeState.APPLIED: frozenset(),
    SubscriptionChangeState.WITHDRAWN: frozenset(),
}
