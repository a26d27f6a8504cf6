"""The vendor connector: looks before it acts, asks before it suspends, and puts the renewal settings back."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx2
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process import intents
from shared.process.runtime import Runtime
from tests.builders import Database, work
from tests.component.entitlements_world import NEXT_TERM, World, a_world, refusal


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with a_world(database, keys, jwks_file) as world:
        yield world


async def crash_in_work(runtime: Runtime) -> None:
    """A worker does its intent and dies before the result is recorded; its lease runs out."""
    kind = runtime.service.intents[0]
    (intent,) = await runtime.units.run(lambda unit: intents.claim_intents(unit, 1))
    await kind.perform(runtime, intent)
    await runtime.units.run(lambda unit: unit.connection.execute("UPDATE intents SET leased_until = NULL"))


async def test_suspends_and_reinstates_with_the_renewal_settings_as_they_were(world: World) -> None:
    await world.suspend()
    assert world.vendor.effects == {"suspended": 1}
    assert world.vendor.renewal() == (False, None)
    (suspended,) = await world.events("SubscriptionSuspended")
    assert suspended["suspension_id"] == str(world.suspension_id)
    assert (suspended["hold_reasons"], suspended["vendor_bills_on"]) == (["non_payment"], True)
    access = await world.access()
    assert (access["allowed"], access["vendor"]["state"]) == (False, "suspended")

    await world.database.move(hours=5)
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert world.vendor.renewal() == (True, NEXT_TERM)
    (reinstated,) = await world.events("SubscriptionReinstated")
    assert reinstated["suspension_id"] == str(world.suspension_id)
    assert reinstated["renewal_restored"] is True
    access = await world.access()
    assert (access["allowed"], access["holds"], access["vendor"]["state"]) == (True, [], "active")
    assert access["since"].startswith("2026-03-02T14:00")
    assert access["vendor"]["seen_at"].startswith("2026-03-02T14:00")
    assert not await world.is_pending()


async def test_each_change_carries_the_whole_resource_and_its_own_request_id(world: World) -> None:
    await world.suspend()
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    assert world.vendor.subscription.quantity == 10
    assert world.wire.calls[-1].method == "GET"
    bodies = [orjson.loads(call.content) for call in world.wire.calls if call.method == "PATCH"]
    assert {body["offerName"] for body in bodies} == {"Business Premium"}
    assert len(set(world.wire.request_ids())) == 3
    correlations = [call.headers["ms-correlationid"] for call in world.wire.calls]
    assert len(set(correlations)) == len(correlations)


async def test_settings_that_stay_lost_are_announced(world: World) -> None:
    await world.suspend()

    async def switch_off_again(request: httpx2.Request) -> None:
        if request.method == "GET" and world.vendor.renewal() == (True, NEXT_TERM):
            world.vendor.change(auto_renew_enabled=False, scheduled_next_term_instructions=None)

    world.wire.during = switch_off_again
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    (missing,) = await world.events("RenewalSettingsNotRestored")
    assert missing["missing_settings"] == ["autoRenewEnabled", "scheduledNextTermInstructions"]
    assert missing["suspension_id"] == str(world.suspension_id)
    (reinstated,) = await world.events("SubscriptionReinstated")
    assert reinstated["renewal_restored"] is False
    access = await world.access()
    assert access["allowed"] is True
    assert access["vendor"]["failure"]["code"] == "renewal_settings_not_restored"


async def test_a_refused_restore_is_announced_and_access_is_back(world: World) -> None:
    await world.suspend()

    async def refuse_the_second_change(request: httpx2.Request) -> None:
        if request.method == "PATCH" and len(world.vendor.effects) == 2:
            world.wire.faults["PATCH"] = [refusal(400, 900214)]

    world.wire.during = refuse_the_second_change
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    assert [event["renewal_restored"] for event in await world.events("SubscriptionReinstated")] == [False]
    assert len(await world.events("RenewalSettingsNotRestored")) == 1


@pytest.mark.parametrize("verdict", [None, "wait"])
async def test_without_a_verdict_nothing_is_changed_at_the_vendor(world: World, verdict: str | None) -> None:
    world.collections.verdict = verdict
    await world.suspend()
    assert "PATCH" not in world.wire.methods()
    assert await world.list_event_names() == ["EntitlementGranted", "HoldPlaced"]
    access = await world.access()
    assert access["allowed"] is True
    assert "collections" in access["vendor"]["waiting_for"]
    assert await world.is_pending()

    world.collections.verdict = "stands"
    await work(world.runtime)
    assert world.vendor.effects == {}
    await world.database.move(minutes=1)
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1}
    assert (await world.access())["vendor"]["waiting_for"] is None


async def test_a_confirmation_that_cannot_be_read_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer_less(path: str) -> dict[str, str]:
        return {"detail": "as told"}

    with monkeypatch.context() as patch:
        patch.setattr(world.collections, "get", answer_less)
        await world.suspend()
        assert world.vendor.effects == {}
        waiting = (await world.access())["vendor"]["waiting_for"]
        assert waiting == "the answer is no SuspensionConfirmation: verdict (missing)"
        assert await world.is_pending()
    await world.database.move(minutes=1)
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1}


async def test_a_withdrawn_suspension_is_not_carried_out(world: World) -> None:
    world.collections.verdict = "withdrawn"
    await world.suspend()
    assert "PATCH" not in world.wire.methods()
    assert not await world.is_pending()
    assert (await world.access())["allowed"] is True
    await world.hear(world.build_withdrawal())
    await work(world.runtime)
    assert await world.list_event_names() == ["EntitlementGranted", "HoldPlaced", "HoldReleased"]


async def test_one_of_several_suspensions_that_stands_is_enough(world: World) -> None:
    world.collections.verdicts = {world.suspension_id: "withdrawn"}
    other = uuid4()
    await world.hear(
        world.build_suspension_request(uuid4()), world.build_suspension_request(uuid4(), suspension_id=other)
    )
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1}


async def test_fraud_needs_no_question_and_does_not_wait_for_one(world: World) -> None:
    world.collections.verdict = None
    await world.suspend()
    assert world.vendor.effects == {}
    asked = len(world.collections.asked)
    await world.place("fraud")
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1}
    assert len(world.collections.asked) == asked


async def test_a_restart_after_the_effect_looks_first_and_changes_nothing_twice(world: World) -> None:
    await world.hear(world.build_suspension_request(uuid4()))
    await crash_in_work(world.runtime)
    assert (world.vendor.effects, await world.state()) == ({"suspended": 1}, "suspending")
    assert "SubscriptionSuspended" not in await world.list_event_names()
    await work(world.runtime)
    assert (world.vendor.effects, await world.state()) == ({"suspended": 1}, "suspended")
    assert len(await world.events("SubscriptionSuspended")) == 1

    await world.hear(world.build_reinstatement_request())
    await crash_in_work(world.runtime)
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert world.vendor.renewal() == (True, NEXT_TERM)
    assert len(await world.events("SubscriptionReinstated")) == 1


async def test_a_restart_keeps_the_first_snapshot_though_it_is_wanted_no_more(world: World) -> None:
    await world.hear(world.build_suspension_request(uuid4()))
    await crash_in_work(world.runtime)
    await world.hear(world.build_withdrawal())
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert world.vendor.renewal() == (True, NEXT_TERM)
    events = await world.events("SubscriptionSuspended", "SubscriptionReinstated")
    assert [event["type"] for event in events] == ["SubscriptionSuspended", "SubscriptionReinstated"]
    assert {event["suspension_id"] for event in events} == {str(world.suspension_id)}


async def test_paid_while_the_vendor_is_called(world: World) -> None:
    async def pay(request: httpx2.Request) -> None:
        if request.method == "PATCH" and not world.vendor.effects:
            world.wire.during = None
            await world.hear(world.build_withdrawal())

    world.wire.during = pay
    await world.suspend()
    assert world.vendor.effects == {"suspended": 1, "active": 1}
    assert world.vendor.renewal() == (True, NEXT_TERM)
    assert (await world.access())["allowed"] is True


async def test_paid_before_the_vendor_is_called_changes_nothing_there(world: World) -> None:
    async def pay(request: httpx2.Request) -> None:
        world.wire.during = None
        await world.hear(world.build_withdrawal())

    world.wire.during = pay
    await world.suspend()
    assert world.vendor.effects == {}
    assert not await world.is_pending()


async def test_suspended_at_the_vendor_already_is_only_recorded(world: World) -> None:
    world.vendor.change(status="suspended")
    await world.suspend()
    assert world.wire.methods() == ["GET"]
    assert world.collections.asked == []
    assert len(await world.events("SubscriptionSuspended")) == 1


async def test_the_first_snapshot_is_kept_when_it_is_suspended_again_before_it_is_restored(world: World) -> None:
    await world.suspend()

    async def lose_the_restore(request: httpx2.Request) -> None:
        if request.method == "PATCH" and len(world.vendor.effects) == 2:
            world.wire.faults["PATCH"] = ["before"]

    world.wire.during = lose_the_restore
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    assert (world.vendor.effects, world.vendor.renewal()) == ({"suspended": 1, "active": 1}, (False, None))
    world.wire.during = None
    fraud = await world.place("fraud")
    await work(world.runtime)
    assert world.vendor.effects == {"suspended": 2, "active": 1}

    await world.release(fraud)
    await work(world.runtime)
    assert world.vendor.renewal() == (True, NEXT_TERM)
    reinstated = await world.events("SubscriptionReinstated")
    assert [event["renewal_restored"] for event in reinstated] == [True]
    assert reinstated[0]["suspension_id"] == str(world.suspension_id)
