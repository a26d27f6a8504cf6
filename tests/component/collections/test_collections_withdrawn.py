"""The mail hop is away for days: what is not dunnable any more when it is back gets no reminder."""

from typing import Any
from uuid import UUID

import orjson

from tests.builders import sweep, work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World

world = test_collections.world


AWAY = "450 later"


async def late(world: World, *steps: int, then: str = "250 taken", number: int = 1) -> list[UUID]:
    """Overdue invoices whose steps of these days have gone out; then the hop answers otherwise."""
    invoice_ids = [await world.issue() for _ in range(number)]
    await world.day(-3)
    await world.day(1, 0)
    for invoice_id in invoice_ids:
        await world.overdue(invoice_id)
    for day in steps:
        await world.day(day)
    world.hop.taken.clear()
    world.hop.answer = then
    return invoice_ids


async def notices(world: World) -> list[tuple[str, str, set[str]]]:
    """Template, state and invoices of each notice since the due date, oldest first."""
    shown = reversed((await world.standing())["notices"])
    summaries = [
        (notice["template"], notice["state"], {item["invoice_id"] for item in notice["items"]}) for notice in shown
    ]
    return [summary for summary in summaries if summary[0] != "upcoming"]


async def list_notice_events(world: World, kind: str) -> list[dict[str, Any]]:
    """List the events of a kind that tell of a notice since the due date."""
    events = [orjson.loads(event) for event in await world.events(kind)]
    return [event for event in events if event["template"] != "upcoming"]


async def later(world: World, days: int, hour: int = 10) -> None:
    """The hop is back; everything due happens."""
    world.hop.answer = "250 taken"
    await world.day(days, hour)
    await sweep(world.runtime)
    await work(world.runtime)


async def test_who_has_paid_meanwhile_gets_no_reminder(world: World) -> None:
    (invoice_id,) = await late(world, then=AWAY)
    await world.day(1)
    assert await notices(world) == [("reminder_1", "pending", {str(invoice_id)})]
    await world.change_balance(invoice_id, 0)
    await later(world, 3)
    assert world.hop.taken == []
    shown = (await world.client.got("/v1/notices", account_id=str(world.account_id)))["items"][0]
    assert (shown["state"], shown["delivered_at"]) == ("withdrawn", None)
    assert shown["failure"] == f"not dunnable any more: {shown['items'][0]['number']}"
    (withdrawn,) = await list_notice_events(world, "NoticeWithdrawn")
    assert (withdrawn["notice_id"], withdrawn["invoice_ids"]) == (shown["id"], [str(invoice_id)])
    assert await list_notice_events(world, "NoticeSent") == []


async def test_what_is_still_dunnable_gets_a_notice_of_its_own_at_once(world: World) -> None:
    paid, still_open = await late(world, then=AWAY, number=2)
    await world.day(1)
    await world.change_balance(paid, 0)
    await later(world, 3)
    assert await notices(world) == [
        ("reminder_1", "withdrawn", {str(paid), str(still_open)}),
        ("reminder_1", "sent", {str(still_open)}),
    ]
    (sent,) = await list_notice_events(world, "NoticeSent")
    assert [item["invoice_id"] for item in sent["items"]] == [str(still_open)]
    assert len(world.hop.taken) == 1
    await world.day(7)
    assert len(world.hop.taken) == 2


async def test_a_withdrawn_final_notice_carries_no_suspension_until_one_was_sent(world: World) -> None:
    (invoice_id,) = await late(world, 1, 7, then=AWAY)
    await world.day(14)
    await world.change_balance(invoice_id, 1000, disputed=1000)
    await later(world, 14, 11)
    assert [state for _, state, _ in await notices(world)] == ["sent", "sent", "withdrawn"]
    await world.day(15)
    await world.change_balance(invoice_id, 1000)
    await world.day(22)
    assert [state for _, state, _ in await notices(world)] == ["sent", "sent", "withdrawn", "sent"]
    assert (await list_notice_events(world, "NoticeSent"))[-1]["template"] == "final_notice"
    assert await world.events("SuspensionRequested") == []
    await world.day(28)  # six days after the final notice that did go out
    assert await world.events("SuspensionRequested") == []
    await world.day(29)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_missed_steps_that_a_withdrawn_notice_stood_for_are_missed_again(world: World) -> None:
    (invoice_id,) = await late(world, then=AWAY)
    await world.day(8)  # nothing ran here for a week
    steps = "SELECT step, outcome FROM collections.steps_taken WHERE step <> 'upcoming' ORDER BY step"
    missed = [("reminder_1", "skipped"), ("reminder_2", "notice")]
    assert [tuple(row) for row in await world.database.rows(steps)] == missed
    await world.change_balance(invoice_id, 1000, disputed=1000)
    await world.day(8, 12)
    assert await world.database.rows(steps) == []
    await world.change_balance(invoice_id, 1000)
    await later(world, 10)
    assert [tuple(row) for row in await world.database.rows(steps)] == missed
    assert [state for _, state, _ in await notices(world)] == ["withdrawn", "sent"]


async def test_a_notice_of_a_round_that_is_over_is_withdrawn(world: World) -> None:
    (invoice_id,) = await late(world, then=AWAY)
    await world.day(1)
    await world.change_balance(invoice_id, 0)
    await world.database.move(hours=1)
    await world.change_balance(invoice_id, 1000)
    await world.overdue(invoice_id)
    await later(world, 3)
    assert [state for _, state, _ in await notices(world)] == ["withdrawn", "sent"]
    (sent,) = await list_notice_events(world, "NoticeSent")
    assert sent["items"][0]["round"] == 2


async def test_a_notice_that_failed_is_not_sent_again_to_who_has_paid(world: World) -> None:
    (invoice_id,) = await late(world, then="550 no such mailbox")
    await world.day(1)
    await world.change_balance(invoice_id, 0)
    failed = (await world.standing())["notices"][0]
    world.hop.answer = "250 taken"
    await world.client.create(f"/v1/notices/{failed['id']}:retry", {"reason": "address mended"})
    await work(world.runtime)
    assert world.hop.taken == []
    assert [state for _, state, _ in await notices(world)] == ["withdrawn"]
