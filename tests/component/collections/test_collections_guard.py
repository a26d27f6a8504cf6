"""The guard counts the suspensions of an hour; a step's suspensions go out together or not at all."""

from uuid import uuid4

from tests.builders import sweep, work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import STANDARD, World, publish
from tests.component.collections.test_collections_facts import REASON, issue, ladder, line, overdue

world = test_collections.world


async def allow_one_an_hour(world: World) -> None:
    """From the next day on a policy holds that lets one suspension an hour go without a person."""
    tight = STANDARD.replace("suspensions_per_hour: 1000", "suspensions_per_hour: 1").replace(
        "share_of_accounts_percent: 100", "share_of_accounts_percent: 0"
    )
    await publish(world.client, tight, "2026-03-03")
    await world.database.move(days=1)


async def test_the_guard_lets_all_subscriptions_of_a_step_go_or_none(world: World) -> None:
    await allow_one_an_hour(world)
    lines = (line(1, uuid4(), 600), line(2, uuid4(), 400))
    invoice_id = await issue(world, *lines)
    await world.day(1, 0)
    await overdue(world, invoice_id, *lines)
    await ladder(world, 1, 7, 14, 21)
    assert await world.events("SuspensionRequested") == []
    await world.client.create("/v1/guard:approve", REASON)
    await sweep(world.runtime)
    await work(world.runtime)
    assert len(await world.events("SuspensionRequested")) == 2


async def test_the_guard_counts_an_hour_and_then_goes_on_by_itself(world: World) -> None:
    await allow_one_an_hour(world)
    suspended_first, later = line(1, uuid4(), 600), line(1, uuid4(), 400)
    invoices = [(await issue(world, line_balance), line_balance) for line_balance in (suspended_first, later)]
    await world.day(1, 0)
    await overdue(world, invoices[0][0], suspended_first)
    await ladder(world, 1, 7, 14, 21)
    assert len(await world.events("SuspensionRequested")) == 1
    assert (await world.client.got("/v1/guard"))["requested"] == 1
    await world.database.move(minutes=59)
    assert (await world.client.got("/v1/guard"))["requested"] == 1
    await world.database.move(minutes=1)
    assert (await world.client.got("/v1/guard"))["requested"] == 0
