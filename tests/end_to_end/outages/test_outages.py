"""The whole stack while a part of it is away: nothing is lost, nothing is done twice, and it goes on by itself."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local import ports
from deploy.local.stack import Stack
from sandbox import checks, topics
from sandbox.driver import SandboxDriver
from sandbox.replay import BillingProfile, register_account_with_subscription
from sandbox.storm.traffic import RetryingTransport
from shared.process.service import NAMES
from tests.builders import Client, eur, invoice
from tests.end_to_end.backbone.loops import records, sequences, until

pytestmark = pytest.mark.xdist_group("stack")
RESUMED_WITHIN = 30.0
"""Seconds from the return of what was away until nothing is left to do."""
QUESTIONS = {
    "invoicing": "/v1/accounts",
    "collections": "/v1/guard",
    "entitlements": "/v1/accounts/{account}/entitlements",
    "escalation": "/v1/cases",
}


async def register_accounts(driver: SandboxDriver, number: int) -> list[str]:
    """Register so many new accounts."""
    today = datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"]).date()
    profile = BillingProfile("EUR", "UTC", "GS-DE")
    return [
        (await register_account_with_subscription(driver, f"outage-{uuid4()}", today, profile))[0]
        for _ in range(number)
    ]


async def kept_down(stack: Stack, name: str, seconds: float) -> None:
    """Kill a program, and again as often as it is started, for so long."""
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        victim = stack.get_running_process(name)
        if victim.is_process_alive:
            os.kill(victim.pid, signal.SIGKILL)
        await asyncio.sleep(0.05)


async def readiness(http: httpx2.AsyncClient, stack: Stack, name: str) -> tuple[int, dict[str, Any]]:
    """The status and the parts of /health/ready; 0 if nobody answers."""
    try:
        answer = await http.get(stack.url(name) + "/health/ready")
    except httpx2.TransportError:
        return 0, {}
    return answer.status_code, answer.json()["parts"]


@dataclass
class Traffic:
    """Payments that are made all the time, by callers who do not give up."""

    stubborn: RetryingTransport
    accounts: list[str]
    made: dict[str, list[str]] = field(default_factory=dict)
    over: bool = False

    async def pay(self, client: Client, account: str) -> None:
        """Pay one cent after the other."""
        made = self.made.setdefault(account, [])
        while not self.over:
            made.append((await client.create("/v1/payments", cent(account)))["id"])

    async def enough(self, more: int = 20) -> None:
        """Wait until each account has made so many more."""
        wanted = {account: len(self.made.get(account, [])) + more for account in self.accounts}

        async def has_reached() -> bool:
            return all(len(self.made.get(account, [])) >= number for account, number in wanted.items())

        await until(has_reached)


@asynccontextmanager
async def traffic(stack: Stack, accounts: list[str]) -> AsyncIterator[Traffic]:
    """Payments of each account until the block ends; then the payment in hand of each is finished."""
    load = Traffic(RetryingTransport(), accounts)
    async with httpx2.AsyncClient(transport=load.stubborn, base_url=stack.url("invoicing"), timeout=10) as http:
        client = Client(http, stack.token("invoicing"))
        payers = [asyncio.create_task(load.pay(client, account)) for account in accounts]
        try:
            yield load
        finally:
            load.over = True
            await asyncio.gather(*payers)
    assert load.stubborn.broken == []


async def whole(stack: Stack, driver: SandboxDriver, load: Traffic) -> None:
    """Everything settles in time; each payment that was answered is there once, in order, wherever it must be."""
    await driver.monitor.wait_until_settled(within=RESUMED_WITHIN)
    events = await topics.read_all_events(stack.kafka_access)
    findings = await checks.list_stack_findings(stack, events)
    assert not any(findings.values()), findings
    paid = [event for event in events if event.name == "PaymentReceived"]
    raw = await records(stack.kafka, "invoicing.events")
    for account in load.accounts:
        announced = [event.payload["payment_id"] for event in paid if event.subject == account]
        assert sorted(announced) == sorted(load.made[account])
        order = list(dict.fromkeys(sequences(raw, account)))
        assert order == sorted(order)


async def test_the_broker_is_killed_and_away_for_20_seconds(stack: Stack, driver: SandboxDriver) -> None:
    accounts = await register_accounts(driver, 3)
    said: set[str] = set()
    async with traffic(stack, accounts) as load, httpx2.AsyncClient(timeout=10) as http:
        await load.enough()
        away = asyncio.create_task(kept_down(stack, "kafka", 20))
        while not away.done():
            await load.enough(5)
            status, parts = await readiness(http, stack, "invoicing")
            said |= {name for name, part in parts.items() if status == 503 and not part["ok"]}
            assert (await http.get(stack.url("invoicing") + "/health/live")).status_code == 200
        assert load.stubborn.again == 0  # the API goes on accepting
        assert said == {"relay", "consumer"}

        async def is_back() -> bool:
            return ports.is_port_answering(int(stack.kafka.rpartition(":")[2]))

        await until(is_back)
    await whole(stack, driver, load)


async def test_postgres_is_killed_and_away_for_10_seconds(stack: Stack, driver: SandboxDriver) -> None:
    accounts = await register_accounts(driver, 3)
    before = {name: stack.get_running_process(name) for name in NAMES}
    answers: set[tuple[str, int, str | None]] = set()
    async with traffic(stack, accounts) as load, httpx2.AsyncClient(timeout=10) as http:
        await load.enough()
        away = asyncio.create_task(kept_down(stack, "postgres", 10))
        while not away.done():
            asked = [asyncio.create_task(ask(http, stack, name, accounts[0])) for name in NAMES]
            answers |= set(await asyncio.gather(*asked))
            assert (await http.get(stack.url("clock") + "/v1/clock")).status_code in (200, 503)
        await load.enough()
    assert {answer for answer in answers if answer[1] != 200} == {(name, 503, "1") for name in NAMES}
    await whole(stack, driver, load)
    assert {name: stack.get_running_process(name) for name in NAMES} == before  # nobody had to be started again


async def ask(http: httpx2.AsyncClient, stack: Stack, name: str, account: str) -> tuple[str, int, str | None]:
    """Ask a service something that it needs its database for: who answers, how, and when to come again."""
    headers = {"authorization": f"Bearer {stack.token(name)}"}
    answer = await http.get(stack.url(name) + QUESTIONS[name].format(account=account), headers=headers)
    status, parts = await readiness(http, stack, name)
    assert (status == 200) == all(part["ok"] for part in parts.values())
    return name, answer.status_code, answer.headers.get("retry-after")


async def test_every_service_ends_in_good_order_when_told_under_load(stack: Stack, driver: SandboxDriver) -> None:
    accounts = await register_accounts(driver, 3)
    seen = len(stack.read_program_log("launcher"))
    async with traffic(stack, accounts) as load, httpx2.AsyncClient(timeout=10) as http:
        for name in NAMES:
            await load.enough()
            victim = stack.get_running_process(name)
            os.kill(victim.pid, signal.SIGTERM)
            async with asyncio.timeout(10):
                while victim.is_process_alive:  # noqa: ASYNC110  # another process' end
                    await asyncio.sleep(0.01)
            await until(partial(is_ready, http, stack, name))
    log = stack.read_program_log("launcher")[seen:]
    assert {name for name in NAMES if f"{name} ended with 0;" in log} == set(NAMES), log
    await whole(stack, driver, load)


async def is_ready(http: httpx2.AsyncClient, stack: Stack, name: str) -> bool:
    return (await readiness(http, stack, name))[0] == 200


async def test_two_hundred_at_once_for_two_accounts_hold_nobody_else_up(stack: Stack, driver: SandboxDriver) -> None:
    billed, paying, *others = await register_accounts(driver, 6)
    limits = httpx2.Limits(max_connections=250)
    async with httpx2.AsyncClient(base_url=stack.url("invoicing"), timeout=30, limits=limits) as http:
        client = Client(http, stack.token("invoicing"))
        alone = await asyncio.gather(*(time_payment(client, account) for account in others * 10))
        waits: dict[str, list[float]] = {account: [] for account in others}

        async def rush_in(path: str, body: dict[str, Any]) -> int:
            requests = 0
            while not requests or sum(map(len, waits.values())) < 20:
                await insist(client, path, body)
                requests += 1
            return requests

        # Payments of an account are done together, invoices one after the other.
        invoices = asyncio.gather(*(rush_in("/v1/invoices", invoice(billed, 1)) for _ in range(150)))
        payments = asyncio.gather(*(rush_in("/v1/payments", cent(paying)) for _ in range(50)))

        async def go_on(account: str) -> None:
            while not (invoices.done() and payments.done()):
                waits[account].append(await time_payment(client, account))

        await asyncio.gather(*(go_on(account) for account in others))
        events = {billed: 2 + sum(await invoices), paying: 2 + sum(await payments)}
    # A machine that has other things to do is slow for each of them without a rush, too, and now and then for one.
    assert max(median(waited) for waited in waits.values()) < max(1.0, 3 * median(alone))
    await driver.monitor.wait_until_settled()
    raw = await records(stack.kafka, "invoicing.events")
    for account, count in events.items():
        assert sequences(raw, account) == list(range(1, count + 1)), "account, subscription, and each request once"


def cent(account: str) -> dict[str, Any]:
    """The body of a payment."""
    return {"account_id": account, "amount": eur(1)}


async def insist(client: Client, path: str, body: dict[str, Any]) -> None:
    """Send a request, and again when the answer says, as long as too many act on the account at once (503).

    A connection that rested is closed by the server after a while, perhaps as it is used again: then at once.
    """
    key = str(uuid4())
    while True:
        try:
            answer = await client.post(path, body, key=key)
        except httpx2.ReadError:
            continue
        if answer.status_code != 503:
            break
        await asyncio.sleep(float(answer.headers["retry-after"]))
    assert answer.status_code == 201, answer.text


async def time_payment(client: Client, account: str) -> float:
    """Pay; how long it took (seconds)."""
    began = time.monotonic()
    await client.create("/v1/payments", cent(account))
    return time.monotonic() - began
