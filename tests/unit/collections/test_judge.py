"""How an invoice moves through the standard policy: the examples of the published rules."""

from dataclasses import replace
from datetime import date

import pytest

from services.collections.domain.dunning_item import (
    ItemFacts,
    LineBalance,
    OverdueJudgement,
    PaymentPromise,
    SuspensionRelease,
    TakenDunningStep,
)
from services.collections.domain.item_evaluation import ItemEvaluation
from services.collections.domain.item_evaluator import evaluate_dunning_item
from tests.unit.collections.facts import OTHER, SUBSCRIPTION, balance, item, line, on, take_notice
from tests.unit.collections.stories import standard

POLICY = standard()
REMINDED = (take_notice("upcoming", on(-3)), take_notice("reminder_1", on(1)), take_notice("reminder_2", on(7)))
WARNED = (*REMINDED, take_notice("final_notice", on(14)))
SUSPENDED = (*WARNED, TakenDunningStep("suspend", 1, on(21), "requested"))


def steps(judgement: ItemEvaluation) -> list[str]:
    """The names of what is done."""
    return [action.step for action in judgement.actions]


def find_next(invoice: ItemFacts, day: int, hour: int = 9) -> tuple[str, object] | None:
    """Find what comes next as it looks at an hour."""
    next_step = evaluate_dunning_item(invoice, POLICY, on(day, hour)).next
    return (next_step.step, next_step.at) if next_step else None


@pytest.mark.parametrize(
    ("day", "taken", "step"),
    [
        (-3, (), "upcoming"),
        (1, REMINDED[:1], "reminder_1"),
        (7, REMINDED[:2], "reminder_2"),
        (14, REMINDED, "final_notice"),
        (21, WARNED, "suspend"),
        (45, SUSPENDED, "terminate"),
    ],
)
def test_each_step_is_taken_at_nine_on_its_day(day: int, taken: tuple[TakenDunningStep, ...], step: str) -> None:
    invoice = item(taken=taken)
    assert steps(evaluate_dunning_item(invoice, POLICY, on(day, 8, 59))) == []
    action = evaluate_dunning_item(invoice, POLICY, on(day)).actions[0]
    assert (action.step, action.at, action.skipped) == (step, on(day), ())
    assert find_next(invoice, day, 8) == (step, on(day))


def test_a_judgement_shows_its_arithmetic() -> None:
    invoice = item(
        balance(1, on(-30), line(1000, disputed=300, in_flight=200)),
        promises=(PaymentPromise(100, on(1), on(5)),),
    )
    now = evaluate_dunning_item(invoice, POLICY, on(2))
    assert (now.open_minor, now.disputed_minor, now.in_flight_minor, now.promised_minor) == (1000, 300, 200, 100)
    assert (now.dunnable_minor, now.is_fully_blocked, now.position, now.round) == (400, False, 2, 1)


def test_an_invoice_that_was_never_recorded_owes_nothing() -> None:
    now = evaluate_dunning_item(item(balance(1, on(30))), POLICY, on(7))
    assert (now.open_minor, now.round, now.actions, now.next, now.overdue_at) == (0, 1, (), None, None)


def test_a_wholly_held_invoice_stands_still_and_goes_on_from_there() -> None:
    disputed = balance(2, on(3, 12), line(300, disputed=300))
    released = balance(3, on(8, 5), line(300))
    invoice = item(balance(1, on(-30)), disputed, released, taken=REMINDED[:2])
    blocked = evaluate_dunning_item(invoice, POLICY, on(6))
    assert (blocked.is_fully_blocked, blocked.position, blocked.actions, blocked.next) == (True, 3, (), None)
    now = evaluate_dunning_item(invoice, POLICY, on(8, 5))
    assert now.position == 3  # the midnights of the days 4 to 8 do not count
    assert now.paused_days == ((date(2026, 3, 14), date(2026, 3, 19)),)
    assert find_next(invoice, 8, 5) == ("reminder_2", on(12))
    assert steps(evaluate_dunning_item(invoice, POLICY, on(12))) == ["reminder_2"]


def test_a_partly_disputed_invoice_goes_on() -> None:
    invoice = item(balance(1, on(-30)), balance(2, on(3), line(300, disputed=299)), taken=REMINDED[:2])
    assert evaluate_dunning_item(invoice, POLICY, on(7)).position == 7
    assert steps(evaluate_dunning_item(invoice, POLICY, on(7))) == ["reminder_2"]


