"""`python -m sandbox.hours [--draw]`: a good hour and a bad one on a stack that Prometheus watches.

What dashboards show of them is what is looked at in docs/dashboards, and what their test asks for. To be short, every
duration of the rules is a `SPEED`th of what it is in production: an hour of theirs is two minutes here. Figures
are read once a second.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import httpx2
import typer
import uvloop
from aiokafka import AIOKafkaProducer

from deploy.local import monitoring
from deploy.local.stack import Stack, remove_stack_folder
from deploy.local.state import StackState
from sandbox import clock
from sandbox.driver import Action, SandboxDriver
from sandbox.replay import BillingProfile, register_account_with_subscription
from sandbox.storm.__main__ import START, StackStorm, open_storm
from sandbox.storm.proxies import TcpProxies
from sandbox.storm.schedule import PROXIED, StormStrike
from shared.base.connections.kafka import build_kafka_options
from shared.events import invoicing

SPEED = 30
HOUR = 3600 / SPEED
SEED = 7
BETWEEN_HOLDS = 1.0
"""Seconds for which a hold stands, and for which none does, while the vendor's calls are watched."""
FIGURES_EVERY = monitoring.shorten_scraping(SPEED)
"""Seconds from one figure to the next."""
LATE_WITHIN = 150.0
"""Seconds from the beginning in which somebody is late, however slow the machine is."""
VARIABLES: Mapping[str, str] = {
    clock.START: f"{START - timedelta(days=1):%Y-%m-%dT%H:%M:%S}",
    monitoring.QUICK_VARIABLE: str(SPEED),
    "GOODSTANDING_METRICS_INTERVAL": str(FIGURES_EVERY),
}
"""What the processes of the stack are told beside what it tells them itself."""


@dataclass(frozen=True)
class GoodAndBadHours:
    """When both were, in seconds since 1970; and where the Prometheus is that knows."""

    prometheus: str
    good: tuple[float, float]
    bad: tuple[float, float]


