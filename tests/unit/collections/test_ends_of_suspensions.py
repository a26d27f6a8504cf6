"""How suspensions are requested and end, and how terminations are asked for: each change and event in full."""

from dataclasses import replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.collections.domain.account_changes import (
    EndedSuspensionCauses,
    NewDunningStep,
    NewSuspensionRelease,
    SuspensionMove,
)
from services.collections.domain.account_decision import evaluate_account
from services.collections.domain.account_draft import AccountDraft
from services.collections.domain.due_step_decision import (
    SuspensionDelay,
    evaluate_due_steps,
    evaluate_due_suspensions,
)
from services.collections.domain.dunning_account import AnnouncedDeferral
from services.collections.domain.policy_version import PolicyVersion, find_policy
from services.collections.domain.suspension import SuspensionState
from services.collections.domain.suspension_decision import end_suspension_by_release
from shared.events.collections import (
    ReinstatementRequested,
    StepDeferred,
    SuspensionCause,
    SuspensionRequested,
    SuspensionWithdrawn,
    TerminationRequested,
)
from tests.unit.collections.accounts import (
    ACCOUNT,
    SUSPENSION,
    VERSIONS,
    WARNED,
    account,
    add_suspend_step,
    context,
    suspension,
)
from tests.unit.collections.facts import OTHER, SUBSCRIPTION, balance, item, line, on, take_notice
from tests.unit.collections.stories import standard

FIRST, SECOND = UUID(int=1), UUID(int=2)
REQUESTED, EFFECTIVE = SuspensionState.REQUESTED, SuspensionState.EFFECTIVE
OF_SUSPENSION = {"account_id": ACCOUNT, "suspension_id": SUSPENSION, "subscription_id": SUBSCRIPTION}
PAID = (balance(1, on(-30, 0)), balance(60, on(22), line(0)))
DISPUTED = (balance(1, on(-30, 0)), balance(60, on(22), line(300, disputed=300)))


def describe_request(*invoice_ids: UUID) -> SuspensionRequested:
    """Describe the wanted state of the suspension: these invoices, 3.00 EUR of each."""
    causes = tuple(SuspensionCause(invoice_id=id_, dunnable_minor=300, currency="EUR") for id_ in invoice_ids)
    return SuspensionRequested(**OF_SUSPENSION, policy_version=3, step="suspend", causes=causes)


def test_a_request_that_is_paid_is_withdrawn_with_its_reason() -> None:
    paid = add_suspend_step(item(*PAID, taken=WARNED), REQUESTED)
    decision = evaluate_account(account(paid, suspensions=(suspension(REQUESTED, paid),)), context(on(23)))
    words = "every invoice that caused it is paid or credited"
    assert decision.changes == (
        EndedSuspensionCauses(SUSPENSION, frozenset({FIRST})),
        SuspensionMove(SUSPENSION, SuspensionState.WITHDRAWN, on(23), words),
    )
    assert decision.events == (SuspensionWithdrawn(**OF_SUSPENSION, cause="settled"),)


def test_a_request_of_which_nothing_is_dunnable_is_withdrawn() -> None:
    disputed = add_suspend_step(item(*DISPUTED, taken=WARNED), REQUESTED)
    decision = evaluate_account(account(disputed, suspensions=(suspension(REQUESTED, disputed),)), context(on(23)))
    words = "nothing that caused it is dunnable any more"
    assert decision.changes[0] == SuspensionMove(SUSPENSION, SuspensionState.WITHDRAWN, on(23), words)
    assert decision.events[0] == SuspensionWithdrawn(**OF_SUSPENSION, cause="not_dunnable")


def test_a_dispute_gives_no_access_back() -> None:
    disputed = add_suspend_step(item(*DISPUTED, taken=WARNED), EFFECTIVE)
    facts = account(disputed, suspensions=(suspension(EFFECTIVE, disputed),))
    assert evaluate_account(facts, context(on(23))).account.suspensions == facts.suspensions


def test_a_request_whose_notice_came_back_is_withdrawn() -> None:
    returned = (*WARNED[:2], replace(WARNED[2], outcome="failed", delivered_at=None))
    facts = add_suspend_step(item(taken=returned), REQUESTED)
    decision = evaluate_account(account(facts, suspensions=(suspension(REQUESTED, facts),)), context(on(23)))
    words = "a notice that it rests on came back"
    assert decision.changes[0] == SuspensionMove(SUSPENSION, SuspensionState.WITHDRAWN, on(23), words)
    assert decision.events[0] == SuspensionWithdrawn(**OF_SUSPENSION, cause="notice_bounced")


def test_a_suspension_that_is_paid_ends_with_its_reason() -> None:
    paid = add_suspend_step(item(*PAID, taken=WARNED), EFFECTIVE)
    decision = evaluate_account(account(paid, suspensions=(suspension(EFFECTIVE, paid),)), context(on(23)))
    words = "every invoice that caused it is paid or credited"
    assert decision.changes[1] == SuspensionMove(SUSPENSION, SuspensionState.ENDING, on(23), words)
    assert decision.events == (ReinstatementRequested(**OF_SUSPENSION, cause="settled"),)


