"""Decisions about accounts: what they change and announce, and that nothing is left to decide after one."""

from dataclasses import replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.collections.domain.account_changes import (
    DunningCaseEnd,
    DunningCaseUpdate,
    FreshFactsQuestion,
    NewDunningStep,
    NewNotice,
)
from services.collections.domain.account_decision import evaluate_account
from services.collections.domain.account_draft import AccountDecision
from services.collections.domain.due_step_decision import (
    SuspensionDelay,
    evaluate_due_steps,
    evaluate_due_suspensions,
)
from services.collections.domain.dunning_account import AnnouncedDeferral, DunningAccount, OpenDunningCase
from services.collections.domain.suspension import SuspensionState
from shared.events.collections import StepDeferred
from tests.unit.collections.accounts import WARNED, account, add_suspend_step, context, suspension
from tests.unit.collections.facts import DUE, OTHER, SUBSCRIPTION, balance, item, line, on, take_notice


def names(decision: AccountDecision) -> list[str]:
    """The kinds of its events, in order."""
    return [type(event).__name__ for event in decision.events]


def kinds(decision: AccountDecision) -> list[str]:
    """The kinds of its changes, in order."""
    return [type(change).__name__ for change in decision.changes]


def test_a_case_opens_with_the_stage_that_was_reached() -> None:
    decision = evaluate_account(account(item(taken=WARNED[:1])), context(on(2)))
    assert names(decision) == ["DunningCaseOpened", "DunningStageChanged"]
    assert decision.account.case == OpenDunningCase(UUID(int=1000), "reminder_1", DUE)
    assert decision.due_at == {UUID(int=1): on(7)}


def test_a_case_closes_when_nothing_is_open() -> None:
    paid = item(balance(1, on(-30, 0)), balance(60, on(5), line(0)))
    case = OpenDunningCase(UUID(int=9), "reminder_1", DUE)
    decision = evaluate_account(account(paid, case=case), context(on(6)))
    assert (names(decision), kinds(decision)) == (["DunningCaseClosed"], ["DunningCaseEnd"])
    assert decision.account.case is None


def test_due_notices_of_one_instant_are_one_message_and_their_steps() -> None:
    second = item(number="2")
    decision = evaluate_due_steps(account(item(), second), context(on(1)))
    notice, *steps = [change for change in decision.changes if isinstance(change, NewNotice | NewDunningStep)]
    assert isinstance(notice, NewNotice)
    assert (notice.id, notice.template) == (UUID(int=1000), "reminder_1")
    assert [row["number"] for row in notice.items] == ["1", "2"]
    recorded = [(step.step, step.outcome, step.notice_id) for step in steps if isinstance(step, NewDunningStep)]
    assert recorded == [("reminder_1", "notice", notice.id), ("upcoming", "skipped", None)] * 2
    assert names(decision) == ["DunningCaseOpened", "DunningStageChanged"]
    assert decision.due_at == dict.fromkeys((UUID(int=1), UUID(int=2)), on(7))


def test_a_notice_and_what_it_stands_for_are_recorded_in_full() -> None:
    voided = replace(take_notice("upcoming", on(-3)), outcome="failed", delivered_at=None)
    decision = evaluate_due_steps(account(item(taken=(voided,))), context(on(7, 12)))
    steps = [change for change in decision.changes if isinstance(change, NewDunningStep)]
    notice_id = UUID(int=1000)
    common = {"invoice_id": UUID(int=1), "round": 1, "taken_at": on(7, 12), "instant": on(7), "policy_version": 3}
    common |= {"dunnable_minor": 300, "attempt": 1}
    assert steps == [
        NewDunningStep(**common, step="reminder_2", outcome="notice", notice_id=notice_id, replaced_by=None),  # type: ignore[arg-type]
        NewDunningStep(**common, step="reminder_1", outcome="skipped", notice_id=None, replaced_by="reminder_2"),  # type: ignore[arg-type]
    ]


