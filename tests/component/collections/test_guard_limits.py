"""The limits of the guard: a policy tightens them, and only a person's decision about them loosens them."""

from typing import Any
from uuid import uuid4

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, sweep, work
from tests.component.collections import test_collections, test_policy_publishing
from tests.component.collections.test_collections import STANDARD, World, publish
from tests.component.collections.test_collections_facts import issue, ladder, line, overdue

client = test_policy_publishing.client
world = test_collections.world


def build_policy(per_hour: int, percent: int) -> str:
    """The standard policy with these limits, which has 1000 an hour and 100 per cent."""
    return STANDARD.replace("suspensions_per_hour: 1000", f"suspensions_per_hour: {per_hour}").replace(
        "share_of_accounts_percent: 100", f"share_of_accounts_percent: {percent}"
    )


async def try_publishing(client: Client, per_hour: int, percent: int) -> Any:
    body = {"document": build_policy(per_hour, percent), "effective_date": "2026-04-01", "reason": "new limits"}
    return await client.post("/v1/policies", body)


async def read_limits(client: Client) -> tuple[int, int]:
    limits = (await client.got("/v1/guard"))["limits"]
    return limits["suspensions_per_hour"], limits["share_of_accounts_percent"]


async def test_a_policy_tightens_the_guard_and_never_loosens_it(client: Client) -> None:
    assert (await client.got("/v1/guard"))["limits"] is None
    await publish(client, build_policy(25, 5))
    assert await read_limits(client) == (25, 5)
    for per_hour, percent in ((26, 5), (25, 6), (1, 6)):
        refused = await try_publishing(client, per_hour, percent)
        assert (refused.status_code, refused.json()["code"]) == (409, "guard_loosened")
    assert len((await client.got("/v1/policies"))["items"]) == 1
    assert (await try_publishing(client, 25, 5)).status_code == 201
    assert (await try_publishing(client, 10, 4)).status_code == 201
    assert await read_limits(client) == (10, 4)
    assert (await try_publishing(client, 25, 5)).status_code == 409


async def test_limits_are_loosened_by_a_call_of_their_own_with_a_reason(client: Client, keys: SigningKeyPair) -> None:
    await publish(client, build_policy(10, 4))
    wanted = {"suspensions_per_hour": 25, "share_of_accounts_percent": 5, "reason": "a year without a mistake"}
    token = keys.token("collections", "collections:read collections:write collections:publish")
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "limits"}
    assert (await client.http.post("/v1/guard:set-limits", json=wanted, headers=headers)).status_code == 403
    without_reason = {name: value for name, value in wanted.items() if name != "reason"}
    assert (await client.post("/v1/guard:set-limits", without_reason)).status_code == 422
    assert await read_limits(client) == (10, 4)
    answer = await client.post("/v1/guard:set-limits", wanted)
    limits = {"suspensions_per_hour": 25, "share_of_accounts_percent": 5}
    assert (answer.status_code, answer.json()["limits"]) == (200, limits)
    decision = (await client.got("/v1/guard/decisions"))["items"][0]
    assert (decision["decision"], decision["reason"]) == ("set_limits", "a year without a mistake")
    entry = (await client.got("/v1/audit-entries?action=guard.set_limits"))["items"][0]
    assert entry["before"] == {"suspensions_per_hour": 10, "share_of_accounts_percent": 4}
    assert entry["after"] == limits
    assert (await try_publishing(client, 25, 5)).status_code == 201


async def test_the_limits_hold_for_invoices_of_every_version(world: World) -> None:
    """The invoice is of the version with 1000 an hour; the next version allows one, and so does the guard at once."""
    lines = (line(1, uuid4(), 600), line(2, uuid4(), 400))
    invoice_id = await issue(world, *lines)
    await publish(world.client, build_policy(1, 0), "2026-04-20")
    await world.day(1, 0)
    await overdue(world, invoice_id, *lines)
    await ladder(world, 1, 7, 14, 21)
    assert await world.events("SuspensionRequested") == []
    assert (await world.standing())["deferred"][0]["cause"].endswith("a person must approve it")
    wanted = {"suspensions_per_hour": 2, "share_of_accounts_percent": 0, "reason": "both are long overdue"}
    answer = await world.client.post("/v1/guard:set-limits", wanted)
    assert answer.status_code == 200
    await sweep(world.runtime)
    await work(world.runtime)
    assert len(await world.events("SuspensionRequested")) == 2


async def test_until_the_guard_has_limits_those_of_the_newest_version_hold(world: World) -> None:
    """As after an upgrade: versions are published, and nothing is set."""
    await publish(world.client, build_policy(7, 3), "2026-03-20")
    await world.database.execute(
        "UPDATE collections.guard SET suspensions_per_hour = NULL, share_of_accounts_percent = NULL"
    )
    assert await read_limits(world.client) == (7, 3)
    assert (await try_publishing(world.client, 8, 3)).status_code == 409
