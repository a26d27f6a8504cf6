"""Actions of all items of an account together."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.collections.domain.account import (
    assess_access_statement,
    find_case_stage,
    find_next_evaluation,
    group_notices_by_message,
    group_suspensions,
    is_case_open,
    list_not_dunnable,
)
from services.collections.domain.dunning_item import ItemFacts, LineBalance, OverdueJudgement
from services.collections.domain.item_evaluation import ItemEvaluation
from services.collections.domain.item_evaluator import evaluate_dunning_item
from tests.unit.collections.facts import DUE, OTHER, SUBSCRIPTION, balance, item, line, on, take_notice
from tests.unit.collections.stories import short, standard

POLICY = standard()
WARNED = (take_notice("final_notice", on(14)),)


def evaluate_items(*items: ItemFacts, day: int, hour: int = 9) -> list[ItemEvaluation]:
    """The judgements of some items at an hour of a day."""
    return [evaluate_dunning_item(each, POLICY, on(day, hour)) for each in items]


def test_steps_of_one_instant_are_one_message_by_invoice_number() -> None:
    later = replace(item(number="2"), due_date=DUE + timedelta(days=4), overdue=())
    (message,) = group_notices_by_message(evaluate_items(later, item(), day=1))
    assert [(i.evaluation.number, i.action.step) for i in message.items] == [("1", "reminder_1"), ("2", "upcoming")]
    assert (message.at, message.main_template) == (on(1), "reminder_1")


def test_steps_of_different_instants_are_messages_of_their_own() -> None:
    policy = short("09:00", "09:00", "12:00", "09:00", "09:00", "09:00")
    younger = replace(item(number="2"), due_date=DUE + timedelta(days=3))
    late = [
        evaluate_dunning_item(each, policy, on(4, 13))
        for each in (item(taken=(take_notice("reminder_1", on(1)),)), younger)
    ]
    assert [(m.at, m.main_template) for m in group_notices_by_message(late)] == [
        (on(4), "reminder_1"),
        (on(4, 12), "final_notice"),
    ]


def test_a_subscription_is_suspended_once_with_all_its_causes() -> None:
    both = balance(1, on(-30), line(100), LineBalance(2, OTHER, 7))
    due = group_suspensions(evaluate_items(item(both, number="2", taken=WARNED), item(taken=WARNED), day=21))
    assert [(s.subscription_id, s.causes) for s in due] == [
        (SUBSCRIPTION, ((UUID(int=1), 300), (UUID(int=2), 100))),
        (OTHER, ((UUID(int=2), 7),)),
    ]
    assert {(s.step, s.at) for s in due} == {("suspend", on(21))}


def test_a_case_is_open_while_an_overdue_item_is() -> None:
    assert not is_case_open(evaluate_items(item(overdue=()), day=0))
    assert is_case_open(evaluate_items(item(overdue=(), number="2"), item(), day=1, hour=0))
    disputed = item(balance(1, on(-30)), balance(60, on(5), line(300, disputed=300)))
    assert is_case_open(evaluate_items(disputed, day=6))
    assert not is_case_open(evaluate_items(item(balance(1, on(-30)), balance(60, on(5), line(0))), day=6))


def test_the_stage_of_a_case_is_that_of_its_furthest_open_item() -> None:
    paid = item(balance(1, on(-30)), balance(60, on(15), line(0)), taken=WARNED)
    reminded = item(number="2", taken=(take_notice("reminder_1", on(1)),))
    stage = find_case_stage(evaluate_items(paid, reminded, day=16))
    assert stage is not None
    assert stage.name == "reminder_1"
    assert find_case_stage(evaluate_items(item(), day=1)) is None


def test_an_account_is_judged_again_at_its_items_first_instant() -> None:
    later = item(number="2", taken=WARNED)
    sooner = item(taken=(take_notice("reminder_1", on(1)),))
    assert find_next_evaluation(evaluate_items(later, sooner, day=3)) == on(7)
    assert find_next_evaluation([]) is None


def test_access_that_has_ended_is_not_to_end() -> None:
    both = balance(1, on(-30), line(100), LineBalance(2, OTHER, 7))
    (judgement,) = evaluate_items(item(both), day=14)
    assert assess_access_statement(judgement, ()) == "ends"
    assert assess_access_statement(judgement, {SUBSCRIPTION}) == "ends"
    assert assess_access_statement(judgement, {SUBSCRIPTION, OTHER}) == "ended"
    (without_subscription,) = evaluate_items(item(balance(1, on(-30), LineBalance(1, None, 300))), day=14)
    assert assess_access_statement(without_subscription, ()) == "unaffected"


def test_a_suspension_is_due_since_its_latest_cause() -> None:
    """The first invoice by number is due four days later, and so is its step."""
    later = replace(
        item(overdue=(OverdueJudgement(50, on(5, 0)),), taken=(take_notice("final_notice", on(18)),)),
        due_date=DUE + timedelta(days=4),
    )
    earlier = replace(item(number="2", taken=WARNED), promises=())
    (due,) = group_suspensions(
        [evaluate_dunning_item(later, POLICY, on(25)), evaluate_dunning_item(earlier, POLICY, on(25, 8))]
    )
    assert (due.at, due.causes) == (on(25), ((UUID(int=1), 300), (UUID(int=2), 300)))


def test_invoices_stand_in_a_message_by_number_whatever_their_ids() -> None:
    first, second = replace(item(), invoice_id=UUID(int=9)), replace(item(number="2"), invoice_id=UUID(int=3))
    (message,) = group_notices_by_message(evaluate_items(second, first, day=1))
    assert [notice_item.evaluation.number for notice_item in message.items] == ["1", "2"]


def test_the_stage_of_a_case_is_the_furthest_of_all_open_items() -> None:
    reminded, warned = item(taken=(take_notice("reminder_1", on(1)),)), item(number="2", taken=WARNED)
    for items in ((reminded, warned), (warned, reminded)):
        stage = find_case_stage(evaluate_items(*items, day=15))
        assert stage is not None
        assert stage.name == "final_notice"


def test_an_invoice_leaves_a_notice_when_it_is_paid_or_in_another_round() -> None:
    owing = item(balance(1, on(-30), line(1)))
    paid = item(balance(1, on(-30)), balance(60, on(5), line(0)), number="2")
    evaluations = evaluate_items(owing, paid, day=6)
    first, second, third = (UUID(int=number) for number in (1, 2, 3))
    assert list_not_dunnable([(first, 1), (second, 1), (third, 1)], evaluations) == {second, third}
    assert list_not_dunnable([(first, 2)], evaluations) == {first}
