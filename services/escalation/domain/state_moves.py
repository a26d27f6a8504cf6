"""Moves from state to state: each kind of thing has a table of those that it may make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, TypeVar

from shared.pure.errors import Refusal
from shared.pure.state_tables import transition

S = TypeVar("S", bound=StrEnum)


class StateMoveRefused(Refusal):
    """A case or dispute cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "move_refused"


def move_state(allowed: Mapping[S, frozenset[S]], state: S, wanted: S) -> S:
    """Return the wanted state if the table allows the move. Raises StateMoveRefused."""
    words = "what is {state} cannot become {wanted}, but {ways}"
    return transition(allowed, state, wanted, StateMoveRefused, words)