def test_a_suspension_asks_for_fresh_facts_first_and_is_not_looked_at_before_they_come() -> None:
    decision = evaluate_due_steps(account(item(taken=WARNED)), context(on(21)))
    assert [change for change in decision.changes if isinstance(change, FreshFactsQuestion)] == [FreshFactsQuestion()]
    assert "SuspensionRequested" not in names(decision)
    assert decision.due_at[UUID(int=1)] != on(21)


def test_with_fresh_facts_it_is_requested_or_waits_for_what_delays_it() -> None:
    warned = account(item(taken=WARNED), case=OpenDunningCase(UUID(int=9), "final_notice", DUE))
    requested = evaluate_due_suspensions(warned, context(on(21)), None)
    assert names(requested) == ["SuspensionRequested", "DunningStageChanged"]
    (record,) = requested.account.suspensions
    assert (record.id, record.state, record.policy_version) == (UUID(int=1000), "requested", 3)
    assert record.causes[UUID(int=1)].dunnable_minor == 300
    delay = SuspensionDelay("all are stopped", on(22), "guard")
    waiting = evaluate_due_suspensions(warned, context(on(21)), delay)
    assert (names(waiting), waiting.due_at) == (["StepDeferred"], {UUID(int=1): on(22)})
    again = evaluate_due_suspensions(waiting.account, context(on(21)), delay)
    assert (names(again), again.changes) == ([], ())


PENDING = replace(WARNED[2], outcome="pending", delivered_at=None)


def test_a_suspension_that_waits_for_its_notice_says_so_once_and_no_more_when_it_has_arrived() -> None:
    facts = account(item(taken=(*WARNED[:2], PENDING)), case=OpenDunningCase(UUID(int=9), "final_notice", DUE))
    decision = evaluate_account(facts, context(on(21)))
    (said,) = decision.events
    assert isinstance(said, StepDeferred)
    assert (said.step, said.cause, said.until, said.invoice_ids) == ("suspend", "policy", None, (UUID(int=1),))
    words = "final_notice has not reached the next hop (pending)"
    assert decision.account.deferrals == {UUID(int=1): AnnouncedDeferral("suspend", words, None, "policy")}
    assert evaluate_account(decision.account, context(on(21))).changes == ()
    arrived = replace(decision.account, items=(item(taken=WARNED[:2]),))
    assert evaluate_account(arrived, context(on(20))).account.deferrals == {}
    until = replace(PENDING, outcome="sent", delivered_at=on(18))
    late = evaluate_account(account(item(taken=(*WARNED[:2], until))), context(on(21)))
    assert [event.until for event in late.events if isinstance(event, StepDeferred)] == [on(25)]


def test_a_suspension_whose_notice_has_not_arrived_is_looked_at_on_its_day() -> None:
    facts = account(item(taken=(*WARNED[:2], PENDING)))
    assert evaluate_account(facts, context(on(16))).due_at == {UUID(int=1): on(21)}
    tokyo = replace(facts, items=tuple(replace(place, zone=ZoneInfo("Asia/Tokyo")) for place in facts.items))
    assert evaluate_account(tokyo, context(on(16))).due_at == {UUID(int=1): on(21, 0)}


def test_a_case_changes_its_oldest_invoice_and_ends_by_its_id() -> None:
    case = OpenDunningCase(UUID(int=9), "reminder_1", date(2026, 1, 1))
    changed = evaluate_account(account(item(taken=WARNED[:1]), case=case), context(on(2)))
    assert changed.changes == (DunningCaseUpdate(case._replace(oldest_due_date=DUE)),)
    paid = item(balance(1, on(-30, 0)), balance(60, on(5), line(0)), taken=WARNED[:1])
    ended = evaluate_account(account(paid, case=case), context(on(6)))
    assert ended.changes[-1] == DunningCaseEnd(case.id)


def test_a_notice_states_what_comes_after_it() -> None:
    decision = evaluate_due_steps(account(item()), context(on(1)))
    (notice,) = [change for change in decision.changes if isinstance(change, NewNotice)]
    (row,) = notice.items
    assert (row["open_minor"], row["to_pay_minor"], row["subscription_ids"]) == (300, 300, [str(SUBSCRIPTION)])
    coming = [("reminder_2", "2026-03-17"), ("final_notice", "2026-03-24"), ("suspend", "2026-03-31")]
    assert [(step["step"], step["day"]) for step in row["coming"]] == coming