def test_nothing_is_decided_at_the_moment_of_release() -> None:
    blocked = (balance(1, on(-30)), balance(2, on(6, 12), line(300, disputed=300)))
    invoice = item(*blocked, balance(3, on(9, 10)), taken=REMINDED[:1])
    assert steps(evaluate_dunning_item(invoice, POLICY, on(9, 10))) == []
    assert find_next(invoice, 9, 10) == ("reminder_1", on(10))


def test_a_fact_of_the_instant_comes_before_the_steps() -> None:
    paid = balance(2, on(7), line(0))
    assert steps(evaluate_dunning_item(item(balance(1, on(-30)), paid, taken=REMINDED[:2]), POLICY, on(7))) == []


def test_a_late_sweep_acts_only_if_the_item_is_dunnable_now_as_well() -> None:
    paid = item(balance(1, on(-30)), balance(2, on(7, 10), line(0)), taken=REMINDED[:2])
    assert steps(evaluate_dunning_item(paid, POLICY, on(7, 11))) == []
    assert steps(evaluate_dunning_item(item(taken=REMINDED[:2]), POLICY, on(7, 11))) == ["reminder_2"]


def test_only_the_furthest_missed_notice_goes_out() -> None:
    action = evaluate_dunning_item(item(), POLICY, on(15)).actions[0]
    assert (action.step, action.skipped) == ("final_notice", ("upcoming", "reminder_1", "reminder_2"))


def test_a_notice_before_one_that_went_out_is_never_sent() -> None:
    invoice = item(taken=(take_notice("reminder_2", on(7)),))
    assert steps(evaluate_dunning_item(invoice, POLICY, on(8))) == []
    assert find_next(invoice, 8) == ("final_notice", on(14))


def test_a_step_before_the_due_date_is_not_made_up_for_after_it() -> None:
    late = item(balance(1, on(-1, 12)), overdue=())
    assert find_next(late, -1, 12) == ("upcoming", on(0))
    assert steps(evaluate_dunning_item(late, POLICY, on(0))) == ["upcoming"]
    assert steps(evaluate_dunning_item(late, POLICY, on(1, 0))) == [
        "upcoming"
    ]  # the instant of day 0 is the last that passed
    assert steps(evaluate_dunning_item(late, POLICY, on(1))) == []


def test_a_step_after_the_due_date_waits_for_the_overdue() -> None:
    invoice = item(overdue=(), taken=REMINDED[:1])
    assert steps(evaluate_dunning_item(invoice, POLICY, on(1))) == []
    assert find_next(invoice, 0) == ("reminder_1", on(1))  # foreseen
    assert find_next(invoice, 1) is None  # a fact must come
    late = item(overdue=(OverdueJudgement(9, on(2, 0)),), taken=REMINDED[:1])
    assert steps(evaluate_dunning_item(late, POLICY, on(2, 8))) == []  # at nine on day 1 it was not overdue yet
    assert steps(evaluate_dunning_item(late, POLICY, on(2))) == ["reminder_1"]


def test_a_suspension_waits_for_the_days_after_a_late_final_notice() -> None:
    invoice = item(taken=(*REMINDED, take_notice("final_notice", on(18))))
    now = evaluate_dunning_item(invoice, POLICY, on(21))
    assert now.actions == ()
    assert [(d.step, d.until) for d in now.deferred] == [("suspend", on(25))]
    assert now.deferred[0].reason == "7 days since final_notice are complete on 2026-04-04"
    assert find_next(invoice, 21) == ("suspend", on(25))
    assert steps(evaluate_dunning_item(invoice, POLICY, on(25))) == ["suspend"]


def test_days_between_are_calendar_dates_and_not_hours() -> None:
    invoice = item(taken=(*REMINDED, take_notice("final_notice", on(14, 23, 59))))
    assert steps(evaluate_dunning_item(invoice, POLICY, on(21))) == ["suspend"]


@pytest.mark.parametrize("outcome", ["pending", "failed"])
def test_a_suspension_waits_for_a_notice_that_was_not_delivered(outcome: str) -> None:
    notice = TakenDunningStep("final_notice", 1, on(14), "pending" if outcome == "pending" else "failed")
    now = evaluate_dunning_item(item(taken=(*REMINDED, notice)), POLICY, on(30))
    assert (now.actions, now.next) == ((), None)
    assert [(d.step, d.until) for d in now.deferred] == [("suspend", None)]
    assert now.deferred[0].reason == f"final_notice has not reached the next hop ({outcome})"


