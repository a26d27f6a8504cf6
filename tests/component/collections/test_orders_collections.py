"""Collections comes to the same end in whatever order it hears what is owed and what was really suspended."""

import re
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given

from shared.events import Event
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.invoicing import AccountRegistered, InvoiceBalanceChanged
from tests.builders import START
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World
from tests.component.collections.test_collections_facts import ladder, on
from tests.component.orders import FEWER, Order, list_announcements, one_by_one, orders, read, rows

world = test_collections.world
End = tuple[list[str], list[str]]
TABLES = {
    "accounts": "",
    "items": "number",
    "balances": "",
    "overdues": "",
    "steps_taken": "",
    "deferrals": "",
    "cases": "",
    "suspensions": "",
    "suspension_causes": "",
    "notices": "secret bounce_id",
}
AMOUNTS_IN_MAILS = r'"(open_minor|to_pay_minor)": \d+, (?=.*"(subscription_ids|template)")'
"""A mail states what was known when it was written: that depends on what was heard before."""
CAUSAL = one_by_one(0, 1, 0, 0, 1)
SUSPENDED_BEFORE_ITS_BALANCE = one_by_one(1, 0, 0, 0, 1)
TOO_LATE = one_by_one(0, 0, 0, 1, 1)


@pytest.fixture
async def causal(world: World) -> End:
    return await end(world, CAUSAL)


async def owing(world: World) -> tuple[UUID, UUID]:
    """A new account whose invoice suspends it, by a balance that invoicing told when it was asked and not before.

    Its invoice, and the suspension that is requested.
    """
    world.account_id, world.subscription_id, world.sequence = uuid4(), uuid4(), 0
    await world.database.move(START)
    profile = {"legal_entity": "GS-DE", "currency": "EUR", "time_zone": "UTC", "terms_days": 8}
    await world.hear(
        AccountRegistered(account_id=world.account_id, external_reference=None, vendor_customer_ids=(), **profile)
    )
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    await ladder(world, 1, 7, 14)
    await world.database.move(on(21))
    world.balance(invoice_id, 600)
    await ladder(world, 21)
    query = "SELECT id FROM collections.suspensions WHERE account_id = $1"
    return invoice_id, await world.database.value(query, world.account_id)


def story(world: World, invoice_id: UUID, suspension_id: UUID) -> Sequence[Sequence[Event]]:
    """The balance that suspended it, another, and that all is paid; that it was suspended, and given back."""
    whole = {"account_id": world.account_id}
    of_ours = whole | {"subscription_id": world.subscription_id, "suspension_id": suspension_id}
    balances = []
    for open_minor in (600, 300, 0):
        balances.append(InvoiceBalanceChanged(balance=world.balance(invoice_id, open_minor), **whole))
        world.sequence += 1
    access = [
        SubscriptionSuspended(hold_reasons=("non_payment",), vendor_bills_on=True, **of_ours),
        SubscriptionReinstated(renewal_restored=True, **of_ours),
    ]
    return [balances, access]


async def end(world: World, order: Order) -> End:
    """Return what is there and what was announced after a new account's story was read in this order."""
    invoice_id, suspension_id = await owing(world)
    names = {world.account_id: "account", world.subscription_id: "subscription", invoice_id: "invoice"}
    mark = "INSERT INTO collections.watermarks (topic, subject, sequence) VALUES ('invoicing.events', $1, $2)"
    await world.database.execute(mark, str(world.account_id), world.sequence)
    before = (world.sequence, 0)
    await read(world.runtime, story(world, invoice_id, suspension_id), order, before, on(21))
    await ladder(world, 22)
    account_rows = await rows(world.database, "collections", world.account_id, names, TABLES)
    return (
        [re.sub(AMOUNTS_IN_MAILS, "", row) for row in account_rows],
        await list_announcements(world.database, "collections", world.account_id, names),
    )


def is_causal_enough(order: Order) -> bool:
    """Whether collections hears of the suspension while it stands, and that access is back after it asked for that."""
    topics = [topic for topic, _ in order]
    return topics[-1] == 1 and topics.index(1) < len(topics) - 2


@FEWER
@given(order=orders(3, 2).filter(is_causal_enough))
@example(order=SUSPENDED_BEFORE_ITS_BALANCE)
async def test_balances_and_suspensions_in_any_order(world: World, causal: End, order: Order) -> None:
    assert await end(world, order) == causal


async def test_that_it_was_suspended_is_heard_only_after_all_is_paid(world: World, causal: End) -> None:
    """Then it was withdrawn, and nothing more is told about it; what is owed and the case end the same."""
    state, events = await end(world, TOO_LATE)
    assert without_suspensions(state) == without_suspensions(causal[0])
    assert [row for row in state if row.startswith("suspensions") and '"state": "withdrawn"' in row]
    assert [row for row in causal[0] if row.startswith("suspensions") and '"state": "ended"' in row]
    assert [event for event in events if event.startswith("goodstanding.collections.SuspensionWithdrawn")]


def without_suspensions(state: list[str]) -> list[str]:
    return [row for row in state if row.split()[0] in ("accounts", "items", "balances", "overdues", "cases")]