def test_what_stays_of_a_suspension_is_announced_whole() -> None:
    items = [
        add_suspend_step(item(*PAID, taken=WARNED), EFFECTIVE),
        add_suspend_step(item(taken=WARNED, number="2"), EFFECTIVE),
    ]
    facts = account(*items, suspensions=(suspension(EFFECTIVE, *items),))
    decision = evaluate_account(facts, context(on(23)))
    assert decision.changes[0] == EndedSuspensionCauses(SUSPENSION, frozenset({FIRST}))
    assert decision.events[0] == describe_request(SECOND)


@pytest.mark.parametrize(
    ("state", "wanted", "event"),
    [
        (REQUESTED, SuspensionState.WITHDRAWN, SuspensionWithdrawn(**OF_SUSPENSION, cause="released")),
        (EFFECTIVE, SuspensionState.ENDING, ReinstatementRequested(**OF_SUSPENSION, cause="released")),
    ],
)
def test_a_person_releases_a_suspension_and_its_step_counts_as_taken(
    state: SuspensionState, wanted: SuspensionState, event: SuspensionWithdrawn | ReinstatementRequested
) -> None:
    facts = add_suspend_step(item(taken=WARNED), state)
    draft = AccountDraft(account(facts, suspensions=(suspension(state, facts),)), context(on(24)))
    end_suspension_by_release(draft, draft.account.suspensions[0], date(2026, 4, 10), "they pay on Friday")
    step = NewDunningStep(FIRST, 1, "suspend", "requested", on(24), on(21), 3, 300, None, None, attempt=1)
    assert draft.changes == [
        SuspensionMove(SUSPENSION, wanted, on(24), "they pay on Friday"),
        *([step] if state is REQUESTED else []),
        NewSuspensionRelease(SUSPENSION, (FIRST,), on(24), date(2026, 4, 10)),
    ]
    assert draft.events == [event]


def test_a_step_that_is_released_again_counts_as_taken_again() -> None:
    other, earlier = take_notice("suspend", on(20), 2), replace(take_notice("suspend", on(19)), outcome="requested")
    facts = add_suspend_step(item(taken=(*WARNED, earlier, other)), REQUESTED)
    draft = AccountDraft(account(facts, suspensions=(suspension(REQUESTED, facts),)), context(on(24)))
    end_suspension_by_release(draft, draft.account.suspensions[0], date(2026, 4, 10), "they pay on Friday")
    (step,) = [change for change in draft.changes if isinstance(change, NewDunningStep)]
    assert step.attempt == 2


def test_further_invoices_join_the_suspension_that_stands() -> None:
    first = add_suspend_step(item(taken=WARNED), EFFECTIVE)
    facts = account(first, item(taken=WARNED, number="2"), suspensions=(suspension(EFFECTIVE, first),))
    decision = evaluate_due_suspensions(facts, context(on(21)), None)
    assert [record.id for record in decision.account.suspensions] == [SUSPENSION]
    assert decision.events[0] == describe_request(FIRST, SECOND)
    assert decision.account.suspensions[0].causes[SECOND].number == "2"


def test_what_delays_a_suspension_is_said_with_when_to_look_again() -> None:
    delay = SuspensionDelay("all are stopped", on(22), "guard")
    decision = evaluate_due_suspensions(account(item(taken=WARNED)), context(on(21)), delay)
    assert decision.account.deferrals == {FIRST: AnnouncedDeferral("suspend", "all are stopped", on(22), "guard")}
    (said,) = [event for event in decision.events if isinstance(event, StepDeferred)]
    assert (said.step, said.cause, said.until, said.invoice_ids) == ("suspend", "guard", on(22), (FIRST,))


@pytest.mark.parametrize("is_suspended", [True, False])
def test_a_termination_is_asked_for_with_what_the_invoice_has_suspended(is_suspended: bool) -> None:
    facts = add_suspend_step(item(taken=WARNED), EFFECTIVE)
    other = replace(suspension(EFFECTIVE, item(number="2")), id=UUID(int=499), subscription_id=OTHER)
    standing = (other, suspension(EFFECTIVE, facts)) if is_suspended else (other,)
    decision = evaluate_due_steps(account(facts, item(number="2"), suspensions=standing), context(on(45)))
    requested = [event for event in decision.events if isinstance(event, TerminationRequested)]
    assert requested[0] == TerminationRequested(
        account_id=ACCOUNT,
        suspension_id=SUSPENSION if is_suspended else None,
        policy_version=3,
        step="terminate",
        invoice_ids=(FIRST,),
        subscription_ids=(SUBSCRIPTION,) if is_suspended else (),
    )
    steps = [change for change in decision.changes if isinstance(change, NewDunningStep) and change.invoice_id == FIRST]
    assert steps[-1] == NewDunningStep(
        FIRST, 1, "terminate", "requested", on(45), on(45), 3, 300, None, None, attempt=1
    )


def test_a_version_holds_from_its_own_day_on_in_the_zone_of_the_invoice() -> None:
    first, second = VERSIONS[0], PolicyVersion(4, date(2026, 3, 10), standard())
    late = on(0, 23).replace(day=9)
    assert find_policy([first, second], on(0, 0), ZoneInfo("UTC")) == second
    assert find_policy([first, second], late, ZoneInfo("UTC")) == first
    assert find_policy([first, second], late, ZoneInfo("Europe/Berlin")) == second
    assert find_policy([second], on(-30), ZoneInfo("UTC")) == second, "before the first one, that one"
    assert find_policy([], on(0), ZoneInfo("UTC")) is None
