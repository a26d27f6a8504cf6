"""Looser limits of the guard need a second person once a suspension was requested; tighter ones never do."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.builders import Client, Database
from tests.component.collections import test_policy_publishing
from tests.component.collections.test_collections import publish
from tests.component.collections.test_guard_limits import build_policy, read_limits
from tests.component.setting_requests import GROUNDS

client = test_policy_publishing.client
CHANGES = "/v1/guard/limit-changes"
SUSPENDED = (
    "SET session_replication_role TO replica; INSERT INTO collections.suspensions"
    " (id, account_id, subscription_id, state, policy_version, step, requested_at)"
    " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'ended', 1, 's', now()"
)


async def set_limits(client: Client, per_hour: int, percent: int = 5) -> Any:
    body = {"suspensions_per_hour": per_hour, "share_of_accounts_percent": percent, "reason": "a quiet year"}
    return await client.post("/v1/guard:set-limits", body)


async def propose(client: Client, database: Database) -> Any:
    """Publish limits, request a suspension, and ask for looser limits; the proposal."""
    await publish(client, build_policy(25, 5))
    await database.execute(SUSPENDED)
    answer = await set_limits(client, 26)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def decide(client: Client, change_id: str, verb: str = "approve") -> tuple[int, str]:
    answer = await client.post(f"{CHANGES}/{change_id}:{verb}", GROUNDS)
    return answer.status_code, answer.json().get("code") or answer.json()["state"]


async def test_until_a_suspension_was_requested_one_person_loosens_them(client: Client) -> None:
    await publish(client, build_policy(25, 5))
    assert (await set_limits(client, 26)).json()["limits"]["suspensions_per_hour"] == 26
    (change,) = (await client.got(CHANGES))["items"]
    assert (change["state"], change["decided_by"], change["previous"]["suspensions_per_hour"]) == (
        "carried_out",
        None,
        25,
    )


async def test_later_a_second_person_agrees(client: Client, database: Database) -> None:
    proposal = await propose(client, database)
    assert await read_limits(client) == (25, 5)
    assert (await client.got("/v1/guard"))["proposed_change"] == proposal
    assert await decide(client, proposal["id"]) == (403, "second_person_needed")
    assert await decide(client.somebody("anna"), proposal["id"]) == (200, "carried_out")
    assert await read_limits(client) == (26, 5)
    assert (await client.got("/v1/guard"))["proposed_change"] is None
    assert (await client.got(f"{CHANGES}/{proposal['id']}"))["decided_by"] == "anna"
    entry = (await client.got("/v1/audit-entries?action=guard.approve_limits"))["items"][0]
    assert (entry["actor"], entry["after"]) == ("anna", {"suspensions_per_hour": 26})
    decision = (await client.got("/v1/guard/decisions"))["items"][0]
    assert (decision["decision"], decision["actor"]) == ("set_limits", "operator")


async def test_tighter_ones_hold_at_once_and_what_was_proposed_before_is_refused(
    client: Client, database: Database
) -> None:
    proposal = await propose(client, database)
    assert (await set_limits(client, 10, 4)).json()["limits"]["suspensions_per_hour"] == 10
    assert await decide(client.somebody("anna"), proposal["id"]) == (409, "facts_changed")
    assert await read_limits(client) == (10, 4)


async def test_one_change_waits_at_a_time(client: Client, database: Database) -> None:
    proposal = await propose(client, database)
    assert (await set_limits(client, 26)).json() == proposal
    for caller, per_hour in ((client, 27), (client.somebody("anna"), 26)):
        refused = await set_limits(caller, per_hour)
        assert (refused.status_code, refused.json()["code"]) == (409, "already_proposed")
        assert refused.json()["guard_limit_change_id"] == proposal["id"]


async def test_declined_or_withdrawn_it_changes_nothing(client: Client, database: Database) -> None:
    first = await propose(client, database)
    anna = client.somebody("anna")
    assert await decide(anna, first["id"], "withdraw") == (403, "not_the_proposer")
    assert await decide(client, first["id"], "decline") == (403, "second_person_needed")
    assert await decide(anna, first["id"], "decline") == (200, "declined")
    second = (await set_limits(client, 26)).json()
    assert await decide(client, second["id"], "withdraw") == (200, "withdrawn")
    for change in (first, second):
        assert await decide(anna, change["id"]) == (409, "move_refused")
    assert await read_limits(client) == (25, 5)
    assert [change["state"] for change in (await client.got(CHANGES))["items"]] == ["declined", "withdrawn"]


async def test_twenty_who_approve_at_once_carry_it_out_once(client: Client, database: Database) -> None:
    proposal = await propose(client, database)
    people = [client.somebody(f"person-{number}") for number in range(20)]
    answers = await asyncio.gather(*(decide(person, proposal["id"]) for person in people))
    assert sorted(answers) == [(200, "carried_out")] + [(409, "move_refused")] * 19
    assert len((await client.got("/v1/guard/decisions"))["items"]) == 1


async def test_their_history_is_neither_rewritten_nor_deleted(client: Client, database: Database) -> None:
    await propose(client, database)
    async with database.connected("collections") as connection:
        for statement in ("DELETE FROM guard_limit_changes", "UPDATE guard_limit_changes SET wanted = '{}'"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
