"""Cases and disputes go where their tables say and nowhere else, and no case is closed before the customer knows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain.cases import (
    CASE_ALLOWED,
    UNRESOLVED,
    CaseAffectsCustomer,
    CaseLoop,
    CaseMergeFacts,
    CaseMergeRefused,
    CaseReopenedTooLate,
    CaseState,
    CustomerNotInformed,
    check_case_resolving,
    close_case,
    merge_case,
    reopen_case,
    undo_case_close,
)
from services.escalation.domain.disputes import DISPUTE_ALLOWED, DisputeState
from services.escalation.domain.state_moves import StateMoveRefused, move_state

WAITING = ("waiting_for_customer", "waiting_for_vendor")
CASE_MOVES = {
    ("new", "in_progress"),
    *(("in_progress", state) for state in WAITING),
    *((state, "in_progress") for state in WAITING),
    *((state, wanted) for state in ("new", "in_progress", *WAITING) for wanted in ("resolved", "merged")),
    ("resolved", "closed"),
    ("resolved", "in_progress"),
    ("closed", "in_progress"),
    ("closed", "resolved"),
}
DISPUTE_MOVES = {
    ("requested", "opened"),
    ("requested", "refused"),
    ("question", "requested"),
    ("question", "withdrawn"),
    ("opened", "under_review"),
    *(
        (state, outcome)
        for state in ("opened", "under_review")
        for outcome in ("upheld", "partly_upheld", "rejected", "withdrawn", "waiting_for_second_person")
    ),
    *(
        ("waiting_for_second_person", state)
        for state in ("upheld", "partly_upheld", "opened", "under_review", "withdrawn")
    ),
}
START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(("state", "wanted"), list(product(CaseState, CaseState)))
def test_a_case_moves_as_it_may(state: CaseState, wanted: CaseState) -> None:
    if (state.value, wanted.value) in CASE_MOVES:
        assert move_state(CASE_ALLOWED, state, wanted) is wanted
    else:
        with pytest.raises(StateMoveRefused):
            move_state(CASE_ALLOWED, state, wanted)


@pytest.mark.parametrize(("state", "wanted"), list(product(DisputeState, DisputeState)))
def test_a_dispute_moves_as_it_may(state: DisputeState, wanted: DisputeState) -> None:
    if (state.value, wanted.value) in DISPUTE_MOVES:
        assert move_state(DISPUTE_ALLOWED, state, wanted) is wanted
    else:
        with pytest.raises(StateMoveRefused):
            move_state(DISPUTE_ALLOWED, state, wanted)


@given(
    events=st.lists(st.sampled_from(["outcome", "told", "spoke", "close", "close: nobody"]), max_size=12),
)
def test_a_case_is_closed_once_the_customer_was_told_after_the_outcome(events: list[str]) -> None:
    """`told` is about the outcome, `spoke` about something else."""
    state, outcome_sequence, informed_sequence = CaseState.NEW, None, None
    knows = False
    for sequence, event in enumerate(events):
        if event == "outcome" and state is CaseState.NEW:
            state, outcome_sequence = move_state(CASE_ALLOWED, state, CaseState.RESOLVED), sequence
            knows = False
        elif event == "told":
            informed_sequence, knows = sequence, state is not CaseState.NEW
        elif event.startswith("close"):
            loop = CaseLoop(outcome_sequence, informed_sequence, "a drill" if event == "close: nobody" else None)
            assert loop.is_customer_informed == knows
            if state is not CaseState.RESOLVED:
                with pytest.raises(StateMoveRefused):
                    close_case(state, loop)
            elif not knows and event == "close":
                with pytest.raises(CustomerNotInformed):
                    close_case(state, loop)
            else:
                state = close_case(state, loop)
                assert state is CaseState.CLOSED


def test_a_refused_move_says_what_is_possible() -> None:
    with pytest.raises(StateMoveRefused, match=r"what is new cannot become closed, but in_progress, merged, resolved$"):
        move_state(CASE_ALLOWED, CaseState.NEW, CaseState.CLOSED)
    with pytest.raises(StateMoveRefused, match=r"what is merged cannot become closed, but nothing else any more$"):
        move_state(CASE_ALLOWED, CaseState.MERGED, CaseState.CLOSED)


def test_a_contact_counts_only_after_the_outcome() -> None:
    assert close_case(CaseState.RESOLVED, CaseLoop(7, 8, None)) is CaseState.CLOSED
    for informed_sequence in (None, 6, 7):
        with pytest.raises(CustomerNotInformed):
            close_case(CaseState.RESOLVED, CaseLoop(7, informed_sequence, None))


def test_a_customers_own_case_cannot_be_said_to_affect_none() -> None:
    with pytest.raises(CaseAffectsCustomer):
        close_case(CaseState.RESOLVED, CaseLoop(7, None, "nobody was cut off", is_of_customer=True))
    assert close_case(CaseState.RESOLVED, CaseLoop(7, 8, None, is_of_customer=True)) is CaseState.CLOSED


def test_a_task_concerns_no_customer() -> None:
    assert close_case(CaseState.RESOLVED, CaseLoop(7, None, None, is_task=True)) is CaseState.CLOSED


def test_a_case_is_opened_again_until_thirty_days_after_its_closing() -> None:
    assert reopen_case(CaseState.RESOLVED, None, START) is CaseState.IN_PROGRESS
    latest = START + timedelta(days=30)
    assert reopen_case(CaseState.CLOSED, START, latest) is CaseState.IN_PROGRESS
    with pytest.raises(CaseReopenedTooLate):
        reopen_case(CaseState.CLOSED, START, latest + timedelta(microseconds=1))


@pytest.mark.parametrize("state", sorted(UNRESOLVED | {CaseState.MERGED}))
def test_what_is_not_resolved_is_not_opened_again(state: CaseState) -> None:
    with pytest.raises(StateMoveRefused):
        reopen_case(state, None, START)


SIDE = CaseMergeFacts(UUID(int=1), UUID(int=9), "technical", CaseState.NEW)
TARGET = CaseMergeFacts(UUID(int=2), UUID(int=9), "technical", CaseState.WAITING_FOR_VENDOR)


def test_a_case_is_merged_into_an_unresolved_one_of_its_account() -> None:
    assert merge_case(SIDE, TARGET) is CaseState.MERGED
    assert merge_case(SIDE, replace(TARGET, kind="dispute")) is CaseState.MERGED
    for case, target in (
        (SIDE, SIDE),
        (SIDE, replace(TARGET, account_id=UUID(int=8))),
        (replace(SIDE, account_id=None), replace(TARGET, account_id=None)),
        (replace(SIDE, kind="dispute"), TARGET),
        *((SIDE, replace(TARGET, state=state)) for state in set(CaseState) - UNRESOLVED),
    ):
        with pytest.raises(CaseMergeRefused):
            merge_case(case, target)
    for state in set(CaseState) - UNRESOLVED:
        with pytest.raises(StateMoveRefused):
            merge_case(replace(SIDE, state=state), TARGET)


@pytest.mark.parametrize("state", CaseState)
def test_a_closed_case_has_its_outcome_and_only_its_closing_is_undone(state: CaseState) -> None:
    if state in UNRESOLVED:
        assert check_case_resolving(state) is CaseState.RESOLVED
    else:
        with pytest.raises(StateMoveRefused):
            check_case_resolving(state)
    if state is CaseState.CLOSED:
        assert undo_case_close(state) is CaseState.RESOLVED
    else:
        with pytest.raises(StateMoveRefused):
            undo_case_close(state)
