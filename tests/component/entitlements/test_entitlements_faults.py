"""Faults and refusals of the vendor: one effect at most, and what is final is said so."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from sandbox.vendor_simulator.faults import VendorFault
from tests.builders import Database, work
from tests.component.entitlements_world import NEXT_TERM, Break, World, a_world, refusal


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with a_world(database, keys, jwks_file) as world:
        yield world


STALE = {"stale by code": refusal(400, 2055), "stale by status": refusal(412, "")}
PASSING = {
    "not ready": refusal(409, 800082),
    "parent not active": refusal(409, "27009"),
    "pending operation": refusal(409, 900278),
    "throttled": httpx2.Response(429, headers={"retry-after": "0"}),
    "broken": httpx2.Response(500, text="<html>"),
    "away": httpx2.Response(503),
    "time-out before": "before",
    "time-out after": "after",
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_what_may_pass_does_not_hide_what_there_is_to_see(world: World, fault: Break) -> None:
    world.wire.faults["GET"] = [fault, fault]
    await world.suspend()
    assert world.vendor.effects == {"suspended": 1}


@pytest.mark.parametrize("fault", (PASSING | STALE).values(), ids=(PASSING | STALE).keys())
async def test_what_may_pass_is_tried_again_with_one_effect(world: World, fault: Break) -> None:
    world.wire.faults["PATCH"] = [fault, fault]
    await world.suspend()
    assert world.vendor.effects == {"suspended": 1}
    assert len(await world.events("SubscriptionSuspended")) == 1
    await world.hear(world.build_reinstatement_request())
    world.wire.faults["PATCH"] = [fault]
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert world.vendor.renewal() == (True, NEXT_TERM)


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_a_time_out_is_repeated_under_the_same_request_id(world: World, fault: Break) -> None:
    world.wire.faults["PATCH"] = [fault, fault]
    await world.suspend()
    ids = world.wire.request_ids()
    assert len(ids) == 3
    assert len(set(ids)) == 1


async def test_what_keeps_failing_waits_for_a_later_business_time(world: World) -> None:
    world.wire.faults["PATCH"] = ["before"] * 4
    await world.suspend()
    assert world.vendor.effects == {}
    assert "cannot be reached" in (await world.access())["vendor"]["waiting_for"]
    first = world.wire.request_ids()[0]
    await world.database.move(minutes=1)
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1}
    assert set(world.wire.request_ids()) == {first}


async def test_a_long_throttle_is_honoured_though_the_intent_is_due_again(world: World) -> None:
    world.wire.faults["GET"] = [httpx2.Response(429, headers={"retry-after": "300"})]
    await world.suspend()
    await world.database.move(minutes=1)
    await work(world.runtime)
    assert world.wire.methods() == ["GET"]
    assert "overloaded" in (await world.access())["vendor"]["waiting_for"]
    assert await world.is_pending()


async def test_somebody_elses_change_is_kept(world: World) -> None:
    async def change_quantity(request: httpx2.Request) -> None:
        if request.method == "PATCH":
            world.wire.during = None
            world.vendor.change(quantity=12)

    world.wire.during = change_quantity
    await world.suspend()
    assert world.vendor.effects == {"suspended": 1}
    assert world.vendor.subscription.quantity == 12


OWN: list[dict[str, Any]] = [
    {"fault": "409", "times": 2},
    {"fault": "409", "times": 2, "code": 800082},
    {"fault": "412", "times": 2, "operation": "PATCH"},
    {"fault": "429", "times": 2, "retry_after": 0},
    {"fault": "500", "times": 2},
    {"fault": "503", "times": 2, "retry_after": 0},
    {"fault": "timeout_before", "times": 2, "hold": 0},
    {"fault": "timeout_after", "times": 2, "hold": 0, "operation": "PATCH"},
    {"fault": "202", "times": 3, "polls": 3, "retry_after": 0},
]


@pytest.mark.parametrize("fault", OWN, ids=[f"{fault['fault']} {fault.get('code', '')}".strip() for fault in OWN])
async def test_the_vendors_own_bad_days(world: World, fault: dict[str, Any]) -> None:
    for events in (world.build_suspension_request(uuid4()), world.build_reinstatement_request()):
        world.vendor.simulator.faults.add_fault(VendorFault(**fault))
        await world.hear(events)
        await work(world.runtime)
        world.vendor.simulator.faults.clear_faults()
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert world.vendor.renewal() == (True, NEXT_TERM)
    announced = await world.events("SubscriptionSuspended", "SubscriptionReinstated")
    assert [event["type"] for event in announced] == ["SubscriptionSuspended", "SubscriptionReinstated"]


async def test_an_accepted_change_that_takes_long_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.entitlements.adapters.partner_center.POLL_PAUSE", 0)
    world.vendor.simulator.faults.add_fault(VendorFault(fault="202", polls=30, retry_after=0))
    await world.suspend()
    assert world.vendor.effects == {}
    assert "accepted" in (await world.access())["vendor"]["waiting_for"]
    await world.database.move(minutes=1)
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1}
    assert len(await world.events("SubscriptionSuspended")) == 1


async def test_a_subscription_that_is_deleted_at_the_vendor(world: World) -> None:
    world.vendor.change(status="deleted")
    await world.suspend()
    assert [event["vendor_code"] for event in await world.events("SuspensionRefusedByVendor")] == ["2011"]


async def test_a_legacy_offer_keeps_its_settings_and_gets_no_second_change(world: World) -> None:
    world.vendor.change(is_new_commerce=False)
    await world.suspend()
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    assert world.wire.methods() == ["GET", "PATCH", "GET", "PATCH"]
    assert world.vendor.renewal() == (True, NEXT_TERM)


FINAL = {
    "deleted": (refusal(400, 2011), "2011"),
    "not found": (refusal(404, 20003), "20003"),
    "illegal change": (refusal(400, 800040), "800040"),
    "plan in use": (refusal(400, 900115), "900115"),
    "another 400": (refusal(400, 4711), "4711"),
    "no code": (httpx2.Response(404), "404"),
}


@pytest.mark.parametrize(("answer", "code"), FINAL.values(), ids=FINAL.keys())
async def test_a_final_refusal_to_suspend(world: World, answer: httpx2.Response, code: str) -> None:
    world.wire.faults["PATCH"] = [answer]
    await world.suspend()
    (refused,) = await world.events("SuspensionRefusedByVendor")
    assert (refused["vendor_code"], refused["suspension_id"]) == (code, str(world.suspension_id))
    assert world.wire.methods() == ["GET", "PATCH"]
    assert not await world.is_pending()
    access = await world.access()
    assert (access["allowed"], len(access["holds"])) == (True, 1)
    assert access["vendor"]["failure"]["code"] == code

    await world.hear(world.build_withdrawal())
    await work(world.runtime)
    assert (await world.access())["vendor"]["failure"] is None


@pytest.mark.parametrize(("answer", "code"), FINAL.values(), ids=FINAL.keys())
async def test_a_final_refusal_to_reinstate(world: World, answer: httpx2.Response, code: str) -> None:
    await world.suspend()
    world.wire.faults["PATCH"] = [answer]
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    (failed,) = await world.events("VendorSyncFailed")
    assert (failed["vendor_code"], failed["wanted_state"]) == (code, "active")
    assert "SubscriptionReinstated" not in await world.list_event_names()
    assert not await world.is_pending()
    assert (await world.access())["vendor"]["failure"]["wanted_state"] == "active"

    hold = await world.place("admin")
    await world.release(hold)
    await work(world.runtime)
    assert len(await world.events("SubscriptionReinstated")) == 1
    assert world.vendor.renewal() == (True, NEXT_TERM)


async def test_a_subscription_unknown_to_the_vendor(world: World) -> None:
    world.wire.faults["GET"] = [refusal(404, 20003)]
    await world.suspend()
    assert [event["vendor_code"] for event in await world.events("SuspensionRefusedByVendor")] == ["20003"]
    assert world.collections.asked == []
