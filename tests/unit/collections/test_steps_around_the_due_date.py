"""Steps on the due date and before: they need no overdue, and come no more after that day; the first instant counts."""

from datetime import datetime

import pytest

from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy import parse_collection_policy
from tests.unit.collections.facts import balance, item, on, take_notice
from tests.unit.collections.stories import standard

ON_THE_DAY = parse_collection_policy(
    "name: day\nsteps:\n"
    '  - {name: today, day: 0, at: "08:30", action: notice, template: upcoming}\n'
    '  - {name: reminder_1, day: 1, at: "08:30", action: notice, template: reminder_1}\n'
    "guard: {suspensions_per_hour: 5, share_of_accounts_percent: 10}\n"
)


@pytest.mark.parametrize(
    ("now", "steps"),
    [
        (on(0, 8), []),
        (on(0, 8, 30), ["today"]),
        (on(1, 8), ["today"]),
        (on(1, 8, 30), []),
    ],
)
def test_a_step_on_the_due_date_is_taken_until_its_time_on_the_next_day(now: datetime, steps: list[str]) -> None:
    evaluation = evaluate_dunning_item(item(overdue=()), ON_THE_DAY, now)
    assert [action.step for action in evaluation.actions] == steps


def test_what_comes_after_the_due_date_needs_the_overdue() -> None:
    taken = (take_notice("today", on(0, 8)),)
    evaluation = evaluate_dunning_item(item(overdue=(), taken=taken), ON_THE_DAY, on(0, 9))
    assert evaluation.next is not None
    assert (evaluation.next.step, evaluation.next.at) == ("reminder_1", on(1, 8, 30))
    assert evaluate_dunning_item(item(overdue=(), taken=taken), ON_THE_DAY, on(1, 9)).next is None


def test_a_step_at_the_instant_at_which_the_invoice_was_recorded_is_taken() -> None:
    evaluation = evaluate_dunning_item(item(balance(1, on(-3))), standard(), on(-3, 10))
    assert [(action.step, action.template) for action in evaluation.actions] == [("upcoming", "upcoming")]
    later = evaluate_dunning_item(item(balance(1, on(-3, 9, 1))), standard(), on(-3, 10))
    assert later.actions == ()
