"""Upholding a dispute credits: whoever may not credit so much needs a second person, who is never the same one.

Escalation beside invoicing; the limit of `clerk` is 5.22, that of `lead` 5.23. Disputed are 5.22 or 5.23.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database
from tests.component.escalation.test_escalation import World, opened_world
from tests.component.setting_requests import put_by_two

WHY = {"reason": "billed in error"}


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    """Escalation and invoicing, with limits of two roles."""
    async with opened_world(database, keys, jwks_file) as made:
        for role, amount in (("clerk", 522), ("lead", 523)):
            limit = {"amount_minor": amount, "reason": "the board"}
            await put_by_two(made.invoicing, f"/v1/approval-limits/{role}/EUR", limit)
        yield made


async def open_dispute(world: World, amount: int) -> str:
    """Open a dispute about line 1; its path."""
    return f"/v1/disputes/{(await world.client.create('/v1/disputes', world.dispute(amount)))['id']}"


async def test_within_the_limit_one_person_upholds(world: World) -> None:
    path = await open_dispute(world, 522)
    upheld = await world.client.somebody("ann", "clerk").create(f"{path}:uphold", WHY)
    assert (upheld["state"], upheld["uphold_proposed_by"]) == ("upheld", None)
    assert await world.events() == ["CaseOpened", "DisputeOpened", "DisputeResolved", "CaseResolved"]


async def test_above_the_limit_it_waits_and_nothing_is_announced(world: World) -> None:
    path = await open_dispute(world, 523)
    ann = world.client.somebody("Ann", "clerk")
    accepted = await ann.post(f"{path}:uphold", WHY)
    waiting = accepted.json()
    assert (accepted.status_code, waiting["state"]) == (202, "waiting_for_second_person")
    assert waiting["uphold_proposed_by"] == "ann"
    assert await world.events() == ["CaseOpened", "DisputeOpened"]
    assert await world.read_disputed_minor() == 523
    for again in (f"{path}:uphold", f"{path}:reject"):
        refused = await world.client.somebody("lea", "lead").post(again, WHY)
        assert (refused.status_code, refused.json()["code"]) == (409, "move_refused")


@pytest.mark.parametrize("spelling", ["ann", "ANN", " \uff21nn "])
async def test_the_second_person_is_never_the_first(world: World, spelling: str) -> None:
    """Neither by other roles nor by another spelling."""
    path = await open_dispute(world, 523)
    await world.client.somebody("ann", "clerk").create(f"{path}:uphold", WHY)
    refused = await world.client.somebody(spelling, "lead").post(f"{path}:confirm", WHY)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
    assert await world.events() == ["CaseOpened", "DisputeOpened"]


async def test_the_second_person_needs_the_limit_too_and_confirms(world: World) -> None:
    path = await open_dispute(world, 523)
    await world.client.somebody("ann", "clerk").create(f"{path}:uphold", WHY)
    bob = await world.client.somebody("bob", "clerk").post(f"{path}:confirm", WHY)
    assert (bob.status_code, bob.json()["code"]) == (403, "above_limit")
    upheld = await world.client.somebody("lea", "lead").create(f"{path}:confirm", WHY)
    assert (upheld["state"], upheld["uphold_proposed_by"]) == ("upheld", "ann")
    assert await world.events() == ["CaseOpened", "DisputeOpened", "DisputeResolved", "CaseResolved"]
    entries = (await world.client.got("/v1/audit-entries"))["items"]
    assert [(entry["actor"], entry["action"]) for entry in entries][-2:] == [
        ("ann", "dispute.uphold"),
        ("lea", "dispute.confirm"),
    ]


async def test_what_is_declined_is_open_again_and_may_be_withdrawn_while_it_waits(world: World) -> None:
    path = await open_dispute(world, 523)
    ann = world.client.somebody("ann", "clerk")
    await ann.create(f"{path}:uphold", WHY)
    opened = await world.client.somebody("lea", "lead").create(f"{path}:decline", WHY)
    assert (opened["state"], opened["uphold_proposed_by"]) == ("opened", None)
    refused = await world.client.somebody("lea", "lead").post(f"{path}:confirm", WHY)
    assert refused.json()["code"] == "move_refused"
    assert (await ann.create(f"{path}:uphold", WHY))["state"] == "waiting_for_second_person"
    assert (await world.client.create(f"{path}:withdraw", WHY))["state"] == "withdrawn"


async def test_whoever_proposed_it_takes_it_back_alone_and_nobody_else_without_the_limit(world: World) -> None:
    path = await open_dispute(world, 523)
    await world.client.somebody("ann", "clerk").create(f"{path}:uphold", WHY)
    bob = await world.client.somebody("bob", "clerk").post(f"{path}:decline", WHY)
    assert (bob.status_code, bob.json()["code"]) == (403, "above_limit")
    opened = await world.client.somebody("ANN", "clerk").create(f"{path}:decline", WHY)
    assert (opened["state"], opened["uphold_proposed_by"]) == ("opened", None)


async def test_without_invoicing_nothing_is_decided(world: World) -> None:
    path = await open_dispute(world, 522)
    world.door.shut = True
    away = await world.client.somebody("ann", "clerk").post(f"{path}:uphold", WHY)
    assert (away.status_code, away.json()["code"]) == (503, "authorisation_unavailable")
    assert (await world.client.got(path))["state"] == "opened"
    world.door.shut = False
    assert (await world.client.somebody("ann", "clerk").create(f"{path}:uphold", WHY))["state"] == "upheld"


async def test_the_same_request_gets_the_same_answer(world: World) -> None:
    path = await open_dispute(world, 522)
    ann = world.client.somebody("ann", "clerk")
    first = await ann.post(f"{path}:uphold", WHY, key="once")
    again = await ann.post(f"{path}:uphold", WHY, key="once")
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())


async def test_a_raised_limit_lets_the_same_person_uphold_after_all(world: World) -> None:
    """A refusal is asked anew; a proposal is declined first."""
    path = await open_dispute(world, 523)
    ann = world.client.somebody("ann", "clerk")
    await ann.create(f"{path}:uphold", WHY)
    await world.client.somebody("lea", "lead").create(f"{path}:decline", WHY)
    limit = {"amount_minor": 523, "reason": "the board"}
    await put_by_two(world.invoicing, "/v1/approval-limits/clerk/EUR", limit)
    assert (await ann.create(f"{path}:uphold", WHY))["state"] == "upheld"


async def test_what_is_refused_or_declined_counts_for_nobody(world: World) -> None:
    """The lead has all of their 5.23 left after a decision that could not be taken, and after one that gave nothing."""
    path = await open_dispute(world, 523)
    await world.client.somebody("ann", "clerk").create(f"{path}:uphold", WHY)
    lea = world.client.somebody("lea", "lead")
    assert (await lea.post(f"{path}:uphold", WHY)).status_code == 409
    assert (await lea.create(f"{path}:decline", WHY))["state"] == "opened"
    other = await open_dispute(world, 1)
    assert (await lea.create(f"{other}:uphold", WHY))["state"] == "upheld"
    bob = world.client.somebody("bob", "lead")
    assert (await bob.create(f"{path}:uphold", WHY))["state"] == "waiting_for_second_person"  # the account has its 0.01
