"""States of a direct debit, and its moves."""

from enum import StrEnum


class DebitState(StrEnum):
    """State of a direct debit."""

    INITIATED = "initiated"
    SETTLED = "settled"
    REFUSED = "refused"


DEBIT_ALLOWED: dict[DebitState, frozenset[DebitState]] = {
    DebitState.INITIATED: frozenset({DebitState.SETTLED, DebitState.REFUSED}),
    DebitState.SETTLED: frozenset(),
    DebitState.REFUSED: frozenset(),
}
