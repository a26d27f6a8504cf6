"""Entitlements on real Postgres: holds of several reasons, access, and events in any order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, work
from tests.component.entitlements_world import World, a_world


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with a_world(database, keys, jwks_file) as world:
        yield world


async def test_what_was_bought_may_be_used(world: World) -> None:
    assert await world.access() == {
        "subscription_id": str(world.subscription_id),
        "account_id": str(world.account_id),
        "allowed": True,
        "since": "2026-03-02T09:00:00Z",
        "ended_on": None,
        "holds": [],
        "vendor": {"state": None, "seen_at": None, "waiting_for": None, "failure": None},
    }
    await work(world.runtime)
    assert world.wire.calls == []
    assert await world.list_event_names() == ["EntitlementGranted"]


async def test_paying_does_not_lift_a_fraud_hold(world: World) -> None:
    await world.suspend()
    fraud = await world.place("fraud")
    await work(world.runtime)
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    access = await world.access()
    assert (access["allowed"], [hold["reason"] for hold in access["holds"]]) == (False, ["fraud"])
    assert world.vendor.effects == {"suspended": 1}
    assert "SubscriptionReinstated" not in await world.list_event_names()

    released = await world.release(fraud)
    assert released["released_at"] == "2026-03-02T09:00:00Z"
    await work(world.runtime)
    assert (await world.access())["allowed"] is True
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    (reinstated,) = await world.events("SubscriptionReinstated")
    assert reinstated["suspension_id"] == str(world.suspension_id)
    assert len(await world.events("SubscriptionSuspended")) == 1


async def test_a_suspension_of_what_is_suspended_already_is_announced_too(world: World) -> None:
    await world.place("fraud")
    await work(world.runtime)
    await world.suspend()
    events = await world.events("SubscriptionSuspended")
    assert [event["suspension_id"] for event in events] == [None, str(world.suspension_id)]
    assert [event["hold_reasons"] for event in events] == [["fraud"], ["fraud", "non_payment"]]
    assert world.vendor.effects == {"suspended": 1}


async def test_a_hold_by_hand_forbids_at_once_one_for_non_payment_once_confirmed(world: World) -> None:
    await world.hear(world.build_suspension_request(uuid4()))
    assert (await world.access())["allowed"] is True
    await world.place("customer_request")
    access = await world.access()
    assert (access["allowed"], access["vendor"]["state"]) == (False, None)


async def test_a_hold_says_who_and_why_and_its_comment_stays_here(world: World) -> None:
    hold_id = await world.place("admin")
    (hold,) = (await world.access())["holds"]
    assert hold == {
        "hold_id": hold_id,
        "reason": "admin",
        "owner": "risk",
        "comment": "looks odd",
        "since": "2026-03-02T09:00:00Z",
        "suspension_id": None,
        "invoice_ids": [],
    }
    rows = await world.database.rows("SELECT headers, data FROM entitlements.outbox WHERE type LIKE '%HoldPlaced%'")
    headers = orjson.loads(rows[0]["headers"])
    entry = await world.client.got(f"/v1/audit-entries/{headers['ce_actionid']}")
    assert (entry["actor"], entry["personal"]["reason"]) == ("operator", "admin")
    assert "looks odd" not in rows[0]["data"] + rows[0]["headers"]


async def test_a_hold_for_non_payment_is_neither_placed_nor_released_by_hand(world: World) -> None:
    await world.suspend()
    (hold,) = (await world.access())["holds"]
    refused = await world.client.post(f"/v1/holds/{hold['hold_id']}:release", {"reason": "please"})
    assert (refused.status_code, refused.json()["code"]) == (409, "ends_through_collections")
    body = {"subscription_id": str(world.subscription_id), "reason": "non_payment", "owner": "risk"}
    refused = await world.client.post("/v1/holds", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")


async def test_what_is_refused_changes_nothing(world: World) -> None:
    hold = await world.place()
    refused = await world.client.post(f"/v1/holds/{hold}:release", {"reason": "cleared"})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")
    assert (await world.access())["allowed"] is False
    await world.release(hold)
    fraud_desk = world.client.somebody("fraud-desk", roles="fraud")
    again = await fraud_desk.post(f"/v1/holds/{hold}:release", {"reason": "cleared"})
    assert (again.status_code, again.json()["code"]) == (409, "already_released")
    assert (await world.client.post(f"/v1/holds/{uuid4()}:release", {"reason": "x"})).status_code == 404
    assert (await world.client.get(f"/v1/access/{uuid4()}")).status_code == 404
    unknown = {"subscription_id": str(uuid4()), "reason": "fraud", "owner": "risk"}
    assert (await world.client.post("/v1/holds", unknown)).status_code == 404
    assert await world.list_event_names() == ["EntitlementGranted", "HoldPlaced", "HoldReleased"]


async def test_the_same_key_places_one_hold(world: World) -> None:
    body = {"subscription_id": str(world.subscription_id), "reason": "fraud", "owner": "risk"}
    answers = await asyncio.gather(*(world.client.post("/v1/holds", body, key="one") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["hold_id"] for answer in answers}) == 1
    assert (await world.list_event_names()).count("HoldPlaced") == 1


async def test_reading_needs_its_scope_and_writing_another(world: World, keys: SigningKeyPair) -> None:
    reader = {"authorization": f"Bearer {keys.token('entitlements', 'entitlements:read')}"}
    url = f"/v1/access/{world.subscription_id}"
    assert (await world.client.http.get(url, headers=reader)).status_code == 200
    assert (await world.client.http.get(url)).status_code == 401
    assert (await world.client.http.post("/v1/holds", json={}, headers=reader)).status_code == 403


async def test_the_entitlements_of_an_account_come_in_pages(world: World) -> None:
    for number in range(2):
        more = {"subscription_id": uuid4(), "vendor_subscription_id": f"vendor-2{number}"}
        await world.hear(world.build_activation().model_copy(update=more))
    await world.place("fraud")
    await world.place("admin")
    path = f"/v1/accounts/{world.account_id}/entitlements"
    first = await world.client.got(path, limit=2)
    rest = await world.client.got(path, limit=2, after=first["next"])
    entitlements = [*first["items"], *rest["items"]]
    assert (len(entitlements), rest["next"]) == (3, None)
    holds_by_subscription = {entitlement["subscription_id"]: len(entitlement["holds"]) for entitlement in entitlements}
    assert holds_by_subscription.pop(str(world.subscription_id)) == 2
    assert set(holds_by_subscription.values()) == {0}
    assert (await world.client.got(f"/v1/accounts/{uuid4()}/entitlements"))["items"] == []


async def test_repeated_events_change_nothing(world: World) -> None:
    requested = world.build_suspension_request(uuid4())
    await world.hear(world.build_activation(), requested, requested)
    await work(world.runtime)
    await world.hear(world.build_reinstatement_request(), world.build_reinstatement_request(), requested)
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert await world.list_event_names() == [
        "EntitlementGranted",
        "HoldPlaced",
        "SubscriptionSuspended",
        "HoldReleased",
        "SubscriptionReinstated",
    ]


async def test_causes_are_always_the_whole_list(world: World) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    await world.hear(world.build_suspension_request(first, second), world.build_suspension_request(second, third))
    (hold,) = (await world.access())["holds"]
    assert hold["invoice_ids"] == [str(second), str(third)]
    placed = await world.events("HoldPlaced")
    assert [event["invoice_ids"] for event in placed] == [[str(first), str(second)], [str(second), str(third)]]
    assert len({event["hold_id"] for event in placed}) == 1


async def test_a_suspension_may_be_heard_of_before_the_subscription(world: World) -> None:
    other = {"subscription_id": uuid4()}
    await world.hear(world.build_suspension_request(uuid4()).model_copy(update=other))
    await work(world.runtime)
    assert world.wire.calls == []
    bought = world.build_activation().model_copy(update=other | {"vendor_subscription_id": "vendor-99"})
    await world.hear(bought)
    assert await world.is_pending()
    access = await world.client.got(f"/v1/access/{other['subscription_id']}")
    assert len(access["holds"]) == 1


async def test_a_withdrawal_heard_of_first_is_remembered(world: World) -> None:
    await world.hear(world.build_withdrawal(), world.build_suspension_request(uuid4()))
    await work(world.runtime)
    assert world.wire.calls == []
    assert (await world.access())["holds"] == []
    assert await world.list_event_names() == ["EntitlementGranted"]
