"""The rules of cases and disputes: who may go where, and when the loop is closed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeVar

from shared.errors import Refusal
from shared.money import get_minor_digits


class CaseState(StrEnum):
    """Where a case is."""

    OPEN = "open"
    RESOLVED = "resolved"
    """The outcome is known; the customer may not know it yet."""
    CLOSED = "closed"


class DisputeState(StrEnum):
    """Where a dispute is."""

    REQUESTED = "requested"
    """Committed here; invoicing has not yet reserved the amounts."""
    OPENED = "opened"
    """The amounts are reserved: a fact."""
    REFUSED = "refused"
    """Invoicing refuses the reservation: it never was a dispute."""
    WAITING_FOR_SECOND_PERSON = "waiting_for_second_person"
    """Somebody would uphold it who may not credit so much; the amounts stay reserved."""
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


CASE_ALLOWED: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.RESOLVED}),
    CaseState.RESOLVED: frozenset({CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}

DISPUTE_ALLOWED: Mapping[DisputeState, frozenset[DisputeState]] = {
    DisputeState.REQUESTED: frozenset({DisputeState.OPENED, DisputeState.REFUSED}),
    DisputeState.OPENED: frozenset(
        {
            DisputeState.UPHELD,
            DisputeState.REJECTED,
            DisputeState.WITHDRAWN,
            DisputeState.WAITING_FOR_SECOND_PERSON,
        }
    ),
    DisputeState.WAITING_FOR_SECOND_PERSON: frozenset(
        {DisputeState.UPHELD, DisputeState.OPENED, DisputeState.WITHDRAWN}
    ),
    DisputeState.REFUSED: frozenset(),
    DisputeState.UPHELD: frozenset(),
    DisputeState.REJECTED: frozenset(),
    DisputeState.WITHDRAWN: frozenset(),
}

S = TypeVar("S", CaseState, DisputeState)


class MoveRefused(Refusal):
    """A case or dispute cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "move_refused"


class CustomerNotTold(Refusal):
    """Nobody has told the customer the outcome since it was known (the programme: close the loop)."""

    code: ClassVar[str] = "customer_not_told"


class CustomerConcerned(Refusal):
    """A case that was opened for a customer cannot be said to affect none."""

    code: ClassVar[str] = "customer_concerned"


@dataclass(frozen=True, slots=True)
class Loop:
    """What decides whether the loop of a case is closed."""

    outcome_sequence: int | None
    """The sequence number at which the outcome was known; those of an account's facts count up."""
    informed_sequence: int | None
    """The sequence number of the last contact about the outcome."""
    no_customer_affected: str | None
    """Why no customer is affected, if a person said so."""
    is_task: bool = False
    """Whether the case concerns no customer from the start."""
    is_of_customer: bool = False
    """Whether a person opened it for an account: then a customer waits for the answer."""

    @property
    def customer_told(self) -> bool:
        """Whether the customer was told after the outcome was known."""
        if self.informed_sequence is None or self.outcome_sequence is None:
            return False
        return self.informed_sequence > self.outcome_sequence


def moved_to(allowed: Mapping[S, frozenset[S]], state: S, wanted: S) -> S:
    """The wanted state if the table allows the move. Raises MoveRefused."""
    if wanted not in allowed[state]:
        raise MoveRefused(f"what is {state} cannot become {wanted}")
    return wanted


def closed(state: CaseState, loop: Loop) -> CaseState:
    """The state of a case that shall be closed. Raises MoveRefused, CustomerNotTold, CustomerConcerned."""
    wanted = moved_to(CASE_ALLOWED, state, CaseState.CLOSED)
    if loop.no_customer_affected and loop.is_of_customer:
        raise CustomerConcerned("the case was opened for a customer, who waits for the answer")
    if not loop.customer_told and not loop.no_customer_affected and not loop.is_task:
        raise CustomerNotTold("nobody has told the customer the outcome since it was known")
    return wanted


VENDOR_DIFFERENCE_LIMIT = 100
"""Units of the currency (euro, not cents): vendor differences of one reconciliation that need a person at once."""
EXPECTED_VERDICTS = frozenset({"matched", "within_tolerance"})


def is_difference_large(differences_minor: Iterable[tuple[str, int]], currency: str) -> bool:
    """Whether the differences of a reconciliation, by verdict (minor units, either sign), come to the limit."""
    total_minor = sum(abs(minor) for verdict, minor in differences_minor if verdict not in EXPECTED_VERDICTS)
    limit_minor: int = VENDOR_DIFFERENCE_LIMIT * 10 ** get_minor_digits(currency)
    return total_minor >= limit_minor
