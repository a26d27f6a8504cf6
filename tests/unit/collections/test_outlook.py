"""The outlook of an item: the days on which steps come if nothing new becomes known."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from services.collections.domain.dunning_item import PaymentPromise, TakenDunningStep
from services.collections.domain.dunning_outlook import (
    UpcomingDunningStep,
    assess_dunning_outlook,
    forecast_dunning_steps,
)
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy_step import RequiredNotice
from tests.unit.collections.facts import SUBSCRIPTION, balance, item, line, on, take_notice
from tests.unit.collections.stories import short, standard

POLICY = standard()
REMINDED = (take_notice("upcoming", on(-3)), take_notice("reminder_1", on(1)), take_notice("reminder_2", on(7)))
FIRST = UpcomingDunningStep("reminder_1", "notice", "reminder_1", date(2026, 3, 11))
SECOND = UpcomingDunningStep("reminder_2", "notice", "reminder_2", date(2026, 3, 17))
FINAL = UpcomingDunningStep("final_notice", "notice", "final_notice", date(2026, 3, 24))
SUSPEND = UpcomingDunningStep("suspend", "suspend", None, date(2026, 3, 31))


def test_before_the_due_date_all_steps_are_foreseen_up_to_the_one_that_ends_access() -> None:
    late_item = item(overdue=())
    (action,) = evaluate_dunning_item(late_item, POLICY, on(-3)).actions
    assert forecast_dunning_steps(late_item, POLICY, action, on(-3)) == (FIRST, SECOND, FINAL, SUSPEND)


def test_a_final_notice_that_comes_late_moves_the_end_of_access_by_its_days() -> None:
    """Sent on the 18th position, 28 March, in the place of what was missed: seven days are over on 4 April."""
    late_item = item(taken=REMINDED[:1])
    (action,) = evaluate_dunning_item(late_item, POLICY, on(18)).actions
    assert action.skipped == ("reminder_1", "reminder_2")
    late = SUSPEND._replace(day=date(2026, 4, 4))
    assert forecast_dunning_steps(late_item, POLICY, action, on(18)) == (late,)


def test_nothing_is_foreseen_while_the_clock_stands() -> None:
    late_item = item(balance(1, on(-30), line(300)), balance(2, on(8), line(300, disputed=300)), taken=REMINDED)
    assert forecast_dunning_steps(late_item, POLICY, None, on(9)) == ()


def test_days_that_a_promise_holds_are_counted() -> None:
    """Promised in whole from the 12th to the 17th: the five midnights of 13 to 17 March are held."""
    late_item = item(taken=REMINDED[:2], promises=(PaymentPromise(300, on(2), on(7, 0, 1)),))
    days = [step.day for step in forecast_dunning_steps(late_item, POLICY, None, on(3))]
    assert days == [date(2026, 3, 22), date(2026, 3, 29), date(2026, 4, 5)]


def test_what_follows_a_suspension_is_the_decision_of_a_person() -> None:
    late_item = item(
        taken=(*REMINDED, take_notice("final_notice", on(14)), TakenDunningStep("suspend", 1, on(21), "requested"))
    )
    terminate = UpcomingDunningStep("terminate", "terminate", None, date(2026, 4, 24))
    assert forecast_dunning_steps(late_item, POLICY, None, on(21)) == (terminate,)


def test_a_prospect_states_what_is_asked_for_and_who_would_lose_access() -> None:
    late_item = item(balance(1, on(-30), line(1000, disputed=300, in_flight=200)), taken=REMINDED)
    judgement = evaluate_dunning_item(late_item, POLICY, on(8))
    prospect = assess_dunning_outlook(late_item, POLICY, judgement, None, ())
    assert (prospect.open_minor, prospect.to_pay_minor) == (1000, 500)
    assert (prospect.subscription_ids, prospect.coming) == ((SUBSCRIPTION,), (FINAL, SUSPEND))
    assert assess_dunning_outlook(late_item, POLICY, judgement, None, {SUBSCRIPTION}).subscription_ids == ()


def test_a_prospect_supposes_that_its_own_step_is_taken() -> None:
    late_item = item(taken=REMINDED[:1])
    judgement = evaluate_dunning_item(late_item, POLICY, on(18))
    prospect = assess_dunning_outlook(late_item, POLICY, judgement, judgement.actions[0], ())
    assert prospect.coming == (SUSPEND._replace(day=date(2026, 4, 4)),)


def test_a_skipped_notice_that_is_required_is_stood_for_by_the_one_that_goes_out() -> None:
    """Both required notices go out as one on 28 March: seven days are over on 4 April."""
    steps = tuple(
        step.model_copy(update={"requires": (*step.requires, RequiredNotice(notice="reminder_2", days_before=3))})
        if step.name == "suspend"
        else step
        for step in POLICY.steps
    )
    policy = POLICY.model_copy(update={"steps": steps})
    late_item = item(taken=REMINDED[:1])
    (action,) = evaluate_dunning_item(late_item, policy, on(18)).actions
    assert forecast_dunning_steps(late_item, policy, action, on(18)) == (SUSPEND._replace(day=date(2026, 4, 4)),)


def test_days_are_those_of_the_customer() -> None:
    """Half past midnight of 11 March in Berlin is 10 March in UTC."""
    berliner = replace(item(taken=REMINDED[:1]), zone=ZoneInfo("Europe/Berlin"))
    coming = forecast_dunning_steps(berliner, short(*["00:30"] * 6), None, on(0))
    assert (coming[0].step, coming[0].day) == ("reminder_1", date(2026, 3, 11))