@contextmanager
def open_proxied_stack(folder: Path) -> Iterator[tuple[Stack, TcpProxies]]:
    """A stack whose services are reached through proxies, as in a storm, and that is watched quickly."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(VARIABLES)
    try:
        port = partial(_port, StackState(folder))
        with (
            TcpProxies(PROXIED, port) as proxies,
            Stack(folder, metrics=True, proxies=proxies.ports) as stack,
        ):
            yield stack, proxies
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _port(state: StackState, name: str) -> int:
    return state.get_port("kafka-proxied" if name == "kafka" else name)


async def live_through_hours(stack: Stack, proxies: TcpProxies, hour: float = HOUR) -> GoodAndBadHours:
    """Live through both, each so many seconds long; at the end of the bad one the broker is away.

    On a slow machine the good one lasts until somebody is late: business time goes by as fast as the product follows.
    """
    async with open_storm(stack, proxies) as storm:
        storm.hasty.hasty = False
        _, subscription_id = await register_account_with_subscription(
            storm.driver, "held-in-turns", START, BillingProfile("EUR", "Europe/Berlin", "GS-DE")
        )
        besides = (_asking(stack), _hold_in_turns(stack, subscription_id))
        others = [asyncio.create_task(steady) for steady in besides]
        is_over = asyncio.Event()
        living = asyncio.create_task(_live(storm, is_over))
        began = time.time()
        await asyncio.gather(asyncio.sleep(hour), _wait_until_late(stack.url("prometheus")))
        storm.hasty.hasty = True
        turned = time.time()
        await asyncio.gather(_poison_subjects(stack), _refuse_addresses(stack), _vendor_away(stack))
        await storm.weather.strike_processes(_strikes(hour))
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        is_over.set()
        await living
        return GoodAndBadHours(stack.url("prometheus"), (began, turned), (turned, turned + hour))


async def _wait_until_late(prometheus: str) -> None:
    """Wait until Prometheus knows of somebody who is late. Raises TimeoutError."""
    query = {"query": "sum(goodstanding_dunning_cases) > 0"}
    async with asyncio.timeout(LATE_WITHIN), httpx2.AsyncClient(timeout=5) as http:
        while True:
            answer = await http.get(f"{prometheus}/api/v1/query", params=query)
            if answer.json()["data"]["result"]:
                break
            await asyncio.sleep(FIGURES_EVERY)


async def _live(storm: StackStorm, is_over: asyncio.Event) -> None:
    begin = datetime.combine(START, datetime.min.time(), UTC)
    for month in range(60):
        storm.patient.at(begin + timedelta(days=30 * month + 3, hours=11), _plan_besides(storm, month))
    await storm.live_through_traffic(SEED, is_over.is_set)


async def _asking(stack: Stack) -> None:
    """Others ask too, steadily and whether or not they are answered."""
    questions = {
        "invoicing": "/v1/accounts",
        "collections": "/v1/guard",
        "entitlements": f"/v1/accounts/{uuid4()}/entitlements",
        "escalation": "/v1/cases",
    }
    bearers = {name: {"authorization": f"Bearer {stack.token(name)}"} for name in questions}
    async with httpx2.AsyncClient(timeout=5) as http:

        async def ask(name: str) -> None:
            while True:
                with contextlib.suppress(httpx2.HTTPError):
                    await http.get(stack.url(name) + questions[name], headers=bearers[name])
                await asyncio.sleep(0.1)

        await asyncio.gather(*(ask(name) for name in questions))


async def _hold_in_turns(stack: Stack, subscription_id: str) -> None:
    """Place a hold and release it, again and again: the vendor is called in both hours, however fast time goes by."""
    token, hold_id, key = stack.token("entitlements"), None, str(uuid4())
    async with httpx2.AsyncClient(base_url=stack.url("entitlements"), timeout=5) as http:
        while True:
            path, body = f"/v1/holds/{hold_id}:release", {"reason": "its turn is over"}
            if hold_id is None:
                path, body = "/v1/holds", {"subscription_id": subscription_id, "reason": "admin", "owner": "operations"}
            headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
            with contextlib.suppress(httpx2.HTTPError):
                answer = await http.post(path, json=body, headers=headers)
                if answer.is_success:
                    hold_id, key = answer.json()["id"] if hold_id is None else None, str(uuid4())
            await asyncio.sleep(BETWEEN_HOLDS)


def _plan_besides(storm: StackStorm, month: int) -> Action:
    """Plan what the ledger has not: a customer with a problem, one who pays too much, one held for fraud, and one
    with a plan of whom we owe the vendor. In a good hour each problem is answered."""

    async def besides(driver: SandboxDriver) -> None:
        today = datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"]).date().isoformat()
        profile = BillingProfile("EUR", "Europe/Berlin", "GS-DE")
        reference = f"besides-{month}-{uuid4()}"
        account_id, subscription_id = await register_account_with_subscription(
            driver, reference, date.fromisoformat(today), profile
        )
        paid = {"account_id": account_id, "amount": {"amount_minor": 12_500, "currency": "EUR"}}
        await driver.post("invoicing", "/v1/payments", paid)
        await _buys(driver, account_id, reference, today)
        for kind in ({"kind": "technical", "severity": "ABC"[month % 3]}, {"kind": "billing_question"}):
            case_body = {"account_id": account_id, "subject": "It does not work", **kind}
            case = (await driver.post("escalation", "/v1/cases", case_body))["id"]
            if not storm.hasty.hasty:
                contact = {"channel": "email", "about_outcome": False, "comment": "we look at it"}
                await driver.post("escalation", f"/v1/cases/{case}/contacts", contact)
        if month % 4 == 0:
            hold = {"subscription_id": subscription_id, "reason": "fraud", "owner": "risk"}
            await driver.post("entitlements", "/v1/holds", hold)

    return besides


async def _buys(driver: SandboxDriver, account_id: str, reference: str, today: str) -> None:
    """A year of a plan that the vendor bills us for."""
    cost = {"unit_cost_minor": 820, "currency": "USD", "period_months": 1}
    version = {"effective_from": "2024-01-01", "term_months": 12, "vendor": cost}
    version |= {"prices": {"EUR": {"unit_price_minor": 1008}}}
    plan = await driver.post("invoicing", "/v1/plans", {"code": reference, "name": "Premium", "version": version})
    tenant, bought = f"tenant-{reference}", f"plan-{reference}"
    await driver.put("vendor", f"/sandbox/customers/{tenant}/subscriptions/{bought}", {"autoRenewEnabled": True})
    ids = {"vendor_customer_id": tenant, "vendor_subscription_id": bought}
    body = {"account_id": account_id, "quantity": 5, "start": today, **ids}
    await driver.post("invoicing", f"/v1/plans/{plan['id']}/subscriptions", body)


def _strikes(hour: float) -> list[StormStrike]:
    """Each lasts long enough to be seen, and ends before the next begins; the last is seen at the end of the hour."""
    return [
        StormStrike(0.08 * hour, "freeze", "vendor", 0.12 * hour),
        StormStrike(0.26 * hour, "freeze", "kafka", 0.10 * hour),
        StormStrike(0.40 * hour, "reset", "kafka"),
        StormStrike(0.44 * hour, "kill", "collections"),
        StormStrike(0.50 * hour, "kill", "entitlements"),
        StormStrike(0.56 * hour, "freeze", "postgres", 0.09 * hour),
        StormStrike(0.68 * hour, "reset", "postgres"),
        StormStrike(0.72 * hour, "kill", "postgres"),
        StormStrike(0.78 * hour, "freeze", "escalation", 0.06 * hour),
        StormStrike(0.86 * hour, "freeze", "kafka", 0.16 * hour),
    ]


async def _vendor_away(stack: Stack) -> None:
    async with httpx2.AsyncClient() as http:
        for fault, times in (("503", 40), ("429", 20), ("409", 10)):
            body = {"fault": fault, "times": times, "retry_after": 0}
            (await http.post(f"{stack.url('vendor')}/sandbox/faults", json=body)).raise_for_status()


async def _refuse_addresses(stack: Stack) -> None:
    """Addresses that the mail hop does not take, for good."""
    async with httpx2.AsyncClient() as http:
        for number in range(1, 41, 3):
            for year in range(8):
                body = {"recipient": f"billing@y{year}-account-{number:02}.example", "reply": 550, "times": 50}
                (await http.post(f"{stack.url('mailbox')}/v1/faults", json=body)).raise_for_status()


async def _poison_subjects(stack: Stack) -> None:
    """Events that no handler can read, each about a subject of its own; and one that is followed by another."""
    async with AIOKafkaProducer(**build_kafka_options(stack.kafka_access)) as producer:
        for _ in range(3):
            subject = str(uuid4())
            for sequence in (1, 2):
                headers = [(name, value.encode()) for name, value in _headers(subject, sequence).items()]
                await producer.send_and_wait("invoicing.events", b"{}", subject.encode(), headers=headers)


def _headers(subject: str, sequence: int) -> dict[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": "/goodstanding/invoicing",
        "ce_type": invoicing.InvoiceBalanceChanged.type(),
        "ce_subject": subject,
        "ce_sequence": str(sequence),
        "ce_time": START.isoformat() + "T00:00:00+00:00",
    }


def main(
    hour: Annotated[float, typer.Option(help="seconds for each of both")] = HOUR,
    draw: Annotated[bool, typer.Option(help="draw the dashboards while Prometheus still answers")] = False,
) -> None:
    """Live through both on a fresh stack, say when they were, perhaps draw them, and end."""
    folder = Path(tempfile.mkdtemp(prefix="goodstanding-hours-"))
    with open_proxied_stack(folder) as (stack, proxies):
        times = asdict(uvloop.run(live_through_hours(stack, proxies, hour)))
        typer.echo(json.dumps(times))
        (folder / "hours.json").write_text(json.dumps(times))
        if draw:
            subprocess.run((sys.executable, "-m", "deploy.grafana.pictures", str(folder / "hours.json")), check=True)
    remove_stack_folder(folder)


if __name__ == "__main__":
    typer.run(main)
