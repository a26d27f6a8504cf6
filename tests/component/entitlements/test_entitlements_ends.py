"""The end of a subscription ends access, at the account's midnight; the vendor renews nothing any more."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import AccountChanged, AccountRegistered
from shared.persistence.database import Unit
from tests.builders import Database, build_registered, message, sweep, work
from tests.component.entitlements_world import World, a_world, refusal

TODAY = date(2026, 3, 2)


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with a_world(database, keys, jwks_file) as world:
        await world.hear(account(world, AccountRegistered, "Europe/Berlin"))
        yield world


def account(world: World, event: type[AccountRegistered], time_zone: str) -> AccountRegistered:
    """Make the event of the account in a time zone."""
    return event.model_validate(build_registered(world.account_id, time_zone=time_zone).model_dump())


async def end_and_work(world: World, days: int = 0) -> dict[str, Any]:
    """Let time pass, do all that is due, and ask for access."""
    if days:
        await world.database.move(days=days)
    await sweep(world.runtime)
    await work(world.runtime)
    return await world.access()


async def test_access_ends_at_midnight_of_the_account_and_the_vendor_renews_no_more(world: World) -> None:
    await world.hear(world.make_ended(date(2026, 3, 5)))
    access = await end_and_work(world)
    assert (access["allowed"], access["ended_on"]) == (True, "2026-03-05")
    assert (world.vendor.renewal()[0], world.vendor.subscription.status) == (False, "active")
    await world.database.move(datetime(2026, 3, 4, 22, 59, 59, tzinfo=UTC))
    assert (await end_and_work(world))["allowed"] is True
    await world.database.move(datetime(2026, 3, 4, 23, 0, tzinfo=UTC))  # 00:00 in Berlin
    access = await end_and_work(world)
    assert (access["allowed"], access["since"], access["holds"]) == (False, "2026-03-04T23:00:00Z", [])
    (ended,) = await world.events("EntitlementEnded")
    assert (ended["subscription_id"], ended["ended_on"], ended["term_end"]) == (
        str(world.subscription_id),
        "2026-03-05",
        "2027-03-01",
    )
    calls = len(world.wire.calls)
    await end_and_work(world, days=40)
    assert (len(world.wire.calls), await world.is_pending()) == (calls, False)
    assert len(await world.events("EntitlementEnded")) == 1


async def test_what_has_ended_already_ends_at_once(world: World) -> None:
    await world.hear(world.make_ended(TODAY))
    assert (await world.access())["allowed"] is False
    assert await world.state() == "ended"


async def test_an_end_moves_with_the_time_zone_until_it_has_come(world: World) -> None:
    await world.hear(world.make_ended(date(2026, 3, 5)))
    await world.hear(account(world, AccountChanged, "America/New_York"))
    await world.database.move(datetime(2026, 3, 5, 4, 59, tzinfo=UTC))
    assert (await end_and_work(world))["allowed"] is True
    await world.database.move(datetime(2026, 3, 5, 5, 0, tzinfo=UTC))
    assert (await end_and_work(world))["allowed"] is False
    await world.hear(account(world, AccountChanged, "Pacific/Honolulu"))
    assert (await end_and_work(world))["since"] == "2026-03-05T05:00:00Z"


async def test_a_released_hold_gives_nothing_back_after_the_end(world: World) -> None:
    await world.suspend()
    await world.hear(world.make_ended(TODAY))
    await end_and_work(world)
    await world.hear(world.build_reinstatement_request())
    access = await end_and_work(world)
    assert (access["allowed"], access["holds"], world.vendor.subscription.status) == (False, [], "suspended")
    assert world.vendor.effects == {"suspended": 1}


async def test_auto_renew_is_not_put_back_after_a_suspension_of_what_will_end(world: World) -> None:
    await world.suspend()
    await world.hear(world.make_ended(date(2026, 4, 1)))
    await work(world.runtime)
    await world.hear(world.build_reinstatement_request())
    access = await end_and_work(world)
    assert (access["allowed"], world.vendor.subscription.status, world.vendor.renewal()[0]) == (True, "active", False)
    assert "RenewalSettingsNotRestored" not in await world.list_event_names()


async def test_what_has_ended_cannot_be_suspended_and_collections_learns_it(world: World) -> None:
    await world.hear(world.make_ended(TODAY))
    await end_and_work(world)
    await world.hear(world.build_suspension_request(uuid4()))
    await work(world.runtime)
    (refused,) = await world.events("SuspensionRefusedByVendor")
    assert (refused["vendor_code"], refused["suspension_id"]) == ("subscription_ended", str(world.suspension_id))
    assert (world.vendor.subscription.status, await world.is_pending()) == ("active", False)


async def test_a_vendor_that_refuses_to_switch_auto_renew_off_is_reported_once(world: World) -> None:
    world.wire.faults["PATCH"] = [refusal(400, 800040)]
    await world.hear(world.make_ended(date(2026, 3, 5)))
    access = await end_and_work(world)
    assert access["vendor"]["failure"]["wanted_state"] == "auto_renew_off"
    (failed,) = await world.events("VendorSyncFailed")
    assert (failed["wanted_state"], failed["vendor_code"]) == ("auto_renew_off", "800040")
    assert (await end_and_work(world, days=5))["allowed"] is False
    assert (len(await world.events("VendorSyncFailed")), await world.is_pending()) == (1, False)


async def test_a_refused_renewal_stands_in_the_way_of_no_suspension(world: World) -> None:
    async def refuse_renewal(request: httpx2.Request) -> None:
        if request.method == "PATCH" and b'"status":"active"' in request.content:
            world.wire.faults["PATCH"] = [refusal(400, 800040)]

    world.wire.during = refuse_renewal
    await world.hear(world.make_ended(date(2026, 3, 5)))
    await work(world.runtime)
    assert len(await world.events("VendorSyncFailed")) == 1
    await world.suspend()
    assert (world.vendor.subscription.status, (await world.access())["allowed"]) == ("suspended", False)


async def test_an_end_is_not_moved_once_it_has_come(world: World) -> None:
    await world.hear(world.make_ended(TODAY))
    await world.hear(world.make_ended(date(2026, 3, 20)))
    access = await end_and_work(world)
    assert (access["allowed"], access["ended_on"]) == (False, "2026-03-02")
    assert len(await world.events("EntitlementEnded")) == 1


async def test_an_end_that_comes_while_the_vendor_is_called_is_seen_to_afterwards(world: World) -> None:
    async def end_now(request: httpx2.Request) -> None:
        if request.method == "PATCH":
            world.wire.during = None
            await world.hear(world.make_ended(TODAY))

    world.wire.during = end_now
    await world.suspend()
    access = await end_and_work(world)
    assert (access["allowed"], world.vendor.subscription.status, world.vendor.renewal()[0]) == (
        False,
        "suspended",
        False,
    )
    assert (await world.state(), await world.is_pending()) == ("ended", False)
    assert "SubscriptionSuspended" not in await world.list_event_names()
    (refused,) = await world.events("SuspensionRefusedByVendor")
    assert refused["vendor_code"] == "subscription_ended"


async def test_an_end_that_becomes_known_while_the_vendor_is_called_switches_auto_renew_off(world: World) -> None:
    async def announce_end(request: httpx2.Request) -> None:
        if request.method == "PATCH":
            world.wire.during = None
            await world.hear(world.make_ended(date(2026, 4, 1)))

    await world.suspend()
    world.wire.during = announce_end
    await world.hear(world.build_reinstatement_request())
    access = await end_and_work(world)
    assert (access["allowed"], world.vendor.subscription.status, world.vendor.renewal()[0]) == (True, "active", False)


async def test_an_end_that_was_known_and_comes_while_the_vendor_is_called_refuses_the_suspension(world: World) -> None:
    async def let_it_come(request: httpx2.Request) -> None:
        if request.method == "PATCH":
            world.wire.during = None
            await world.database.move(days=3)
            await sweep(world.runtime)

    await world.hear(world.make_ended(date(2026, 3, 5)))
    await work(world.runtime)
    world.wire.during = let_it_come
    await world.suspend()
    assert (await world.state(), await world.is_pending()) == ("ended", False)
    assert [event["vendor_code"] for event in await world.events("SuspensionRefusedByVendor")] == ["subscription_ended"]


@pytest.mark.parametrize("status", ["deleted", "expired"])
async def test_what_is_gone_at_the_vendor_is_not_changed_there(world: World, status: str) -> None:
    world.vendor.change(status=status)
    await world.hear(world.make_ended(TODAY))
    await end_and_work(world)
    assert (world.wire.methods(), await world.is_pending()) == (["GET"], False)


async def test_the_past_ends_access_and_calls_nobody(world: World) -> None:
    async def apply(unit: Unit) -> None:
        await unit.lock_subjects(world.account_id)
        event = replace(message(world.make_ended(TODAY), 2, unit.now), is_past=True)
        await world.runtime.service.handlers.handle_event(unit, event)

    await world.runtime.units.run(apply)
    access = await end_and_work(world, days=10)
    assert (access["allowed"], world.wire.calls) == (False, [])
    assert len(await world.events("EntitlementEnded")) == 1
