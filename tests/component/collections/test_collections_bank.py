"""Where the policy says so, access ends only while payments are known well enough."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.component.collections.test_collections import DUE, STANDARD, World, publish, world

__all__ = ["world"]

CAREFUL = f"{STANDARD}\nbank_data_hours: 48\n"
SUSPEND = datetime(DUE.year, DUE.month, DUE.day, 9, tzinfo=UTC) + timedelta(days=21)


def bank(world: World, *, age: float, receipts: int = 0, at: datetime = SUSPEND) -> None:
    """Invoicing knows payments until so many hours before an instant, and has so many undecided receipts."""
    until = (at - timedelta(hours=age)).isoformat()
    world.invoicing.bank = {"known_until": until, "undecided_entries": [str(uuid4()) for _ in range(receipts)]}


async def careful(world: World) -> None:
    """A version of the policy that asks for the bank's data, in force for what is issued from then on."""
    await publish(world.client, CAREFUL, "2026-03-03")
    await world.database.move(days=1)


async def causes(world: World) -> list[str]:
    return [deferral["cause"] for deferral in (await world.standing())["deferred"]]


async def test_fresh_data_suspend(world: World) -> None:
    await careful(world)
    bank(world, age=47)
    await world.to_suspension()
    assert len(await world.events("SuspensionRequested")) == 1
    assert await causes(world) == []


async def test_stale_data_wait_until_there_are_newer_ones(world: World) -> None:
    await careful(world)
    bank(world, age=60)
    await world.to_suspension()
    await world.day(21, 10)
    await world.day(21, 11)
    assert await world.events("SuspensionRequested") == []
    assert await causes(world) == ["bank data are older than 48 h: payments are known until 2026-03-28 21:00 UTC"]
    assert len(await world.events("StepDeferred")) == 1
    bank(world, age=1)
    await world.day(21, 12)
    assert len(await world.events("SuspensionRequested")) == 1
    assert await causes(world) == []


async def test_an_unmatched_receipt_waits_until_somebody_has_decided(world: World) -> None:
    await careful(world)
    bank(world, age=1, receipts=1)
    await world.to_suspension()
    assert await world.events("SuspensionRequested") == []
    assert await causes(world) == ["an unmatched receipt may be theirs"]
    bank(world, age=1)
    await world.day(21, 10)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_no_answer_about_the_bank_waits(world: World) -> None:
    await careful(world)
    await world.to_suspension()
    assert await world.events("SuspensionRequested") == []
    bank(world, age=1)
    await world.day(21, 10)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_what_arrives_after_the_request_stops_the_vendor_call(world: World) -> None:
    await careful(world)
    bank(world, age=1)
    await world.to_suspension()
    path = f"/v1/suspensions/{(await world.standing())['suspensions'][0]['id']}/confirmation"
    bank(world, age=1, receipts=1)
    for _ in range(2):
        confirmation = await world.client.got(path)
        assert (confirmation["verdict"], confirmation["detail"]) == ("wait", "an unmatched receipt may be theirs")
    assert await causes(world) == ["an unmatched receipt may be theirs"]
    assert len(await world.events("StepDeferred")) == 1
    world.invoicing.bank = None
    confirmation = await world.client.got(path)
    assert (confirmation["verdict"], confirmation["detail"]) == ("wait", "invoicing gives no answer: invoicing is away")
    bank(world, age=1)
    assert (await world.client.got(path))["verdict"] == "stands"
    assert await causes(world) == []


async def test_invoices_of_a_version_without_the_setting_do_not_wait(world: World) -> None:
    """A later version has it: it is not in force for what was issued before."""
    invoice_id = await world.issue()
    await publish(world.client, CAREFUL, "2026-03-03")
    bank(world, age=600, receipts=1)
    await world.day(1, 0)
    await world.overdue(invoice_id)
    for day in (1, 7, 14, 21):
        await world.day(day)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_the_page_says_so(world: World) -> None:
    assert "bank statements" not in (await world.client.http.get("/policy")).text
    await careful(world)
    page = " ".join((await world.client.http.get("/policy")).text.split())
    assert "not while they are more than 48 hours old, and not while a payment has arrived that may be yours" in page


async def test_of_invoices_that_suspend_together_the_strictest_version_counts(world: World) -> None:
    """The first one's version asks for nothing: by itself it would not wait."""
    first = await world.issue()
    await careful(world)
    second = await world.issue()
    bank(world, age=60)
    await world.day(1, 0)
    for invoice_id in (first, second):
        await world.overdue(invoice_id)
    for day in (1, 7, 14, 21):
        await world.day(day)
    assert await world.events("SuspensionRequested") == []
    assert len(await causes(world)) == 2