def test_what_waited_for_the_guard_waits_no_more_once_it_is_requested() -> None:
    deferrals = {UUID(int=1): AnnouncedDeferral("suspend", "all are stopped", None, "guard")}
    decision = evaluate_due_suspensions(account(item(taken=WARNED), deferrals=deferrals), context(on(21)), None)
    assert decision.account.deferrals == {}


def test_a_debt_that_is_paid_ends_what_it_suspended() -> None:
    for state, event in (("requested", "SuspensionWithdrawn"), ("effective", "ReinstatementRequested")):
        paid = add_suspend_step(
            item(balance(1, on(-30, 0)), balance(60, on(22), line(0)), taken=WARNED), SuspensionState(state)
        )
        decision = evaluate_account(
            account(paid, suspensions=(suspension(SuspensionState(state), paid),)), context(on(23))
        )
        assert names(decision) == [event]
        assert decision.account.suspensions == ()


_LINES = st.sampled_from(
    [line(300), line(0), line(300, disputed=300), line(200, disputed=50), line(0, written_off=300)]
)
_STATES = st.sampled_from([None, SuspensionState.REQUESTED, SuspensionState.EFFECTIVE])


@st.composite
def accounts(draw: st.DrawFn) -> DunningAccount:
    """Accounts of two invoices that were warned of and changed, with or without a suspension for one or both."""
    items = []
    for number in ("1", "2"):
        changes = draw(st.lists(st.tuples(st.integers(0, 30), _LINES), max_size=3))
        balances = [balance(1, on(-30, 0))]
        balances += [
            balance(60 + n, on(day, 12), changed) for n, (day, changed) in enumerate(sorted(changes, key=_day))
        ]
        sent = draw(st.integers(0, 3))
        taken = list(WARNED[:sent])
        came_back = draw(st.booleans())
        if taken and came_back:
            taken[-1] = replace(taken[-1], outcome="failed", delivered_at=None)
        items.append(item(*balances, taken=tuple(taken), number=number))
    state = draw(_STATES)
    if state is None:
        return account(*items)
    causes = draw(st.sampled_from([items, items[:1]]))
    items = [add_suspend_step(facts, state) if facts in causes else facts for facts in items]
    return account(*items, suspensions=(suspension(state, *causes),))


def _day(change: tuple[int, object]) -> int:
    return change[0]


def _list_taken_steps(decision: AccountDecision) -> set[tuple[UUID, str]]:
    """List the steps that are taken, each with its invoice: a withdrawn suspension may make one of another due."""
    return {(change.invoice_id, change.step) for change in decision.changes if isinstance(change, NewDunningStep)}


@given(accounts(), st.integers(0, 50), st.sampled_from([9, 15]))
def test_nothing_is_left_to_decide_after_a_decision(facts: DunningAccount, day: int, hour: int) -> None:
    now = on(day, hour)
    for decision in (
        evaluate_account(facts, context(now)),
        evaluate_due_steps(facts, context(now)),
        evaluate_due_suspensions(facts, context(now), None),
    ):
        following = evaluate_account(decision.account, context(now))
        assert (following.changes, following.events) == ((), ())
        again = evaluate_due_steps(decision.account, context(now))
        assert not _list_taken_steps(again) & _list_taken_steps(decision)


def test_a_suspension_of_another_subscription_is_another_one() -> None:
    both = item(balance(1, on(-30, 0), line(300), line(200)._replace(line=2, subscription_id=OTHER)), taken=WARNED)
    decision = evaluate_due_suspensions(account(both), context(on(21)), None)
    assert sorted(record.subscription_id for record in decision.account.suspensions) == [SUBSCRIPTION, OTHER]
    assert [record.id for record in decision.account.suspensions] == [UUID(int=1000), UUID(int=1001)]
