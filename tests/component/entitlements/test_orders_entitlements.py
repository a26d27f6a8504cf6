"""Entitlements comes to the same end in whatever order it hears of subscriptions and of suspensions."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given

from deploy.local.tokens import SigningKeyPair
from shared.events import Event
from tests.builders import Database
from tests.component.entitlements_world import World, a_world
from tests.component.orders import FEW, Order, list_announcements, one_by_one, orders, read, rows

TABLES = {"entitlements": "vendor_subscription_id", "holds": ""}
CAUSAL = one_by_one(0, 0, 1, 1, 1, 1, 1, 1)
End = tuple[list[str], list[str], list[str]]
SUSPENDED_BEFORE_BOUGHT = one_by_one(1, 1, 1, 1, 1, 1, 0, 0)


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with a_world(database, keys, jwks_file) as world:
        yield world


@pytest.fixture
async def causal(world: World) -> End:
    return await end(world, CAUSAL)


def story(ids: list[UUID]) -> Sequence[Sequence[Event]]:
    """Two subscriptions are bought. One is suspended, for one invoice and for another, and given back and suspended
    anew; the suspension of the other is withdrawn.
    """
    account, subscription, other, first, second, third, invoice, later = ids
    event_builder = World(None, None, None, None, None, account, subscription, first)  # type: ignore[arg-type]  # events only
    bought = [
        event_builder.build_activation().model_copy(update={"subscription_id": id_, "vendor_subscription_id": str(id_)})
        for id_ in (subscription, other)
    ]
    elsewhere = {"subscription_id": other, "suspension_id": second}
    wanted = [
        event_builder.build_suspension_request(invoice),
        event_builder.build_suspension_request(invoice, later),
        event_builder.build_suspension_request(invoice).model_copy(update=elsewhere),
        event_builder.build_reinstatement_request(),
        event_builder.build_withdrawal().model_copy(update=elsewhere),
        event_builder.build_suspension_request(later, suspension_id=third),
    ]
    return [bought, wanted]


async def end(world: World, order: Order) -> End:
    """Return what is there, announced and to be done after a new account's story was read in this order."""
    ids = [uuid4() for _ in range(8)]
    names = {id_: f"id {place}" for place, id_ in enumerate(ids)}
    await read(world.runtime, story(ids), order)
    service, account = "entitlements", ids[0]
    wanted = await world.database.rows(
        "SELECT key FROM entitlements.intents WHERE account_id = $1 AND state = 'pending' AND key IN"
        " (SELECT subscription_id::text FROM entitlements.holds WHERE released_at IS NULL)",
        account,
    )
    return (
        await rows(world.database, service, account, names, TABLES),
        await list_announcements(world.database, service, account, names),
        [names[UUID(row["key"])] for row in wanted],
    )


@FEW
@given(order=orders(2, 6))
@example(order=SUSPENDED_BEFORE_BOUGHT)
async def test_suspensions_and_subscriptions_in_any_order(world: World, causal: End, order: Order) -> None:
    outcome = await end(world, order)
    assert outcome == causal
    assert outcome[2] == ["id 1"]
    assert [row for row in outcome[0] if '"released_at": null' in row and '"suspension_id": "id 5"' in row]
