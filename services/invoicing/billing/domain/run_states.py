"""States of a bill run, and its moves."""

from enum import StrEnum


class RunState(StrEnum):
    """How far a bill run is."""

    DRAFTING = "drafting"
    DRAFTED = "drafted"
    ISSUING = "issuing"
    DONE = "done"
    DISCARDED = "discarded"


RUN_ALLOWED: dict[RunState, frozenset[RunState]] = {
    RunState.DRAFTING: frozenset({RunState.DRAFTED, RunState.DISCARDED}),
    RunState.DRAFTED: frozenset({RunState.ISSUING, RunState.DISCARDED, RunState.DRAFTING}),
    RunState.ISSUING: frozenset({RunState.DONE}),
    RunState.DONE: frozenset({RunState.DRAFTING, RunState.ISSUING}),
    RunState.DISCARDED: frozenset(),
}
"""Accounts that were set aside are drafted, or issued at once, when they are tried again. What is still drafting can be
discarded if only the outside tax calculator is waited for."""
