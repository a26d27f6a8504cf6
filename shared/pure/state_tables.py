"""Moves from state to state: each kind of thing has a table of those that it may make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shared.pure.errors import Refusal

S = TypeVar("S", bound=StrEnum)


def can_transition(allowed: Mapping[S, frozenset[S]], state: S, wanted: S) -> bool:
    """Say whether the table allows the move."""
    return wanted in allowed[state]


def transition(allowed: Mapping[S, frozenset[S]], state: S, wanted: S, refusal: type[Refusal], words: str) -> S:
    """Return the wanted state if the table allows the move. Raises `refusal`.

    `words` are its detail; they may name the `{state}`, the `{wanted}` one, and the `{ways}` that are allowed.
    """
    if not can_transition(allowed, state, wanted):
        ways = ", ".join(sorted(allowed[state])) or "nothing else any more"
        raise refusal(words.format(state=state, wanted=wanted, ways=ways))
    return wanted
