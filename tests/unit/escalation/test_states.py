"""Cases and disputes go where their tables say and nowhere else, and no case is closed before the customer knows."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain import (
    CASE_ALLOWED,
    DISPUTE_ALLOWED,
    CaseState,
    CustomerConcerned,
    CustomerNotTold,
    DisputeState,
    Loop,
    MoveRefused,
    closed,
    moved_to,
)

CASE_MOVES = {("open", "resolved"), ("resolved", "closed")}
DISPUTE_MOVES = {
    ("requested", "opened"),
    ("requested", "refused"),
    ("opened", "upheld"),
    ("opened", "rejected"),
    ("opened", "withdrawn"),
    ("opened", "waiting_for_second_person"),
    ("waiting_for_second_person", "upheld"),
    ("waiting_for_second_person", "opened"),
    ("waiting_for_second_person", "withdrawn"),
}
START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(("state", "wanted"), list(product(CaseState, CaseState)))
def test_a_case_moves_as_it_may(state: CaseState, wanted: CaseState) -> None:
    if (state.value, wanted.value) in CASE_MOVES:
        assert moved_to(CASE_ALLOWED, state, wanted) is wanted
    else:
        with pytest.raises(MoveRefused):
            moved_to(CASE_ALLOWED, state, wanted)


@pytest.mark.parametrize(("state", "wanted"), list(product(DisputeState, DisputeState)))
def test_a_dispute_moves_as_it_may(state: DisputeState, wanted: DisputeState) -> None:
    if (state.value, wanted.value) in DISPUTE_MOVES:
        assert moved_to(DISPUTE_ALLOWED, state, wanted) is wanted
    else:
        with pytest.raises(MoveRefused):
            moved_to(DISPUTE_ALLOWED, state, wanted)


@given(
    events=st.lists(st.sampled_from(["outcome", "told", "spoke", "close", "close: nobody"]), max_size=12),
)
def test_a_case_is_closed_once_the_customer_was_told_after_the_outcome(events: list[str]) -> None:
    """`told` is about the outcome, `spoke` about something else."""
    state, outcome_sequence, informed_sequence = CaseState.OPEN, None, None
    knows = False
    for sequence, event in enumerate(events):
        if event == "outcome" and state is CaseState.OPEN:
            state, outcome_sequence = moved_to(CASE_ALLOWED, state, CaseState.RESOLVED), sequence
            knows = False
        elif event == "told":
            informed_sequence, knows = sequence, state is not CaseState.OPEN
        elif event.startswith("close"):
            loop = Loop(outcome_sequence, informed_sequence, "a drill" if event == "close: nobody" else None)
            assert loop.customer_told == knows
            if state is not CaseState.RESOLVED:
                with pytest.raises(MoveRefused):
                    closed(state, loop)
            elif not knows and event == "close":
                with pytest.raises(CustomerNotTold):
                    closed(state, loop)
            else:
                state = closed(state, loop)
                assert state is CaseState.CLOSED


def test_a_contact_counts_only_after_the_outcome() -> None:
    assert closed(CaseState.RESOLVED, Loop(7, 8, None)) is CaseState.CLOSED
    for informed_sequence in (None, 6, 7):
        with pytest.raises(CustomerNotTold):
            closed(CaseState.RESOLVED, Loop(7, informed_sequence, None))


def test_a_customers_own_case_cannot_be_said_to_affect_none() -> None:
    with pytest.raises(CustomerConcerned):
        closed(CaseState.RESOLVED, Loop(7, None, "nobody was cut off", is_of_customer=True))
    assert closed(CaseState.RESOLVED, Loop(7, 8, None, is_of_customer=True)) is CaseState.CLOSED


def test_a_task_concerns_no_customer() -> None:
    assert closed(CaseState.RESOLVED, Loop(7, None, None, is_task=True)) is CaseState.CLOSED
