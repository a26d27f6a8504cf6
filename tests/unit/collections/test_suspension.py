"""The states of a suspension, what ends it, and whether it still stands."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.collections.domain.dunning_item import LineBalance, PaymentPromise, SuspensionRelease
from services.collections.domain.dunning_timeline import build_dunning_timeline
from services.collections.domain.suspension import (
    SuspensionMoveRefused,
    SuspensionState,
    SuspensionTerms,
    is_suspension_still_due,
    list_current_suspension_causes,
    list_open_suspension_causes,
    move_suspension,
)
from services.collections.domain.voided_steps import (
    VoidingCauses,
    find_customer_warned_at,
    is_invoice_blocked_since,
)
from tests.unit.collections.facts import OTHER, SUBSCRIPTION, balance, item, line, on, take_notice
from tests.unit.collections.stories import standard

POSSIBLE = {
    ("requested", "effective"),
    ("requested", "withdrawn"),
    ("effective", "ending"),
    ("effective", "ended"),
    ("ending", "ended"),
}
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(("state", "wanted"), [*itertools.product(SuspensionState, repeat=2)])
def test_every_pair_of_states(state: SuspensionState, wanted: SuspensionState) -> None:
    if (state, wanted) in POSSIBLE:
        assert move_suspension(state, wanted) == wanted
    else:
        with pytest.raises(SuspensionMoveRefused, match=f"^a suspension that is {state} cannot become {wanted}$"):
            move_suspension(state, wanted)


@pytest.mark.parametrize(
    ("line_left", "is_cause"),
    [
        (line(0), False),
        (line(1), True),
        (line(300, disputed=300), True),
        (line(300, in_flight=300), True),
        (line(0, written_off=300), True),
        (line(300, written_off=300), True),
        (LineBalance(1, OTHER, 300), False),
    ],
)
def test_only_money_or_credit_ends_a_cause(line_left: LineBalance, is_cause: bool) -> None:
    causes = frozenset({FIRST})
    open_causes = list_open_suspension_causes(causes, SUBSCRIPTION, {FIRST: balance(1, on(0), line_left)})
    assert open_causes == (causes if is_cause else frozenset())


def test_every_cause_must_end() -> None:
    balances = {FIRST: balance(1, on(0), line(0)), SECOND: balance(2, on(0), line(5))}
    assert list_open_suspension_causes(frozenset({FIRST, SECOND}), SUBSCRIPTION, balances) == {SECOND}


def test_an_unknown_balance_ends_nothing() -> None:
    assert list_open_suspension_causes(frozenset({FIRST}), SUBSCRIPTION, {}) == {FIRST}


@pytest.mark.parametrize(
    ("fresh", "still"),
    [
        (line(300), True),
        (line(300, disputed=299), True),
        (line(0), False),
        (line(300, disputed=300), False),
        (line(300, in_flight=300), False),
        (LineBalance(1, OTHER, 300), False),
    ],
)
def test_a_suspension_stands_on_the_fresh_balance(fresh: LineBalance, still: bool) -> None:
    invoice = item().add_balance(balance(9, on(21, 8), fresh))
    assert is_suspension_still_due(frozenset({FIRST}), SUBSCRIPTION, {FIRST: invoice}, {}, on(21)) is still


def test_a_promise_takes_a_suspension_down() -> None:
    promised = item(promises=(PaymentPromise(300, on(20), on(22)),))
    causes = frozenset({FIRST})
    assert not is_suspension_still_due(causes, SUBSCRIPTION, {FIRST: promised}, {}, on(21))
    assert is_suspension_still_due(causes, SUBSCRIPTION, {FIRST: promised}, {}, on(22))


def test_a_suspension_stands_on_its_own_causes_only() -> None:
    assert not is_suspension_still_due(frozenset({SECOND}), SUBSCRIPTION, {FIRST: item()}, {}, on(21))
    assert not is_suspension_still_due(frozenset({FIRST}), SUBSCRIPTION, {}, {}, on(21))


def test_a_customer_is_warned_since_the_last_notice_up_to_the_request() -> None:
    warned_again = item(taken=(take_notice("final_notice", on(14)), take_notice("final_notice", on(21))))
    required = frozenset({"final_notice"})
    assert find_customer_warned_at(warned_again, required, on(21)) == on(21)
    assert find_customer_warned_at(warned_again, required, on(20)) == on(14)
    assert find_customer_warned_at(warned_again, frozenset({"reminder_1"}), on(20)) == on(20)


def test_a_block_counts_from_its_first_instant_until_before_its_end() -> None:
    promised = item(promises=(PaymentPromise(300, on(20), on(22)),))
    timeline = build_dunning_timeline(promised, promised.list_balance_history(on(23)))
    assert is_invoice_blocked_since(timeline, on(19), on(20))
    assert not is_invoice_blocked_since(timeline, on(18), on(19))
    assert not is_invoice_blocked_since(timeline, on(22), on(23))
    assert is_invoice_blocked_since(timeline, on(21), on(23))


def test_a_release_ends_at_midnight_of_the_customer() -> None:
    """The end of 12 March in Tokyo is 15:00 of that day in UTC."""
    nothing = frozenset[str]()
    releases = (SuspensionRelease(on(1), date(2026, 3, 12)),)
    voiding = VoidingCauses(releases, (), nothing, nothing, nothing, ZoneInfo("Asia/Tokyo"))
    assert voiding.list_voiding_instants(on(0)) == [on(2, 15)]
    assert voiding.list_voiding_instants(on(2, 15)) == []


def test_what_was_promised_is_not_dunnable_for_a_day_of_the_customer_after_it() -> None:
    """The promise ends on 16 March at 01:00 in Tokyo, so the pause ends on the 17th at 01:00."""
    promised = replace(item(promises=(PaymentPromise(300, on(2), on(5, 16)),)), zone=ZoneInfo("Asia/Tokyo"))
    timeline = build_dunning_timeline(promised, promised.list_balance_history(on(5, 17)), 1)
    assert timeline.find_release_pause_end(on(5, 17)) == on(6, 16)


def test_a_cause_counts_in_its_own_round_and_while_nothing_is_known_of_it() -> None:
    """Paid on the 5th day and open again from the 8th on: that is its second round."""
    reopened = item(balance(1, on(-30)), balance(2, on(5), line(0)), balance(3, on(8)))
    items = {FIRST: reopened}
    assert list_current_suspension_causes({FIRST: 1, SECOND: 1}, items, on(9)) == {SECOND}
    assert list_current_suspension_causes({FIRST: 2, SECOND: 1}, items, on(9)) == {FIRST, SECOND}
    assert list_current_suspension_causes({FIRST: 1}, items, on(7)) == {FIRST}


def test_a_suspension_rests_on_the_terms_of_its_policy() -> None:
    policy = standard().model_copy(update={"after_release_days": 3})
    assert SuspensionTerms.from_policy(policy) == SuspensionTerms(3, frozenset({"final_notice"}))


def test_a_pause_ends_at_midnight_at_the_latest_after_a_day_of_25_hours() -> None:
    """25 October 2026 in Berlin: the promise ends at 23:30, 24.5 hours after midnight; the next day has 24."""
    ended_at = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
    promised = replace(
        item(promises=(PaymentPromise(300, datetime(2026, 10, 20, tzinfo=UTC), ended_at),)),
        zone=ZoneInfo("Europe/Berlin"),
    )
    timeline = build_dunning_timeline(promised, promised.list_balance_history(ended_at), 1)
    assert timeline.find_release_pause_end(ended_at) == datetime(2026, 10, 26, 23, tzinfo=UTC)


def test_only_what_would_be_dunnable_is_in_the_pause_after_a_release() -> None:
    """The promise ends on the 5th day at 09:00, and from 12:00 on a debit of the whole is in flight."""
    promised = (PaymentPromise(300, on(2), on(5)),)
    least = item(balance(1, on(-30), line(1)), promises=promised)
    assert build_dunning_timeline(least, least.balances, 1).find_release_pause_end(on(5)) == on(6)
    in_flight = item(balance(1, on(-30)), balance(2, on(5, 12), line(300, in_flight=300)), promises=promised)
    timeline = build_dunning_timeline(in_flight, in_flight.balances, 1)
    assert timeline.find_release_pause_end(on(5, 11)) == on(5, 12)
    assert timeline.find_release_pause_end(on(5, 13)) is None
