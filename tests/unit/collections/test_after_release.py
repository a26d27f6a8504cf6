"""After a dispute or a promise that held an invoice wholly, it stays held for the days of the policy; paid is paid."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collections.domain.dunning_item import ItemBalance, ItemFacts, PaymentPromise, TakenDunningStep
from services.collections.domain.dunning_timeline import build_dunning_timeline
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy import Policy, PolicyDocumentRefused, parse_collection_policy
from services.collections.domain.suspension import (
    SuspensionTerms,
    is_suspension_still_due,
    list_unblocked_suspension_causes,
)
from shared.pure.calendar import ONE_DAY, find_local_instant, get_local_date
from tests.unit.collections.facts import SUBSCRIPTION, balance, item, line, on, take_notice
from tests.unit.collections.stories import AROUND_A_CHANGE, POLICIES, standard

DAYS = 3
STEPS = ("upcoming", "reminder_1", "reminder_2", "final_notice")
ISSUED = balance(1, on(-90, 0))
DISPUTED = balance(60, on(16, 12), line(300, disputed=300))
RELEASED = balance(61, on(18, 12))


def patient(days: int = DAYS) -> Policy:
    """The standard policy with days after a release."""
    return standard().model_copy(update={"after_release_days": days})


def list_notices() -> tuple[TakenDunningStep, ...]:
    """All notices up to the final one, each on its day."""
    return tuple(take_notice(name, on(day)) for name, day in zip(STEPS, (-3, 1, 7, 14), strict=True))


def walk(policy: Policy, facts: ItemFacts, last_day: int) -> list[tuple[str, int]]:
    """Judge every hour from the final notice on, taking each step; what was done, and on which day."""
    done: list[tuple[str, int]] = []
    for day in range(15, last_day + 1):
        for hour in range(24):
            for action in evaluate_dunning_item(facts, policy, on(day, hour)).actions:
                done.append((action.step, day))
                requested = TakenDunningStep(action.step, 1, on(day, hour), "requested")
                step = take_notice(action.step, on(day, hour)) if action.kind.name == "notice" else requested
                facts = replace(facts, taken=(*facts.taken, step))
    return done


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (standard(), [("final_notice", 19), ("suspend", 26)]),
        (patient(), [("final_notice", 22), ("suspend", 29)]),
    ],
)
def test_access_ends_after_the_days_and_after_a_new_final_notice_with_its_days(
    policy: Policy, expected: list[tuple[str, int]]
) -> None:
    assert walk(policy, item(ISSUED, DISPUTED, RELEASED, taken=list_notices()), 30) == expected


def test_a_promise_that_ends_is_a_release_too() -> None:
    promised = item(ISSUED, promises=(PaymentPromise(300, on(16, 12), on(18, 12)),), taken=list_notices())
    assert walk(patient(), promised, 30) == [("final_notice", 22), ("suspend", 29)]


def test_a_dispute_of_a_part_and_a_debit_in_flight_hold_nothing_longer() -> None:
    for partial in (line(300, disputed=299), line(300, in_flight=300)):
        facts = item(ISSUED, balance(60, on(16, 12), partial), RELEASED, taken=list_notices())
        assert walk(patient(), facts, 30) == walk(standard(), facts, 30)


def test_what_is_held_says_until_when_and_what_comes_next() -> None:
    facts = item(ISSUED, DISPUTED, RELEASED, taken=list_notices())
    judgement = evaluate_dunning_item(facts, patient(), on(19))
    assert (judgement.dunnable_minor, judgement.after_release_until) == (0, on(21, 12))
    assert judgement.next is not None
    assert (judgement.next.step, judgement.next.at) == ("final_notice", on(22))
    assert evaluate_dunning_item(facts, patient(), on(21, 12)).after_release_until is None
    assert evaluate_dunning_item(facts, patient(), on(18, 11)).after_release_until is None


def test_what_is_paid_meanwhile_is_paid_and_what_reopens_waits_for_the_days() -> None:
    paid, reopened = balance(62, on(19), line(0)), balance(63, on(20))
    assert evaluate_dunning_item(item(ISSUED, DISPUTED, RELEASED, paid), patient(), on(19)).open_minor == 0
    judgement = evaluate_dunning_item(item(ISSUED, DISPUTED, RELEASED, paid, reopened), patient(), on(20))
    assert (judgement.open_minor, judgement.dunnable_minor, judgement.after_release_until) == (300, 0, on(21, 12))


def test_a_suspension_does_not_stand_in_these_days_and_not_on_notices_of_before() -> None:
    facts = item(ISSUED, DISPUTED, RELEASED)
    causes, items = frozenset({facts.invoice_id}), {facts.invoice_id: facts}
    days = {facts.invoice_id: SuspensionTerms(DAYS, frozenset())}
    assert is_suspension_still_due(causes, SUBSCRIPTION, items, {}, on(19))
    assert not is_suspension_still_due(causes, SUBSCRIPTION, items, days, on(19))
    assert is_suspension_still_due(causes, SUBSCRIPTION, items, days, on(21, 12))
    assert list_unblocked_suspension_causes(causes, items, {}, on(19), on(25)) == causes
    assert list_unblocked_suspension_causes(causes, items, days, on(19), on(25)) == frozenset()


def test_what_was_blocked_after_its_notice_carries_nothing_also_where_it_was_released_before_the_request() -> None:
    """The dispute of the days 17 to 18 becomes known after the suspension was requested on the 20th."""
    facts = item(ISSUED, DISPUTED, RELEASED)
    reminder, early, in_time, late = (
        TakenDunningStep("reminder_1", 1, on(9), "sent"),
        *(TakenDunningStep("final_notice", 1, on(day), "sent") for day in (16, 19, 21)),
    )
    for required, taken, carries in (
        ({"final_notice"}, (reminder, early), False),
        ({"final_notice"}, (reminder, in_time), True),
        ({"final_notice"}, (early, late), False),  # the later one came after the request
        ({"final_notice"}, (early, in_time), True),
        ({"reminder_1", "final_notice"}, (reminder, in_time), False),
    ):
        items = {facts.invoice_id: replace(facts, taken=taken)}
        terms = {facts.invoice_id: SuspensionTerms(0, frozenset(required))}
        assert (
            list_unblocked_suspension_causes(frozenset(items), items, terms, on(20), on(25)) == frozenset(items)
        ) is carries


@given(
    where=st.sampled_from(AROUND_A_CHANGE),
    days=st.integers(1, 9),
    begins=st.integers(0, 60 * 24 * 8),
    lasts=st.integers(1, 60 * 72),
)
def test_so_many_more_local_midnights_are_held_and_no_more(
    where: tuple[str, date], days: int, begins: int, lasts: int
) -> None:
    zone = ZoneInfo(where[0])
    start = datetime.combine(where[1], time(3), UTC)
    at = [start + timedelta(minutes=minutes) for minutes in (begins, begins + lasts)]
    history = (ISSUED, ItemBalance(2, at[0], (line(300, disputed=300),)), ItemBalance(3, at[1], (line(300),)))
    facts = replace(item(*history), zone=zone, due_date=where[1])
    timeline = build_dunning_timeline(facts, history, days)
    midnights = [find_local_instant(get_local_date(start, zone) + n * ONE_DAY, time(0), zone) for n in range(40)]
    blocked = [midnight for midnight in midnights if midnight >= at[1] and not timeline.get_span_at(midnight).dunnable]
    assert len(blocked) == days
    assert all(before.end == after.start for before, after in pairwise(timeline.spans))


def test_a_policy_says_a_number_of_days_or_has_none() -> None:
    text = (POLICIES / "standard.yaml").read_text()
    assert (parse_collection_policy(text).after_release_days, parse_collection_policy(text).dispute_window_days) == (
        0,
        None,
    )
    more = parse_collection_policy(f"{text}\nafter_release_days: 3\ndispute_window_days: 60\n")
    assert (more.after_release_days, more.dispute_window_days) == (3, 60)
    for wrong in ("after_release_days: -1", "after_release_days: 91", "dispute_window_days: 0"):
        with pytest.raises(PolicyDocumentRefused):
            parse_collection_policy(f"{text}\n{wrong}\n")
