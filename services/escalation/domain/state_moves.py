"""Moves from state to state: each kind of thing has a table of those that it may make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, TypeVar

from shared.pure.errors import Refusal

S = TypeVar("S", bound=StrEnum)


class StateMoveRefused(Refusal):
    """A case or dispute cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "move_refused"


def move_state(allowed: Mapping[S, frozenset[S]], state: S, wanted: S) -> S:
    """Return the wanted state if the table allows the move. Raises StateMoveRefused."""
    if wanted not in allowed[state]:
        ways = ", ".join(sorted(allowed[state])) or "nothing else any more"
        raise StateMoveRefused(f"what is {state} cannot become {wanted}, but {ways}")
    return wanted
