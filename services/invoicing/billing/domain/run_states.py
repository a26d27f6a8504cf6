"""States of a bill run, and its moves."""

from enum import StrEnum


class BillRunState(StrEnum):
    """How far a bill run is."""

    DRAFTING = "drafting"
    DRAFTED = "drafted"
    ISSUING = "issuing"
    DONE = "done"
    DISCARDED = "discarded"


RUN_ALLOWED: dict[BillRunState, frozenset[BillRunState]] = {
    BillRunState.DRAFTING: frozenset({BillRunState.DRAFTED, BillRunState.DISCARDED}),
    BillRunState.DRAFTED: frozenset({BillRunState.ISSUING, BillRunState.DISCARDED, BillRunState.DRAFTING}),
    BillRunState.ISSUING: frozenset({BillRunState.DONE}),
    BillRunState.DONE: frozenset({BillRunState.DRAFTING, BillRunState.ISSUING}),
    BillRunState.DISCARDED: frozenset(),
}
"""Accounts that were set aside are drafted, or issued at once, when they are tried again. What is still drafting can be
discarded if only the outside tax calculator is waited for."""
