"""The storm's schedule is a function of its seed, and its judge sees what was lost, doubled or invented."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.storm import judge
from sandbox.storm.schedule import LONGEST_FREEZE, PROCESSES, PROXIED, schedule
from sandbox.storm.traffic import Stubborn
from sandbox.topics import Published

NOTICE = "0b7a2a52-8f0c-4b51-9c2c-1f7f2d5c9b11"


def event(name: str, **data: Any) -> Published:
    return Published(name, "anybody", "account", 1, datetime(2026, 1, 1, tzinfo=UTC), "id", data)


@given(st.integers(0, 10_000), st.floats(1, 300), st.floats(1, 300))
def test_a_seed_repeats_the_strikes_and_a_longer_storm_begins_alike(seed: int, one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert schedule(seed, short) == [strike for strike in schedule(seed, long) if strike.at < short]


@given(st.integers(0, 10_000))
def test_every_strike_is_possible(seed: int) -> None:
    strikes = schedule(seed, 300)
    assert strikes
    assert [strike.at for strike in strikes] == sorted(strike.at for strike in strikes)
    for strike in strikes:
        assert strike.target in (PROXIED if strike.kind == "reset" else PROCESSES)
        assert (0 < strike.lasts <= LONGEST_FREEZE) == (strike.kind == "freeze")


def test_everything_is_struck_in_every_way_sooner_or_later() -> None:
    struck = {(strike.kind, strike.target) for strike in schedule(1, 10_000)}
    assert struck == {("reset", name) for name in PROXIED} | {(k, n) for k in ("kill", "freeze") for n in PROCESSES}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (["InvoiceIssued", "PaymentReceived"], 0),
        (["InvoiceIssued"], 1),
        (["InvoiceIssued", "PaymentReceived", "PaymentReceived"], 1),
        (["PaymentReceived", "DisputeOpened"], 2),
    ],
)
def test_an_action_that_was_lost_or_doubled_is_found(wrong: list[str], found: int) -> None:
    events = [event(name) for name in wrong]
    assert len(list(judge.lost_or_doubled({"issue": 1, "pay": 1, "close_loops": 4}, events))) == found


@pytest.mark.parametrize(
    ("changes", "found"), [({"suspended": 2, "active": 1}, 0), ({"suspended": 3, "active": 1}, 1), ({}, 2)]
)
def test_a_change_at_the_vendor_that_no_event_tells_of_is_found(changes: dict[str, int], found: int) -> None:
    told = ["SubscriptionSuspended", "SubscriptionReinstated", "SubscriptionSuspended"]
    events = [event(name, subscription_id="ours") for name in told]
    effects = [{"subscription": "theirs", "changes": changes}]
    assert len(list(judge.unlike_the_vendor(effects, {"ours": "theirs"}, events))) == found


@pytest.mark.parametrize(
    ("received", "found"),
    [([NOTICE], 0), ([NOTICE, NOTICE], 0), ([], 1), ([NOTICE, "another"], 1), (["another"], 2)],
)
def test_a_mail_without_a_notice_and_a_notice_without_a_mail_are_found(received: list[str], found: int) -> None:
    mails = [f"<{one}.{'a' * 32}@goodstanding>" for one in received]
    assert len(list(judge.unlike_the_mailbox(mails, [event("NoticeSent", notice_id=NOTICE)]))) == found


@pytest.mark.parametrize("mails", [[], [f"<{NOTICE}@goodstanding>"]])
def test_a_withdrawn_notice_may_or_may_not_have_been_received(mails: list[str]) -> None:
    assert list(judge.unlike_the_mailbox(mails, [event("NoticeWithdrawn", notice_id=NOTICE)])) == []


def test_a_death_of_our_own_is_found() -> None:
    log = "\n".join(
        f"  1.0 s  {one}; starting it again in 0.5 s"
        for one in (
            "invoicing ended with -9",
            "kafka ended with 1",
            "collections ended with 70",
            "escalation ended with 1",
        )
    )
    assert list(judge.unexplained_deaths(log)) == ["escalation ended with 1"]
    assert judge.deaths(log) == {"invoicing": 1, "kafka": 1, "collections": 1, "escalation": 1}


def answering(*answers: int | Exception) -> Callable[[httpx2.Request], httpx2.Response]:
    left: Iterable[int | Exception] = iter(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        one = next(iter(left))
        if isinstance(one, Exception):
            raise one
        return httpx2.Response(one)

    return answer


async def test_a_stubborn_caller_asks_until_there_is_an_answer_and_keeps_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sandbox.storm.traffic.PAUSE", 0)
    keys = []
    answer = answering(httpx2.ConnectError("gone"), 503, 500, 409)

    def noted(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["idempotency-key"])
        return answer(request)

    stubborn = Stubborn(httpx2.MockTransport(noted))
    async with httpx2.AsyncClient(transport=stubborn, base_url="http://service") as http:
        found = await http.post("/v1/invoices", headers={"idempotency-key": "one"}, content=b"{}")
    assert found.status_code == 409
    assert keys == ["one"] * 4
    assert (stubborn.again, len(stubborn.broken)) == (3, 1)
