"""One payment is one trace, from the request through outboxes and Kafka to the last effect; and nobody waits for it."""

from collections import Counter
from datetime import timedelta

import pytest

from sandbox.driver import Driver
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.lifecycle.test_lifecycle import at, late_account, live_until, pay
from tests.end_to_end.operations.conftest import Watched
from tests.end_to_end.operations.receivers import CLIENT, CONSUMER, SERVER, Received, Receiver

pytestmark = pytest.mark.xdist_group("watched")

PAID = "handle goodstanding.invoicing.PaymentReceived.v1"
BALANCE = "handle goodstanding.invoicing.InvoiceBalanceChanged.v1"
GIVEN_BACK = "handle goodstanding.collections.ReinstatementRequested.v1"
REINSTATED = "handle goodstanding.entitlements.SubscriptionReinstated.v1"


def way(spans: Receiver, name: str) -> list[Received]:
    """The last span of this name with its parents, the request first."""
    found = list(spans.spans())
    by_id = {span.id: span for span in found}
    last = [span for span in found if span.name == name][-1:]
    while last and last[0].parent:
        if last[0].parent not in by_id:
            return []  # not here yet
        last.insert(0, by_id[last[0].parent])
    return last


async def test_a_payment_is_one_trace_to_its_last_effect(watched: Watched, watcher: Driver) -> None:
    account_id, _, invoice_id, due = await late_account(watcher)
    await live_until(watcher, at(due, 21))
    watched.spans.bodies.clear()
    await pay(watcher, account_id, invoice_id)
    await watcher.monitor.settled()
    await live_until(watcher, at(due, 21) + timedelta(minutes=10))  # news is gathered before it is sent

    async def arrived() -> bool:
        # Spans come in batches: those of the suspension may still come, whose last effect has the same name.
        return [one.name for one in way(watched.spans, "intent send_notice")][:1] == ["POST /v1/payments"]

    await until(arrived)
    found = way(watched.spans, "intent send_notice")
    assert [(span.service, span.name, span.kind) for span in found] == [
        ("invoicing", "POST /v1/payments", SERVER),
        ("collections", BALANCE, CONSUMER),
        ("entitlements", GIVEN_BACK, CONSUMER),
        ("entitlements", "intent sync_vendor", CLIENT),
        ("collections", REINSTATED, CONSUMER),
        ("collections", "intent send_notice", CLIENT),
    ]
    assert Counter(span.trace for span in found).most_common(1)[0][1] == len(found)
    trace = found[0].trace
    logged = watched.stack.logs("collections")
    assert f'"trace_id": "{trace}"' in logged
    assert '"event": "handled"' in logged
