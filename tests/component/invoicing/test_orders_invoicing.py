"""Invoicing comes to the same end in whatever order it hears of disputes and does what is its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given

from deploy.local.tokens import SigningKeyPair
from services.invoicing.adjustments.use_cases.dispute_reservations import UnreservedDispute
from shared.events import Event
from shared.events.escalation import DisputedLine, DisputeResolved, DisputeWithdrawn
from shared.messaging.consumer.batch import EventHandlerFailed
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.orders import FEW, Order, one_by_one, orders, read, rows

TABLES = {
    "invoices": "number",
    "invoice_states": "",
    "line_balances": "",
    "payments": "",
    "allocations": "",
    "reservations": "",
    "credit_note_lines": "",
    "credit_notes": "number",
}
End = list[str]
CAUSAL = one_by_one(1, 1, 1, 0, 0)
RESOLVED_FIRST = one_by_one(0, 0, 1, 1, 1)


@dataclass
class World:
    """Invoicing, and an account with an invoice of which two lines are disputed."""

    runtime: Runtime
    client: Client
    database: Database
    account_id: str = ""
    invoice_id: str = ""
    upheld: UUID = field(default_factory=uuid4)
    withdrawn: UUID = field(default_factory=uuid4)
    other: str = ""

    async def new(self) -> "World":
        """Return a world with a new account; nothing is reserved yet."""
        world = World(self.runtime, self.client, self.database)
        world.account_id = (await self.client.create("/v1/accounts", account()))["id"]
        world.invoice_id = (await self.client.create("/v1/invoices", invoice(world.account_id, 700, 300, 200)))["id"]
        return world

    async def reserve(self) -> None:
        """Hold the first line for one dispute, the second for the other."""
        for dispute, line, amount in ((self.upheld, 1, 700), (self.withdrawn, 2, 300)):
            lines = [{"line": line, "amount_minor": amount}]
            body = {"dispute_id": str(dispute), "invoice_id": self.invoice_id, "lines": lines}
            await self.client.create("/v1/reservations", body)

    def build_dispute_events(self) -> list[Event]:
        """Build what escalation announces: one dispute is upheld, the other withdrawn."""
        common: dict[str, Any] = {"account_id": UUID(self.account_id), "invoice_id": UUID(self.invoice_id)}
        common |= {"case_id": uuid4(), "currency": "EUR"}
        first = (DisputedLine(line=1, amount_minor=700),)
        second = (DisputedLine(line=2, amount_minor=300),)
        return [
            DisputeResolved(dispute_id=self.upheld, lines=first, outcome="upheld", **common),
            DisputeWithdrawn(dispute_id=self.withdrawn, lines=second, **common),
        ]

    async def act(self, number: int) -> None:
        """Do what happens here meanwhile: the undisputed line is paid, another invoice is issued, and paid."""
        body = {"account_id": self.account_id, "amount": eur(200), "invoice_id": self.invoice_id}
        lines = [{"line": 3, "amount_minor": 200}]
        match number:
            case 0:
                await self.client.create("/v1/payments", body | {"lines": lines})
            case 1:
                self.other = (await self.client.create("/v1/invoices", invoice(self.account_id, 400)))["id"]
            case 2:
                body = {"account_id": self.account_id, "amount": eur(150), "invoice_id": self.other}
                await self.client.create("/v1/payments", body)

    async def hear(self, order: Order) -> None:
        """Read what escalation told, up to here; what was heard before is dropped."""
        await read(self.runtime, [self.build_dispute_events()], [step for step in order if step[0] == 0], (0,))

    async def end(self) -> End:
        """List what is there, in words."""
        names = {UUID(self.account_id): "account", UUID(self.invoice_id): "invoice", self.upheld: "upheld"}
        names |= {self.withdrawn: "withdrawn"}
        return await rows(self.database, "invoicing", UUID(self.account_id), names, TABLES)


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield World(runtime, client, database)


@pytest.fixture
async def causal(world: World) -> End:
    return await end(world, CAUSAL)


async def end(world: World, order: Order) -> End:
    """Return what is there after a new account's story happened in this order."""
    new_world = await world.new()
    await new_world.reserve()
    acts = 0
    for place, (topic, _) in enumerate(order, 1):
        if topic == 0:
            await new_world.hear(order[:place])
        else:
            await new_world.act(acts)
            acts += 1
    return await new_world.end()


@FEW
@given(order=orders(2, 3))
@example(order=RESOLVED_FIRST)
async def test_disputes_end_in_any_order_with_payments_and_invoices(world: World, causal: End, order: Order) -> None:
    outcome = await end(world, order)
    assert outcome == causal
    assert [row for row in outcome if row.startswith("credit_notes") and '"total_minor": 700' in row]


async def test_the_outcome_of_a_dispute_that_is_not_known_yet_moves_nothing_until_it_is(
    world: World, causal: End
) -> None:
    new_world = await world.new()
    before = await new_world.end()
    for dispute in new_world.build_dispute_events():
        with pytest.raises(EventHandlerFailed) as failed:
            await read(new_world.runtime, [[dispute]], one_by_one(0), (0,))
        assert isinstance(failed.value.__cause__, UnreservedDispute)
    assert await new_world.end() == before
    await new_world.reserve()
    for number in range(3):
        await new_world.act(number)
    await new_world.hear(one_by_one(0, 0))
    assert await new_world.end() == causal
