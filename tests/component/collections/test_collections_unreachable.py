"""A customer who cannot be written to is no customer who was told: the notice fails, and no suspension rests on it."""

from typing import Any

import pytest

from services.collections.use_cases.account_evaluation import SEND_NOTICE
from tests.builders import work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World

world = test_collections.world


async def walk(world: World) -> None:
    """Walk the whole ladder of the standard policy, up to its day of termination."""
    invoice_id = await world.issue()
    await world.day(-3)
    await world.day(1, 0)
    await world.overdue(invoice_id)
    for day in (1, 7, 14, 21, 45):
        await world.day(day)


async def list_pending(world: World) -> list[Any]:
    return await world.database.rows("SELECT last_error FROM collections.intents WHERE state = 'pending'")


@pytest.mark.parametrize(
    "address", ["a@[", "a;b@c.example", "müller@account-17.example", "", "a@b.example, c@d.example"]
)
async def test_a_ladder_without_an_address_ends_nobodys_access(world: World, address: str) -> None:
    world.invoicing.facts["billing_email"] = address
    await walk(world)
    assert world.hop.taken == []
    assert await world.events("NoticeSent") == []
    assert await world.events("SuspensionRequested") == []
    assert await world.events("TerminationRequested") == []
    failed = await world.events("NoticeFailed")
    assert len(failed) == 4
    assert all('"cause":"553"' in event for event in failed)
    assert await list_pending(world) == []
    standing = await world.standing()
    assert {notice["state"] for notice in standing["notices"]} == {"failed"}
    assert {notice["failure"] for notice in standing["notices"]} == {"553 the address is none that can be written to"}
    assert "final_notice has not reached the next hop" in standing["deferred"][0]["cause"]


async def test_a_recipient_whom_the_hop_refuses_for_good_was_not_told(world: World) -> None:
    world.hop.recipient_answer = "550 no such user"
    await walk(world)
    assert (await world.events("NoticeSent"), await world.events("SuspensionRequested")) == ([], [])
    assert len(await world.events("NoticeFailed")) == 4
    assert await list_pending(world) == []


@pytest.mark.parametrize("stage", ["recipient_answer", "answer"])
async def test_a_letter_that_is_put_off_is_tried_for_four_days(world: World, stage: str) -> None:
    setattr(world.hop, stage, "450 greylisted")
    await world.issue()
    await world.day(-3)
    await world.database.move(days=3, hours=23)
    await work(world.runtime)
    assert await world.events("NoticeFailed") == []
    ((error,),) = await list_pending(world)
    assert error == "the mail hop puts the letter off: 450"
    await world.database.move(hours=1)
    await work(world.runtime)
    assert len(await world.events("NoticeFailed")) == 1
    (notice,) = (await world.standing())["notices"]
    assert (notice["state"], notice["failure"]) == ("failed", "450 put off by the next mail hop for 4 days")
    await world.client.create(f"/v1/notices/{notice['id']}:retry", {"reason": "they let us in now"})
    await work(world.runtime)
    assert (await world.standing())["notices"][0]["state"] == "pending"
    setattr(world.hop, stage, "250 ok")
    await world.database.move(hours=1)
    await work(world.runtime)
    assert (await world.standing())["notices"][0]["state"] == "sent"


@pytest.mark.parametrize("answer", ["421 closing down", None])
async def test_a_hop_that_is_away_fails_no_notice(world: World, answer: str | None) -> None:
    if answer:
        world.hop.recipient_answer = answer
    else:
        object.__setattr__(world.runtime.settings, "smtp_port", 1)
    await world.issue()
    await world.day(-3)
    await world.database.move(days=6)
    await work(world.runtime)
    assert await world.events("NoticeFailed") == []
    rows = await world.database.rows("SELECT state FROM collections.intents WHERE kind = $1", SEND_NOTICE)
    assert {row["state"] for row in rows} == {"pending"}


async def test_an_address_that_is_mended_is_written_to_again(world: World) -> None:
    world.invoicing.facts["billing_email"] = "a@["
    await world.issue()
    await world.day(-3)
    (notice,) = (await world.standing())["notices"]
    world.invoicing.facts["billing_email"] = "billing@xn--mller-kva.example"
    await world.client.create(f"/v1/notices/{notice['id']}:retry", {"reason": "address mended"})
    await work(world.runtime)
    assert (await world.standing())["notices"][0]["state"] == "sent"
    assert b"To: billing@xn--mller-kva.example" in world.hop.taken[0]