def test_a_suspension_that_is_due_with_no_notice_sent_waits_for_it() -> None:
    now = evaluate_dunning_item(item(), POLICY, on(30))
    assert steps(now) == ["final_notice"]
    assert [(d.reason, d.until) for d in now.deferred] == [("final_notice has not gone out in this round", None)]


def test_a_suspension_names_each_dunnable_subscription() -> None:
    lines = (
        LineBalance(1, SUBSCRIPTION, 100),
        LineBalance(2, None, 50),
        LineBalance(3, OTHER, 70, disputed_minor=70),
        LineBalance(4, SUBSCRIPTION, 20),
    )
    invoice = item(balance(1, on(-30), *lines), taken=WARNED)
    assert evaluate_dunning_item(invoice, POLICY, on(21)).actions[0].subscriptions == ((SUBSCRIPTION, 120),)


def test_a_line_without_a_subscription_suspends_nothing() -> None:
    invoice = item(balance(1, on(-30), LineBalance(1, None, 300)), taken=WARNED)
    now = evaluate_dunning_item(invoice, POLICY, on(21))
    assert (now.actions, now.next) == ((), None)
    assert now.deferred[0].reason == "nothing that is dunnable belongs to a subscription"


def test_promises_cover_the_first_lines_first() -> None:
    lines = (LineBalance(2, OTHER, 100), LineBalance(1, SUBSCRIPTION, 100))
    promised = item(balance(1, on(-30), *lines), promises=(PaymentPromise(150, on(2), on(40)),), taken=WARNED)
    assert evaluate_dunning_item(promised, POLICY, on(21)).actions[0].subscriptions == ((OTHER, 50),)


def test_a_promise_that_covers_everything_stops_the_clock_until_it_ends() -> None:
    invoice = item(promises=(PaymentPromise(300, on(5), on(9, 12)),), taken=REMINDED[:2])
    assert evaluate_dunning_item(invoice, POLICY, on(8)).is_fully_blocked
    assert find_next(invoice, 8) == ("reminder_2", on(11))  # the midnights of the days 6 to 9 do not count
    assert evaluate_dunning_item(invoice, POLICY, on(11)).position == 7


def test_termination_follows_a_suspension_only() -> None:
    assert steps(evaluate_dunning_item(item(taken=SUSPENDED), POLICY, on(45))) == ["terminate"]
    assert find_next(item(taken=SUSPENDED), 30) == ("terminate", on(45))
    withdrawn = evaluate_dunning_item(item(taken=WARNED), POLICY, on(45))
    assert steps(withdrawn) == ["suspend"]
    assert withdrawn.next is not None
    assert (withdrawn.next.step, withdrawn.next.at) == ("terminate", on(46))


def test_a_reversal_is_a_new_round_from_the_position_that_it_had() -> None:
    paid, reversed_ = balance(60, on(22, 6), line(0)), balance(70, on(30, 11))
    invoice = item(balance(1, on(-30)), paid, reversed_, taken=SUSPENDED)
    now = evaluate_dunning_item(invoice, POLICY, on(30, 11))
    assert (now.round, now.position, now.overdue_at, now.stage, now.next) == (2, 22, None, None, None)
    overdue = item(
        *invoice.balances,
        overdue=(OverdueJudgement(50, on(1, 0)), OverdueJudgement(71, on(31, 0))),
        taken=invoice.taken,
    )
    now = evaluate_dunning_item(overdue, POLICY, on(31))
    assert steps(now) == ["final_notice"]
    assert now.actions[0].skipped == ("upcoming", "reminder_1", "reminder_2")
    assert now.deferred[0].step == "suspend"
    notices = (*invoice.taken, take_notice("final_notice", on(31), number=2))
    warned = item(*invoice.balances, overdue=overdue.overdue, taken=notices)
    assert find_next(warned, 32) == ("suspend", on(38))
    assert steps(evaluate_dunning_item(warned, POLICY, on(38))) == ["suspend"]


def test_a_new_round_begins_with_the_next_instant_not_the_last() -> None:
    paid, reversed_ = balance(2, on(-2, 10), line(0)), balance(3, on(-2, 11))
    invoice = item(balance(1, on(-30)), paid, reversed_, overdue=(), taken=REMINDED[:1])
    assert steps(evaluate_dunning_item(invoice, POLICY, on(-2, 11))) == []
    assert find_next(invoice, -2, 11) == ("upcoming", on(-1))


def test_a_sequence_told_twice_counts_from_the_earlier_time() -> None:
    invoice = item(balance(1, on(-30)), balance(2, on(7, 12), line(0)), balance(2, on(6), line(0)))
    assert evaluate_dunning_item(invoice, POLICY, on(7)).open_minor == 0


