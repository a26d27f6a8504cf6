"""Notices are listed over all accounts; what a mail said is kept, and read under a scope of its own."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

from deploy.local.tokens import SigningKeyPair
from tests.builders import build_registered
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World

world = test_collections.world
OVERDUE = datetime(2026, 3, 11, tzinfo=UTC)
"""Local midnight after the due date."""


async def list_states(world: World, query: str = "") -> list[tuple[str, str]]:
    """List account and state of the notices that a query finds."""
    items = (await world.client.got(f"/v1/notices?{query}"))["items"]
    return [(item["account_id"], item["state"]) for item in items]


async def test_notices_are_found_by_state_account_and_time_newest_first(world: World) -> None:
    other = replace(world, account_id=uuid4(), subscription_id=uuid4(), sequence=0)
    await other.hear(build_registered(other.account_id))
    first = await world.issue()
    await world.database.move(OVERDUE)
    await world.overdue(first)
    await world.day(1)
    world.hop.answer = "550 no such mailbox"
    second = await other.issue()
    await other.overdue(second)
    await world.day(2)
    ours, theirs = (str(world.account_id), "sent"), (str(other.account_id), "failed")
    assert await list_states(world) == [theirs, ours]
    assert await list_states(world, "state=failed") == [theirs]
    assert await list_states(world, "state=withdrawn") == []
    assert await list_states(world, f"account_id={world.account_id}") == [ours]
    since = quote("2026-03-12T09:00:00Z")
    assert await list_states(world, f"since={since}") == [theirs]
    assert await list_states(world, f"since={since}&state=sent") == []
    page = await world.client.got("/v1/notices?limit=1")
    assert await list_states(world, f"limit=1&after={page['next']}") == [ours]
    for query in ("state=lost", "since=yesterday", "account_id=17"):
        assert (await world.client.get(f"/v1/notices?{query}")).status_code == 422, query


async def test_the_message_is_read_by_those_who_may_and_stands_nowhere_else(world: World, keys: SigningKeyPair) -> None:
    invoice_id = await world.issue()
    await world.database.move(OVERDUE)
    await world.overdue(invoice_id)
    await world.day(1)
    (notice,) = (await world.client.got("/v1/notices"))["items"]
    path = f"/v1/notices/{notice['id']}/message"
    message = await world.client.got(path)
    assert (message["recipient"], message["sent_at"]) == ("billing@account-17.example", "2026-03-11T09:00:00Z")
    assert message["subject"] == "A payment is overdue"
    assert f"GS-{str(invoice_id)[-4:]}" in message["text"]
    assert "To be paid: €10.00" in message["text"]
    for scopes, status in (
        ("collections:read collections:write collections:admin", 403),
        ("collections:messages", 200),
    ):
        headers = {"authorization": f"Bearer {keys.token('collections', scopes)}"}
        assert (await world.client.http.get(path, headers=headers)).status_code == status
    for reading in ("/v1/notices", f"/v1/notices/{notice['id']}", f"/v1/accounts/{world.account_id}/standing"):
        assert "account-17.example" not in (await world.client.get(reading)).text
    assert not any("account-17.example" in event for event in await world.events("NoticeSent"))


async def test_a_message_that_was_not_sent_not_kept_or_erased_is_not_found(world: World) -> None:
    invoice_id = await world.issue()
    world.hop.answer = "550 no such mailbox"
    await world.database.move(OVERDUE)
    await world.overdue(invoice_id)
    await world.day(1)
    (notice,) = (await world.client.got("/v1/notices?state=failed"))["items"]
    path = f"/v1/notices/{notice['id']}/message"
    assert (await world.client.get(path)).status_code == 404
    world.hop.answer = "250 taken"
    await world.client.create(f"/v1/notices/{notice['id']}:retry", {"reason": "the address was mended"})
    await world.day(1, 10)
    assert (await world.client.got(path))["recipient"] == "billing@account-17.example"
    async with world.database.connected("collections") as connection:
        await connection.execute("UPDATE notice_messages SET recipient = NULL, subject = NULL, text = NULL")
    erased = await world.client.get(path)
    assert (erased.status_code, erased.json()["code"]) == (404, "not_found")
