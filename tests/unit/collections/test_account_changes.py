"""Each change of an account, and what it makes of the account's facts; of others nothing changes."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.collections.domain.account_changes import (
    AccountChange,
    DunningCaseEnd,
    DunningCaseUpdate,
    EndedStepDeferrals,
    EndedSuspensionCauses,
    FreshFactsQuestion,
    NewDunningCase,
    NewDunningStep,
    NewNotice,
    NewSuspension,
    NewSuspensionCauses,
    NewSuspensionRelease,
    StepDeferral,
    SuspensionMove,
)
from services.collections.domain.dunning_account import AnnouncedDeferral, DunningAccount, OpenDunningCase
from services.collections.domain.dunning_item import Effect, ItemFacts, SuspensionRelease, TakenDunningStep
from services.collections.domain.suspension import SuspensionState
from services.collections.domain.suspension_record import RecordedSuspensionCause, SuspensionRecord
from tests.unit.collections.accounts import ACCOUNT, SUSPENSION, account
from tests.unit.collections.facts import DUE, OTHER, SUBSCRIPTION, item, on

FIRST, SECOND, FURTHER = UUID(int=1), UUID(int=2), UUID(int=501)
WAITING = AnnouncedDeferral("suspend", "all are stopped", None, "guard")
CASE = OpenDunningCase(UUID(int=9), "reminder_1", DUE)


def step(suspension_id: UUID | None, effect: Effect, number: int = 1) -> TakenDunningStep:
    """The step of a suspension in a round."""
    return TakenDunningStep("suspend", number, on(21), "requested", effect=effect, suspension_id=suspension_id)


def cause(invoice_id: UUID, number: int = 1) -> RecordedSuspensionCause:
    """An invoice that causes a suspension in a round, by 3.00."""
    return RecordedSuspensionCause(invoice_id, str(invoice_id.int), number, 300, "EUR")


def record(
    state: SuspensionState, *causes: RecordedSuspensionCause, suspension_id: UUID = SUSPENSION
) -> SuspensionRecord:
    """A suspension that rests on these."""
    return SuspensionRecord(
        id=suspension_id,
        account_id=ACCOUNT,
        subscription_id=SUBSCRIPTION if suspension_id == SUSPENSION else OTHER,
        state=state,
        policy_version=3,
        step="suspend",
        requested_at=on(21),
        effective_at=on(22) if state is SuspensionState.EFFECTIVE else None,
        causes={invoice_cause.invoice_id: invoice_cause for invoice_cause in causes},
    )


def take(number: str, *taken: TakenDunningStep) -> ItemFacts:
    """The item of this number, with steps."""
    return item(number=number, taken=taken)


REQUESTED = record(SuspensionState.REQUESTED, cause(FIRST), cause(SECOND))
EFFECTIVE = record(SuspensionState.EFFECTIVE, cause(FIRST), cause(SECOND))
BESIDE = record(SuspensionState.EFFECTIVE, cause(FIRST), suspension_id=FURTHER)


def both(effect: Effect, *suspensions: SuspensionRecord) -> DunningAccount:
    """Two items with the step of a suspension each, the first with that of another one, too."""
    first = take("1", step(FURTHER, "in_effect"), step(SUSPENSION, effect))
    return account(first, take("2", step(SUSPENSION, effect)), suspensions=suspensions)


def test_a_suspension_is_among_the_others_by_its_id() -> None:
    assert NewSuspension(REQUESTED).apply_to(account(suspensions=(BESIDE,))) == account(suspensions=(REQUESTED, BESIDE))


@pytest.mark.parametrize(
    ("state", "effect"), [(SuspensionState.REQUESTED, "awaited"), (SuspensionState.EFFECTIVE, "in_effect")]
)
def test_a_cause_is_added_with_its_step_and_one_of_the_same_round_is_not(
    state: SuspensionState, effect: Effect
) -> None:
    before = account(take("1", step(SUSPENSION, effect)), take("2"), suspensions=(record(state, cause(FIRST)),))
    after = NewSuspensionCauses(SUSPENSION, (cause(FIRST), cause(SECOND)), on(23)).apply_to(before)
    second = replace(step(SUSPENSION, effect), at=on(23))
    assert after == account(
        take("1", step(SUSPENSION, effect)),
        take("2", second),
        suspensions=(record(state, cause(FIRST), cause(SECOND)),),
    )


def test_a_cause_of_another_round_takes_the_place_of_the_former_with_a_step_of_its_own() -> None:
    former, other = step(SUSPENSION, "over", 2), step(FURTHER, "in_effect", 2)
    before = account(
        take("1", step(SUSPENSION, "over"), former, other),
        suspensions=(record(SuspensionState.EFFECTIVE, cause(FIRST)),),
    )
    after = NewSuspensionCauses(SUSPENSION, (cause(FIRST, 2),), on(30)).apply_to(before)
    added = TakenDunningStep("suspend", 2, on(30), "requested", effect="in_effect", suspension_id=SUSPENSION)
    assert after == account(
        take("1", step(SUSPENSION, "over"), other, added),
        suspensions=(record(SuspensionState.EFFECTIVE, cause(FIRST, 2)),),
    )


def test_what_a_suspension_did_for_a_cause_that_ended_is_over() -> None:
    after = EndedSuspensionCauses(SUSPENSION, frozenset({FIRST})).apply_to(both("in_effect", EFFECTIVE, BESIDE))
    assert after == account(
        take("1", step(FURTHER, "in_effect"), step(SUSPENSION, "over")),
        take("2", step(SUSPENSION, "in_effect")),
        suspensions=(record(SuspensionState.EFFECTIVE, cause(SECOND)), BESIDE),
    )


def test_a_suspension_that_is_effective_has_its_effect_for_each_cause() -> None:
    alone = record(SuspensionState.REQUESTED, cause(FIRST))
    after = SuspensionMove(SUSPENSION, SuspensionState.EFFECTIVE, on(22)).apply_to(both("awaited", alone))
    assert after == account(
        take("1", step(FURTHER, "in_effect"), step(SUSPENSION, "in_effect")),
        take("2", step(SUSPENSION, "awaited")),
        suspensions=(record(SuspensionState.EFFECTIVE, cause(FIRST)),),
    )


def test_a_suspension_that_was_withdrawn_never_happened() -> None:
    after = SuspensionMove(SUSPENSION, SuspensionState.WITHDRAWN, on(22), "paid").apply_to(
        both("awaited", REQUESTED, BESIDE)
    )
    assert after == account(take("1", step(FURTHER, "in_effect")), take("2"), suspensions=(BESIDE,))


@pytest.mark.parametrize("state", [SuspensionState.ENDING, SuspensionState.ENDED])
def test_what_a_suspension_did_that_ends_otherwise_is_over(state: SuspensionState) -> None:
    after = SuspensionMove(SUSPENSION, state, on(22)).apply_to(both("in_effect", EFFECTIVE, BESIDE))
    assert after == account(
        take("1", step(FURTHER, "in_effect"), step(SUSPENSION, "over")),
        take("2", step(SUSPENSION, "over")),
        suspensions=(BESIDE,),
    )


def test_a_release_is_of_the_invoices_that_it_names() -> None:
    first = replace(take("1"), releases=(SuspensionRelease(on(10), date(2026, 3, 25)),))
    after = NewSuspensionRelease(SUSPENSION, (FIRST,), on(22), date(2026, 4, 5)).apply_to(account(first, take("2")))
    release = SuspensionRelease(on(22), date(2026, 4, 5))
    assert after == account(replace(first, releases=(*first.releases, release)), take("2"))


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (NewDunningCase(CASE), CASE),
        (DunningCaseUpdate(CASE._replace(stage="final_notice")), CASE._replace(stage="final_notice")),
        (DunningCaseEnd(CASE.id), None),
    ],
)
def test_an_account_has_the_case_of_the_last_change(change: AccountChange, case: OpenDunningCase | None) -> None:
    before = replace(account(take("1")), case=CASE._replace(stage=None))
    assert change.apply_to(before) == replace(before, case=case)


def test_what_waits_is_known_until_it_waits_no_more() -> None:
    waiting = StepDeferral(FIRST, WAITING).apply_to(replace(account(), deferrals={SECOND: WAITING}))
    assert waiting.deferrals == {FIRST: WAITING, SECOND: WAITING}
    assert EndedStepDeferrals(frozenset({SECOND, UUID(int=3)})).apply_to(waiting).deferrals == {FIRST: WAITING}


@pytest.mark.parametrize(
    ("outcome", "taken"),
    [
        ("notice", TakenDunningStep("reminder_1", 1, on(1), "pending", effect="in_effect")),
        ("skipped", TakenDunningStep("reminder_1", 1, on(1), "skipped", replaced_by="reminder_2", effect="in_effect")),
        ("requested", TakenDunningStep("reminder_1", 1, on(1), "requested", effect="over")),
    ],
)
def test_a_step_that_is_taken_stands_with_its_invoice(outcome: str, taken: TakenDunningStep) -> None:
    change = NewDunningStep(
        invoice_id=FIRST,
        round=1,
        step="reminder_1",
        outcome=outcome,  # type: ignore[arg-type]
        taken_at=on(1),
        instant=on(1, 8),
        policy_version=3,
        dunnable_minor=300,
        notice_id=None,
        replaced_by=taken.replaced_by,
        attempt=1,
    )
    assert change.apply_to(account(take("1"), take("2"))) == account(take("1", taken), take("2"))


@pytest.mark.parametrize("change", [NewNotice(UUID(int=1000), "reminder_1", ()), FreshFactsQuestion()])
def test_a_message_and_a_question_change_no_facts(change: AccountChange) -> None:
    assert change.apply_to(both("awaited", REQUESTED)) == both("awaited", REQUESTED)
