"""The invoices of a notice as they are stored, with what the message states; and the rules of steps in words."""

from datetime import date
from uuid import UUID

import pytest

from services.collections.domain.account import group_notices_by_message
from services.collections.domain.dunning_account import DunningAccount
from services.collections.domain.dunning_outlook import DunningOutlook, UpcomingDunningStep
from services.collections.domain.evaluated_item import evaluate_items
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.notice_items import (
    build_step_item,
    list_suspension_step_items,
    render_notice_items,
)
from services.collections.domain.policy import parse_collection_policy
from services.collections.domain.suspension import SuspensionState
from shared.events.values import StepItem
from tests.unit.collections.accounts import VERSIONS, account, suspension
from tests.unit.collections.facts import SUBSCRIPTION, item, on, take_notice
from tests.unit.collections.stories import standard

FIRST, SECOND = UUID(int=1), UUID(int=2)


def build_items(facts: DunningAccount, suspended: frozenset[UUID]) -> list[StepItem]:
    """Build the items of the notices that are due on the first day."""
    evaluations = [result.evaluation for result in evaluate_items(VERSIONS, facts, on(1))]
    (message,) = group_notices_by_message(evaluations)
    return [build_step_item(notice_item, 3, suspended) for notice_item in message.items]


def test_an_invoice_stands_in_a_notice_with_its_step_and_what_it_says_of_access() -> None:
    (first,) = build_items(account(item()), frozenset())
    assert first == StepItem(
        invoice_id=FIRST,
        number="1",
        round=1,
        step="reminder_1",
        policy_version=3,
        dunnable_minor=300,
        currency="EUR",
        template="reminder_1",
        access="ends",
    )
    (ended,) = build_items(account(item()), frozenset({SUBSCRIPTION}))
    assert ended.access == "ended"


def test_news_of_a_suspension_name_its_invoices_without_texts_of_steps() -> None:
    standing = suspension(SuspensionState.EFFECTIVE, item(), item(number="2"))
    common = {"round": 1, "step": "suspend", "policy_version": 3, "dunnable_minor": 300, "currency": "EUR"}
    assert list_suspension_step_items(standing) == [
        StepItem(invoice_id=FIRST, number="1", **common),
        StepItem(invoice_id=SECOND, number="2", **common),
    ]


def test_items_are_stored_with_what_the_message_states() -> None:
    (first,) = build_items(account(item()), frozenset())
    coming = (UpcomingDunningStep("reminder_2", "notice", "reminder_2", date(2026, 3, 17)),)
    stored = render_notice_items(
        [first, first.model_copy(update={"invoice_id": SECOND})],
        {FIRST: DunningOutlook(300, 200, (SUBSCRIPTION,), coming)},
    )
    assert stored[0] == first.model_dump(mode="json") | {
        "open_minor": 300,
        "to_pay_minor": 200,
        "subscription_ids": [str(SUBSCRIPTION)],
        "coming": [{"step": "reminder_2", "action": "notice", "template": "reminder_2", "day": "2026-03-17"}],
    }
    assert stored[1] == first.model_dump(mode="json") | {"invoice_id": str(SECOND)}


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (-30, "upcoming: 3 days before the due date, at 09:00 local time"),
        (-1, "reminder_1: 1 days after the due date, at 09:00 local time"),
        (14, "suspend: 21 days after the due date, at 09:00 local time; final_notice at least 7 days earlier"),
    ],
)
def test_the_next_step_says_its_rule(day: int, words: str) -> None:
    taken = {-30: (), -1: ("upcoming",), 14: ("upcoming", "reminder_1", "reminder_2", "final_notice")}[day]
    days = {"upcoming": -3, "reminder_1": 1, "reminder_2": 7, "final_notice": 14}
    facts = item(taken=tuple(take_notice(name, on(days[name])) for name in taken))
    coming = evaluate_dunning_item(facts, standard(), on(day, 10)).next
    assert coming is not None
    assert coming.rule == words


def test_a_step_on_the_due_date_says_so() -> None:
    policy = parse_collection_policy(
        'name: day\nsteps: [{name: upcoming, day: 0, at: "08:30", action: notice, template: upcoming}]\n'
        "guard: {suspensions_per_hour: 5, share_of_accounts_percent: 10}\n"
    )
    coming = evaluate_dunning_item(item(), policy, on(-2)).next
    assert coming is not None
    assert (coming.rule, coming.at) == ("upcoming: on the due date, at 08:30 local time", on(0, 8, 30))
