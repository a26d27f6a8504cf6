"""Something is broken for real, the alert arrives at a webhook, and resolves after the repair."""

import asyncio
import re
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import promql_parser
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.jars import CHECKOUT
from sandbox.driver import SandboxDriver
from shared.base.metrics.declared import list_metric_names
from shared.events import invoicing
from shared.process.service import NAMES, load_service
from tests.contract.test_alerts import rules, selectors
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.lifecycle.course import late_account
from tests.end_to_end.operations.conftest import Watched
from tests.end_to_end.outages.test_outages import kept_down

pytestmark = pytest.mark.xdist_group("watched")


SELDOM = {
    "goodstanding_collections_open_minor",
    "goodstanding_due_work",
    "goodstanding_due_work_oldest_timestamp_seconds",
    "goodstanding_entitlements_unsettled_oldest_timestamp_seconds",
    "goodstanding_event_effect_seconds_bucket",
    "goodstanding_failed_work",
    "goodstanding_inbound_mails_waiting_oldest_timestamp_seconds",
    "goodstanding_intents_oldest_timestamp_seconds",
    "goodstanding_ledger_imbalance_minor",
    "goodstanding_outbox_oldest_timestamp_seconds",
    "goodstanding_parked_events",
    "goodstanding_postgres_oldest_transaction_timestamp_seconds",
    "goodstanding_receivables_minor",
    "goodstanding_stopped_work",
    "goodstanding_vendor_calls_total",
    "goodstanding:ledger_imbalance:units",
    "goodstanding:http_errors:ratio_rate5m",
    "goodstanding:http_errors:ratio_rate1h",
    "goodstanding:http_errors:ratio_rate6h",
}
"""What nobody tells before something has happened."""


async def wait_for_alert(watched: Watched, name: str, status: str) -> None:
    """Wait until the webhook was told that this alert is so."""

    async def has_arrived() -> bool:
        return watched.alerts.alerts().get(name) == status

    await until(has_arrived)


async def query_prometheus(watched: Watched, query: str) -> list[dict[str, Any]]:
    """Query Prometheus; the result."""
    async with httpx2.AsyncClient() as http:
        answer = await http.get(f"{watched.stack.url('prometheus')}/api/v1/query", params={"query": query})
    return list(answer.raise_for_status().json()["data"]["result"])


async def later(driver: SandboxDriver, minutes: int) -> None:
    """Let business time pass."""
    now = datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"])
    await driver.put(
        "clock", "/v1/clock", {"now": (now + timedelta(minutes=minutes)).isoformat(), "sweeps_held": False}
    )


async def test_the_watchdog_barks(watched: Watched) -> None:
    await wait_for_alert(watched, "Watchdog", "firing")


async def test_every_process_is_scraped_and_tells_what_the_rules_ask_for(
    watched: Watched, watcher: SandboxDriver
) -> None:
    async def all_up() -> bool:
        return {series["metric"]["service"] for series in await query_prometheus(watched, "up == 1")} == set(NAMES)

    await until(all_up)

    async def list_scraped() -> set[str]:
        async with httpx2.AsyncClient() as http:
            answer = await http.get(f"{watched.stack.url('prometheus')}/api/v1/label/__name__/values")
        return set(answer.json()["data"])

    wanted = {name for rule in rules() for name in selectors(promql_parser.parse(rule["expr"]))} - SELDOM

    async def all_told() -> bool:
        return wanted <= await list_scraped()

    await until(all_told)
    may = list_metric_names(figure for name in NAMES for figure in load_service(name).figures)
    assert {name for name in await list_scraped() if re.match("goodstanding_(?!.*:)", name)} <= may


async def test_a_broker_that_is_away_pages(watched: Watched, watcher: SandboxDriver) -> None:
    down = asyncio.create_task(kept_down(watched.stack, "kafka", 60))
    try:
        await wait_for_alert(watched, "BrokerAway", "firing")
    finally:
        down.cancel()
        await asyncio.gather(down, return_exceptions=True)
    await wait_for_alert(watched, "BrokerAway", "resolved")
    await watcher.monitor.wait_until_settled(within=60)


async def test_a_vendor_that_is_away_pages_and_so_does_the_payer_without_access(
    watched: Watched, watcher: SandboxDriver
) -> None:
    _, subscription_id, _, _ = await late_account(watcher)
    await watcher.monitor.wait_until_settled()
    hold = {"subscription_id": subscription_id, "reason": "customer_request", "owner": "support"}
    placed = await watcher.post("entitlements", "/v1/holds", hold)
    await watcher.monitor.wait_until_settled()
    down = asyncio.create_task(kept_down(watched.stack, "vendor", 90))
    try:
        await watcher.post("entitlements", f"/v1/holds/{placed['hold_id']}:release", {"reason": "asked for"})
        while watched.alerts.alerts().get("VendorCallsFail") != "firing":
            await later(watcher, 6)
            await asyncio.sleep(0.3)
        await wait_for_alert(watched, "PayerWithoutAccess", "firing")
    finally:
        down.cancel()
        await asyncio.gather(down, return_exceptions=True)

    async def given_back() -> bool:
        await later(watcher, 61)
        access = await watcher.get("entitlements", f"/v1/access/{subscription_id}")
        return bool(access["vendor"]["state"] == "active")

    await until(given_back)
    await wait_for_alert(watched, "PayerWithoutAccess", "resolved")
    await wait_for_alert(watched, "VendorCallsFail", "resolved")


async def poison(watched: Watched, event_id: str) -> None:
    """An event of invoicing that no handler can read, about a subject of its own."""
    subject = str(uuid4())
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": "/goodstanding/invoicing",
        "ce_type": invoicing.InvoiceBalanceChanged.type(),
        "ce_subject": subject,
        "ce_sequence": "1",
        "ce_time": "2026-01-01T00:00:00+00:00",
    }
    async with AIOKafkaProducer(bootstrap_servers=watched.stack.kafka) as producer:
        sent = [(name, value.encode()) for name, value in headers.items()]
        await producer.send_and_wait("invoicing.events", b"{}", subject.encode(), headers=sent)


def give_up(watched: Watched, service: str, event_id: str) -> None:
    """Do what the runbook says of an event that can never be applied."""
    command = (sys.executable, "-m", "deploy.local", "redrive", service, "--state", str(watched.folder))
    options = ("--skip", event_id, "--actor", "operator", "--reason", "a test")
    done = subprocess.run((*command, *options), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_poisoned_subject_is_told_until_somebody_gives_it_up(watched: Watched, watcher: SandboxDriver) -> None:
    event_id = str(uuid4())
    await poison(watched, event_id)
    await wait_for_alert(watched, "EventParked", "firing")
    heads = await query_prometheus(watched, 'sum by (service) (goodstanding_parked_events{place="head"})')
    for service in {series["metric"]["service"] for series in heads if float(series["value"][1]) > 0}:
        await asyncio.to_thread(give_up, watched, service, event_id)
    await wait_for_alert(watched, "EventParked", "resolved")
