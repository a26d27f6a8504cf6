"""Checks after a storm beside those of the end state: everything happened, and happened once."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

from sandbox import checks
from sandbox.checks import RunningStack
from sandbox.storm.traffic import PatientAgenda, RetryingTransport
from sandbox.topics import PublishedEvent
from shared.base.connections.database import connect_database

FACTS = {
    "issue": "InvoiceIssued",
    "pay": "PaymentReceived",
    "dispute": "DisputeOpened",
    "resolve": "DisputeResolved",
}
"""The fact that each action of the traffic brings about."""
KILLED, HUNG = -9, 70
"""Exit codes that a storm explains: by us, and a consumer that its watch ended."""
MAX_CRITICAL_LINE = 8_000
"""Characters of a line of a log that are shown."""
_DEATH = re.compile(r"(\w+) ended with (-?\d+);")


def list_miscounted_actions(done: Mapping[str, int], events: Sequence[PublishedEvent]) -> Iterator[str]:
    """Actions whose facts are not as many as they were."""
    facts = Counter(event.name for event in events)
    for action, fact in FACTS.items():
        if facts[fact] != done.get(action, 0):
            yield f"{done.get(action, 0)} times {action}, but {facts[fact]} {fact}"


def list_vendor_mismatches(
    effects: Sequence[Mapping[str, Any]], names: Mapping[str, str], events: Sequence[PublishedEvent]
) -> Iterator[str]:
    """Subscriptions whose status did not change at the vendor as often as events say.

    `names` are the vendor's ids of subscriptions by ours.
    """
    by_events: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.name in ("SubscriptionSuspended", "SubscriptionReinstated"):
            status = "suspended" if event.name == "SubscriptionSuspended" else "active"
            by_events[names[event.payload["subscription_id"]], status] += 1
    seen = Counter(
        {
            (subscription["subscription"], status): n
            for subscription in effects
            for status, n in subscription["changes"].items()
        }
    )
    for name, status in sorted(by_events | seen):
        if by_events[name, status] != seen[name, status]:
            yield f"{name}: {seen[name, status]} times {status} at the vendor, {by_events[name, status]} by our events"


def list_mailbox_mismatches(message_ids: Sequence[str], events: Sequence[PublishedEvent]) -> Iterator[str]:
    """Notices that were sent by our word only, or without it; the same mail may come twice.

    One that was withdrawn may have been received: by an attempt whose process died before it could say so.
    """
    sent, withdrawn = (
        {str(event.payload["notice_id"]) for event in events if event.name == name}
        for name in ("NoticeSent", "NoticeWithdrawn")
    )
    received = {message_id.strip("<>").partition("@")[0].partition(".")[0] for message_id in message_ids}
    yield from (f"{notice_id} was never received" for notice_id in sorted(sent - received))
    yield from (f"{notice_id} was received, and we do not know" for notice_id in sorted(received - sent - withdrawn))


def list_unexplained_deaths(launcher_log: str) -> Iterator[str]:
    """Processes of ours that ended by themselves."""
    for name, code in _DEATH.findall(launcher_log):
        if name not in ("postgres", "kafka") and int(code) not in (KILLED, HUNG):
            yield f"{name} ended with {code}"


def list_critical_lines(logs: Path) -> Iterator[str]:
    """List why processes ended by an error, as their logs in this folder say it."""
    for log in sorted(logs.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if '"level": "critical"' in line:
                yield f"{log.stem}: {line[:MAX_CRITICAL_LINE]}"


def count_process_deaths(launcher_log: str) -> Counter[str]:
    """How often each program was started again."""
    return Counter(name for name, _ in _DEATH.findall(launcher_log))


async def list_storm_findings(
    stack: RunningStack,
    events: Sequence[PublishedEvent],
    patient: PatientAgenda,
    stubborn: RetryingTransport,
    launcher_log: str,
) -> dict[str, list[str]]:
    """Everything that is wrong after a storm, by what should hold."""
    monitor = await connect_database(stack.database_access("monitor"))
    try:
        rows = await monitor.fetch("SELECT subscription_id, vendor_subscription_id FROM entitlements.audit_access")
    finally:
        await monitor.close()
    names = {str(row["subscription_id"]): row["vendor_subscription_id"] for row in rows}
    async with httpx2.AsyncClient(timeout=30, verify=stack.tls.make_context()) as http:
        effects = (await http.get(stack.url("vendor") + "/sandbox/effects")).raise_for_status().json()["effects"]
        mails = [message_id async for message_id in _message_ids(http, stack.url("mailbox"))]
    return await checks.list_stack_findings(stack, events) | {
        "every action happened once": list(list_miscounted_actions(patient.done, events)),
        "every change at the vendor happened once": list(list_vendor_mismatches(effects, names, events)),
        "every notice is a mail, and every mail a notice": list(list_mailbox_mismatches(mails, events)),
        "nobody was answered with a 5xx but 503": stubborn.broken,
        "nothing of ours ended by itself": list(list_unexplained_deaths(launcher_log)),
    }


async def _message_ids(http: httpx2.AsyncClient, mailbox: str) -> Any:
    after = ""
    while after is not None:
        answer = await http.get(f"{mailbox}/v1/messages", params={"after": after, "limit": 1000})
        page = answer.raise_for_status().json()
        for message in page["messages"]:
            yield message["message_id"]
        after = page["next"]