def test_a_higher_sequence_wins_over_a_later_time() -> None:
    invoice = item(balance(1, on(-30)), balance(3, on(5), line(0)), balance(2, on(6), line(200)))
    assert evaluate_dunning_item(invoice, POLICY, on(7)).open_minor == 0


def test_what_comes_next_names_its_rule() -> None:
    next_step = evaluate_dunning_item(item(taken=WARNED), POLICY, on(15)).next
    assert next_step is not None
    assert next_step.rule == (
        "suspend: 21 days after the due date, at 09:00 local time; final_notice at least 7 days earlier"
    )


def test_the_ladder_tells_how_each_step_stands() -> None:
    ladder = {rung.step.name: rung for rung in evaluate_dunning_item(item(taken=WARNED), POLICY, on(15)).ladder}
    assert str(ladder["suspend"].reached_on) == "2026-03-31"
    (required,) = ladder["suspend"].requirements
    assert (str(required.delivered_on), str(required.fulfilled_on)) == ("2026-03-24", "2026-03-31")
    assert ladder["reminder_1"].taken == REMINDED[1]


RELEASED = (SuspensionRelease(on(23), date(2026, 4, 5)),)
"""On the 23rd day, up to the end of the 26th."""


def test_a_release_forgets_the_suspension_and_its_final_notice_when_it_is_over() -> None:
    invoice = replace(item(taken=SUSPENDED), releases=RELEASED)
    during = evaluate_dunning_item(invoice, POLICY, on(26, 23))
    assert (steps(during), during.deferred) == ([], ())
    assert find_next(invoice, 23) == ("final_notice", on(27))
    assert steps(evaluate_dunning_item(invoice, POLICY, on(27, 0))) == []  # not at the moment at which it is over
    now = evaluate_dunning_item(invoice, POLICY, on(27))
    assert (steps(now), now.actions[0].skipped, now.position, now.round) == (["final_notice"], (), 27, 1)
    assert now.deferred[0].reason == "final_notice must go out again after the release"
    warned = replace(invoice, taken=(*SUSPENDED, take_notice("final_notice", on(27))))
    assert find_next(warned, 28) == ("suspend", on(34))
    assert steps(evaluate_dunning_item(warned, POLICY, on(33))) == []
    assert steps(evaluate_dunning_item(warned, POLICY, on(34))) == ["suspend"]
    assert evaluate_dunning_item(warned, POLICY, on(34)).attempts_by_step["final_notice"] == 2


def test_what_is_not_suspended_is_not_terminated() -> None:
    released = replace(item(taken=SUSPENDED), releases=(SuspensionRelease(on(23), date(2026, 5, 1)),))
    assert steps(evaluate_dunning_item(released, POLICY, on(45))) == []
    for effect in ("awaited", "over"):
        suspension = TakenDunningStep(
            "suspend", 1, on(21), "requested", effect="awaited" if effect == "awaited" else "over"
        )
        assert steps(evaluate_dunning_item(item(taken=(*WARNED, suspension)), POLICY, on(45))) == []


def test_a_dispute_that_is_rejected_after_the_final_notice_needs_a_new_one() -> None:
    disputed, rejected = balance(60, on(16, 12), line(300, disputed=300)), balance(61, on(16, 15), line(300))
    invoice = item(balance(1, on(-30)), disputed, rejected, taken=WARNED)
    assert find_next(invoice, 16, 15) == ("final_notice", on(17))
    assert steps(evaluate_dunning_item(invoice, POLICY, on(17))) == ["final_notice"]
    warned = replace(invoice, taken=(*WARNED, take_notice("final_notice", on(17))))
    assert find_next(warned, 18) == ("suspend", on(24))
    assert steps(evaluate_dunning_item(warned, POLICY, on(24))) == ["suspend"]


def test_a_debit_in_flight_or_a_dispute_of_a_part_needs_no_new_final_notice() -> None:
    for blocked in (line(300, in_flight=300), line(300, disputed=299)):
        invoice = item(balance(1, on(-30)), balance(60, on(16, 12), blocked), balance(61, on(16, 15)), taken=WARNED)
        assert find_next(invoice, 17) == ("suspend", on(21))


def test_a_dispute_of_what_is_suspended_already_asks_for_no_notice() -> None:
    disputed, rejected = balance(60, on(22), line(300, disputed=300)), balance(61, on(24), line(300))
    invoice = item(balance(1, on(-30)), disputed, rejected, taken=SUSPENDED)
    assert find_next(invoice, 25) == ("terminate", on(47))
