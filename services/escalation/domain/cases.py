"""States of cases: whose turn it is, when a case may be closed, opened again or merged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from services.escalation.domain.state_moves import StateMoveRefused, move_state
from shared.pure.errors import Refusal

REOPENING_DAYS = 30
"""How long after its closing a case is opened again; later a new one is opened that links it."""


class CaseState(StrEnum):
    """Where a case is."""

    NEW = "new"
    """Nobody has begun."""
    IN_PROGRESS = "in_progress"
    """It is our turn."""
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    WAITING_FOR_VENDOR = "waiting_for_vendor"
    RESOLVED = "resolved"
    """The outcome is known; the customer may not know it yet."""
    CLOSED = "closed"
    MERGED = "merged"
    """Another case goes on with it."""


CASE_ALLOWED: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.NEW: frozenset({CaseState.IN_PROGRESS, CaseState.RESOLVED, CaseState.MERGED}),
    CaseState.IN_PROGRESS: frozenset(
        {CaseState.WAITING_FOR_CUSTOMER, CaseState.WAITING_FOR_VENDOR, CaseState.RESOLVED, CaseState.MERGED}
    ),
    CaseState.WAITING_FOR_CUSTOMER: frozenset({CaseState.IN_PROGRESS, CaseState.RESOLVED, CaseState.MERGED}),
    CaseState.WAITING_FOR_VENDOR: frozenset({CaseState.IN_PROGRESS, CaseState.RESOLVED, CaseState.MERGED}),
    CaseState.RESOLVED: frozenset({CaseState.CLOSED, CaseState.IN_PROGRESS}),
    CaseState.CLOSED: frozenset({CaseState.IN_PROGRESS, CaseState.RESOLVED}),
    CaseState.MERGED: frozenset(),
}
UNRESOLVED = frozenset(state for state, moves in CASE_ALLOWED.items() if CaseState.MERGED in moves)
"""States of a case whose outcome is not known."""
WAITING_SIDES: Mapping[CaseState, str] = {
    CaseState.NEW: "us",
    CaseState.IN_PROGRESS: "us",
    CaseState.WAITING_FOR_CUSTOMER: "customer",
    CaseState.WAITING_FOR_VENDOR: "vendor",
    CaseState.RESOLVED: "us",
}
"""Who is to act next; who is to tell the customer the outcome are we. Nobody acts on what is closed or merged."""
DEFAULT_QUEUES: Mapping[str, str] = {
    "billing_question": "billing",
    "dispute": "billing",
    "service_credit": "billing",
    "technical": "technical",
    "vendor_refusal": "vendor",
    "fraud": "fraud",
    "task": "tasks",
}
"""The queue of a case that names none, by its kind."""


class CustomerNotInformed(Refusal):
    """Nobody has told the customer the outcome since it was known (the programme: close the loop)."""

    code: ClassVar[str] = "customer_not_told"


class CaseAffectsCustomer(Refusal):
    """A case that was opened for a customer cannot be said to affect none."""

    code: ClassVar[str] = "customer_concerned"


class CaseReopenedTooLate(Refusal):
    """The case was closed too long ago to be opened again."""

    code: ClassVar[str] = "too_late_to_reopen"


class CaseMergeRefused(Refusal):
    """These cases cannot become one."""

    code: ClassVar[str] = "merge_refused"


@dataclass(frozen=True, slots=True)
class CaseLoop:
    """Facts that decide whether the loop of a case is closed."""

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
    def is_customer_informed(self) -> bool:
        """Whether the customer was told after the outcome was known."""
        if self.informed_sequence is None or self.outcome_sequence is None:
            return False
        return self.informed_sequence > self.outcome_sequence


@dataclass(frozen=True, slots=True)
class CaseMergeFacts:
    """Facts that decide whether a case may be merged into another, or take another in."""

    case_id: UUID
    account_id: UUID | None
    kind: str
    state: CaseState


def close_case(state: CaseState, loop: CaseLoop) -> CaseState:
    """Return the state of a case that shall be closed.

    Raises StateMoveRefused, CustomerNotInformed, CaseAffectsCustomer.
    """
    wanted = move_state(CASE_ALLOWED, state, CaseState.CLOSED)
    if loop.no_customer_affected and loop.is_of_customer:
        raise CaseAffectsCustomer("the case was opened for a customer, who waits for the answer")
    if not loop.is_customer_informed and not loop.no_customer_affected and not loop.is_task:
        raise CustomerNotInformed("nobody has told the customer the outcome since it was known")
    return wanted


def reopen_case(state: CaseState, closed_at: datetime | None, now: datetime) -> CaseState:
    """Return the state of a case that shall be opened again. Raises StateMoveRefused, CaseReopenedTooLate."""
    if state not in (CaseState.RESOLVED, CaseState.CLOSED):
        raise StateMoveRefused(f"what is {state} is not opened again")
    if closed_at is not None and now - closed_at > timedelta(days=REOPENING_DAYS):
        raise CaseReopenedTooLate(f"it was closed more than {REOPENING_DAYS} days ago: open a new case that links it")
    return move_state(CASE_ALLOWED, state, CaseState.IN_PROGRESS)


def check_case_resolving(state: CaseState) -> CaseState:
    """Return the state of a case whose outcome becomes known. Raises StateMoveRefused."""
    if state is CaseState.CLOSED:
        raise StateMoveRefused(f"what is {state} has its outcome: open it again first")
    return move_state(CASE_ALLOWED, state, CaseState.RESOLVED)


def undo_case_close(state: CaseState) -> CaseState:
    """Return the state of a closed case whose customer was not told after all. Raises StateMoveRefused."""
    if state is not CaseState.CLOSED:
        raise StateMoveRefused(f"what is {state} was not closed")
    return move_state(CASE_ALLOWED, state, CaseState.RESOLVED)


def merge_case(case: CaseMergeFacts, target: CaseMergeFacts) -> CaseState:
    """Return the state of a case that shall go on in another one. Raises StateMoveRefused, CaseMergeRefused."""
    wanted = move_state(CASE_ALLOWED, case.state, CaseState.MERGED)
    if case.case_id == target.case_id:
        raise CaseMergeRefused("a case is not merged into itself")
    if case.account_id is None or case.account_id != target.account_id:
        raise CaseMergeRefused("only cases of one account are merged")
    if case.kind == "dispute":
        raise CaseMergeRefused("a dispute keeps its own case, in which it is decided: merge the other one into it")
    if target.state not in UNRESOLVED:
        raise CaseMergeRefused(f"a case that is {target.state} takes no other in")
    return wanted
