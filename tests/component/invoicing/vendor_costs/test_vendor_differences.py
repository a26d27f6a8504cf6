"""The work list of what the vendor bills otherwise than we expected, and the decisions about it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.component.vendor_world import Service, at_once, read_vendor_events
from tests.vendor_files import BilledLine, expect, world


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


async def differing(service: Service, count: int) -> list[dict[str, Any]]:
    """Differences to be decided about: lines of which no customer is known."""
    _, client, database = service
    here = await world(client, database)
    lines = [BilledLine(f"unknown-{n}", subtotal=100 + n) for n in range(count)]
    await here.reconcile_lines(lines)
    return await here.differences()


async def test_a_difference_is_decided_once(service: Service) -> None:
    _, client, database = service
    (open_,) = await differing(service, 1)
    path = f"/v1/vendor-differences/{open_['id']}:decide"
    decisions = ("dispute_with_vendor", "accept")
    bodies = [{"decision": decision, "reason": f"because of {decision}"} for decision in decisions]
    answers = await at_once(service, open_["vendor_invoice_id"], path, bodies)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_decided"}
    place = [answer.status_code for answer in answers].index(200)
    decided = await client.got(f"/v1/vendor-differences/{open_['id']}")
    assert (decided["state"], decided["decision"], decided["reason"]) == (
        "decided",
        decisions[place],
        f"because of {decisions[place]}",
    )
    assert (decided["decided_by"], decided["decided_at"]) != (None, None)
    events = [
        event
        for event in await read_vendor_events(database, open_["vendor_invoice_id"])
        if event[0] == "VendorDifferenceDecided"
    ]
    ((_, headers, payload),) = events
    assert (payload["decision"], payload["difference_minor"], payload["currency"]) == (decisions[place], 100, "EUR")
    entry = await client.got(f"/v1/audit-entries/{headers['ce_actionid']}")
    assert (entry["personal"]["reason"], entry["actor"]) == (decided["reason"], decided["decided_by"])


async def test_a_decision_sent_again_is_the_same_one(service: Service) -> None:
    _, client, _ = service
    (open_,) = await differing(service, 1)
    path, body = f"/v1/vendor-differences/{open_['id']}:decide", {"decision": "accept", "reason": "small"}
    answers = [await client.post(path, body, key="decide-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_the_work_list_is_paged_and_asked(service: Service) -> None:
    _, client, _ = service
    all_ = await differing(service, 7)
    assert [difference["first_line"] for difference in all_] == list(range(2, 9))
    await client.create(f"/v1/vendor-differences/{all_[2]['id']}:decide", {"decision": "accept", "reason": "small"})
    seen: list[str] = []
    page: dict[str, Any] = {"next": None}
    while len(seen) < 20:
        after = {"after": page["next"]} if page["next"] else {}
        page = await client.got("/v1/vendor-differences", state="open", limit=2, **after)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
    assert seen == [difference["id"] for difference in all_ if difference["id"] != all_[2]["id"]]

    async def count(**asked: Any) -> int:
        return len((await client.got("/v1/vendor-differences", **asked))["items"])

    assert await count(state="decided") == 1
    assert await count(verdict="no_customer") == 7
    assert await count(verdict="price_difference") == 0
    assert await count(vendor_invoice_id=all_[0]["vendor_invoice_id"]) == 7
    assert await count(vendor_invoice_id=uuid4()) == 0
    assert await count(account_id=uuid4()) == 0
    assert (await client.get("/v1/vendor-differences", state="shut")).status_code == 422


async def test_differences_of_an_account_are_found(service: Service) -> None:
    _, client, database = service
    here = await world(client, database)
    await expect(database, [here.charge()])
    await here.reconcile_lines([BilledLine(subtotal=10091), BilledLine("vendor-9")])
    (difference,) = await here.differences(account_id=here.account_id)
    assert (difference["verdict"], difference["subscription_id"]) == ("price_difference", str(here.subscription_id))


async def test_who_is_no_customer_can_be_disputed_and_accepted(service: Service) -> None:
    _, client, _ = service
    decisions = ("dispute_with_vendor", "accept")
    for difference, decision in zip(await differing(service, 2), decisions, strict=True):
        body = {"decision": decision, "reason": "as agreed"}
        assert (await client.create(f"/v1/vendor-differences/{difference['id']}:decide", body))["decision"] == decision
