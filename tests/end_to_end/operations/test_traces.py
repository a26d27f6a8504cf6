"""One payment is one trace, from the request through outboxes and Kafka to the last effect; and nobody waits for it."""

from collections import Counter
from datetime import timedelta

import pytest

from sandbox.driver import SandboxDriver
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.lifecycle.course import at, late_account, live_until, pay
from tests.end_to_end.operations.conftest import Watched
from tests.end_to_end.operations.receivers import CLIENT, CONSUMER, SERVER, Received, Receiver

pytestmark = pytest.mark.xdist_group("watched")

PAID = "handle goodstanding.invoicing.PaymentReceived.v1"
BALANCE = "handle goodstanding.invoicing.InvoiceBalanceChanged.v1"
GIVEN_BACK = "handle goodstanding.collections.ReinstatementRequested.v1"
REINSTATED = "handle goodstanding.entitlements.SubscriptionReinstated.v1"


def ways(spans: Receiver, name: str) -> list[list[Received]]:
    """Each span of this name with its parents, the request first; those whose parents are not all here are left out."""
    all_spans = list(spans.spans())
    by_id = {span.id: span for span in all_spans}
    ways = []
    for last in (span for span in all_spans if span.name == name):
        way = [last]
        while way[0].parent in by_id:
            way.insert(0, by_id[way[0].parent])
        if not way[0].parent:
            ways.append(way)
    return ways


async def test_a_payment_is_one_trace_to_its_last_effect(watched: Watched, watcher: SandboxDriver) -> None:
    account_id, _, invoice_id, due = await late_account(watcher)
    await live_until(watcher, at(due, 21))
    watched.spans.bodies.clear()
    await pay(watcher, account_id, invoice_id)
    await watcher.monitor.wait_until_settled()
    await live_until(watcher, at(due, 21) + timedelta(minutes=10))  # news is gathered before it is sent

    def of_the_payment() -> list[Received]:
        # Other notices are sent meanwhile, that of the suspension too; and spans come in batches.
        sent = ways(watched.spans, "intent send_notice")
        return next((way for way in sent if {"POST /v1/payments", REINSTATED} <= {span.name for span in way}), [])

    async def has_arrived() -> bool:
        return bool(of_the_payment())

    await until(has_arrived)
    spans_found = of_the_payment()
    assert [(span.service, span.name, span.kind) for span in spans_found] == [
        ("invoicing", "POST /v1/payments", SERVER),
        ("collections", BALANCE, CONSUMER),
        ("entitlements", GIVEN_BACK, CONSUMER),
        ("entitlements", "intent sync_vendor", CLIENT),
        ("collections", REINSTATED, CONSUMER),
        ("collections", "intent send_notice", CLIENT),
    ]
    assert Counter(span.trace for span in spans_found).most_common(1)[0][1] == len(spans_found)
    trace = spans_found[0].trace
    logged = watched.stack.read_program_log("collections")
    assert f'"trace_id": "{trace}"' in logged
    assert '"event": "handled"' in logged
