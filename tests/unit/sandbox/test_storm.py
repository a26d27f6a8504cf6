"""The storm's schedule is a function of its seed, and its judge sees what was lost, doubled or invented."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.storm import judge
from sandbox.storm.schedule import LONGEST_FREEZE, PROCESSES, PROXIED, schedule_strikes
from sandbox.storm.traffic import RetryingTransport
from sandbox.topics import PublishedEvent

NOTICE = "0b7a2a52-8f0c-4b51-9c2c-1f7f2d5c9b11"


def event(name: str, **payload: Any) -> PublishedEvent:
    return PublishedEvent(name, "anybody", "account", 1, datetime(2026, 1, 1, tzinfo=UTC), "id", payload)


@given(st.integers(0, 10_000), st.floats(1, 300), st.floats(1, 300))
def test_a_seed_repeats_the_strikes_and_a_longer_storm_begins_alike(seed: int, first: float, other: float) -> None:
    short, long = sorted((first, other))
    assert schedule_strikes(seed, short) == [strike for strike in schedule_strikes(seed, long) if strike.at < short]


@given(st.integers(0, 10_000))
def test_every_strike_is_possible(seed: int) -> None:
    strikes = schedule_strikes(seed, 300)
    assert strikes
    assert [strike.at for strike in strikes] == sorted(strike.at for strike in strikes)
    for strike in strikes:
        assert strike.target in (PROXIED if strike.kind == "reset" else PROCESSES)
        assert (0 < strike.lasts <= LONGEST_FREEZE) == (strike.kind == "freeze")


def test_everything_is_struck_in_every_way_sooner_or_later() -> None:
    struck = {(strike.kind, strike.target) for strike in schedule_strikes(1, 10_000)}
    assert struck == {("reset", name) for name in PROXIED} | {(k, n) for k in ("kill", "freeze") for n in PROCESSES}


@pytest.mark.parametrize(
    ("wrong", "count"),
    [
        (["InvoiceIssued", "PaymentReceived"], 0),
        (["InvoiceIssued"], 1),
        (["InvoiceIssued", "PaymentReceived", "PaymentReceived"], 1),
        (["PaymentReceived", "DisputeOpened"], 2),
    ],
)
def test_an_action_that_was_lost_or_doubled_is_found(wrong: list[str], count: int) -> None:
    events = [event(name) for name in wrong]
    assert len(list(judge.list_miscounted_actions({"issue": 1, "pay": 1, "close_loops": 4}, events))) == count


@pytest.mark.parametrize(
    ("changes", "count"), [({"suspended": 2, "active": 1}, 0), ({"suspended": 3, "active": 1}, 1), ({}, 2)]
)
def test_a_change_at_the_vendor_that_no_event_tells_of_is_found(changes: dict[str, int], count: int) -> None:
    names = ["SubscriptionSuspended", "SubscriptionReinstated", "SubscriptionSuspended"]
    events = [event(name, subscription_id="ours") for name in names]
    effects = [{"subscription": "theirs", "changes": changes}]
    assert len(list(judge.list_vendor_mismatches(effects, {"ours": "theirs"}, events))) == count


@pytest.mark.parametrize(
    ("received", "count"),
    [([NOTICE], 0), ([NOTICE, NOTICE], 0), ([], 1), ([NOTICE, "another"], 1), (["another"], 2)],
)
def test_a_mail_without_a_notice_and_a_notice_without_a_mail_are_found(received: list[str], count: int) -> None:
    mails = [f"<{notice_id}.{'a' * 32}@goodstanding>" for notice_id in received]
    assert len(list(judge.list_mailbox_mismatches(mails, [event("NoticeSent", notice_id=NOTICE)]))) == count


@pytest.mark.parametrize("mails", [[], [f"<{NOTICE}@goodstanding>"]])
def test_a_withdrawn_notice_may_or_may_not_have_been_received(mails: list[str]) -> None:
    assert list(judge.list_mailbox_mismatches(mails, [event("NoticeWithdrawn", notice_id=NOTICE)])) == []


def test_a_death_of_our_own_is_found() -> None:
    log = "\n".join(
        f"  1.0 s  {line}; starting it again in 0.5 s"
        for line in (
            "invoicing ended with -9",
            "kafka ended with 1",
            "collections ended with 70",
            "escalation ended with 1",
        )
    )
    assert list(judge.list_unexplained_deaths(log)) == ["escalation ended with 1"]
    assert judge.count_process_deaths(log) == {"invoicing": 1, "kafka": 1, "collections": 1, "escalation": 1}


def test_why_processes_ended_is_told_of_each_log(tmp_path: Path) -> None:
    critical = '{"event": "the process ends by an error", "level": "critical", "exception": "' + "x" * 9_000 + '"}'
    (tmp_path / "invoicing.log").write_text('{"event": "started", "level": "info"}\n')
    (tmp_path / "entitlements.log").write_text(f'{{"event": "started", "level": "info"}}\n{critical}\n')
    assert list(judge.list_critical_lines(tmp_path)) == [f"entitlements: {critical[:8_000]}"]


def answering(*answers: int | Exception) -> Callable[[httpx2.Request], httpx2.Response]:
    remaining: Iterable[int | Exception] = iter(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        next_answer = next(iter(remaining))
        if isinstance(next_answer, Exception):
            raise next_answer
        return httpx2.Response(next_answer)

    return answer


async def test_a_stubborn_caller_asks_until_there_is_an_answer_and_keeps_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sandbox.storm.traffic.PAUSE", 0)
    keys = []
    answer = answering(httpx2.ConnectError("gone"), 503, 500, 409)

    def note_key(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["idempotency-key"])
        return answer(request)

    stubborn = RetryingTransport(httpx2.MockTransport(note_key))
    async with httpx2.AsyncClient(transport=stubborn, base_url="http://service") as http:
        response = await http.post("/v1/invoices", headers={"idempotency-key": "one"}, content=b"{}")
    assert response.status_code == 409
    assert keys == ["one"] * 4
    assert (stubborn.again, len(stubborn.broken)) == (3, 1)
