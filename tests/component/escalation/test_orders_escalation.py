"""Escalation comes to the same end in whatever order it hears of invoices and of the vendor's failures."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from shared.events import Event
from shared.events.entitlements import RenewalSettingsNotRestored, SuspensionRefusedByVendor, VendorSyncFailed
from shared.events.invoicing import AccountRegistered, AllocatedAmount, CreditNoteIssued, InvoiceBalance, InvoiceIssued
from shared.process.runtime import Runtime
from tests.builders import START, Client, Database, running
from tests.component.orders import FEW, Order, list_announcements, one_by_one, orders, read, rows

TABLES = {"accounts": "", "invoices": "", "cases": "outcome_sequence number", "disputes": ""}
End = tuple[list[str], list[str]]
CAUSAL = one_by_one(0, 0, 0, 1, 1, 1, 1)
LINES = [{"line": 1, "amount_minor": 500}]


class Willing:
    """Invoicing, which reserves whatever it is asked to."""

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        return {}

    async def get(self, path: str) -> Any:
        return {"lines": LINES, "total_minor": 10_000}

    async def close(self) -> None:
        pass


@dataclass
class World:
    """Escalation, and an account with an invoice and a subscription."""

    runtime: Runtime
    client: Client
    database: Database
    account_id: UUID = field(default_factory=uuid4)
    invoice_id: UUID = field(default_factory=uuid4)
    subscription_id: UUID = field(default_factory=uuid4)

    async def upheld(self) -> UUID:
        """A dispute that was opened and upheld."""
        body = {"account_id": str(self.account_id), "invoice_id": str(self.invoice_id), "currency": "EUR"}
        dispute = (await self.client.create("/v1/disputes", body | {"lines": LINES}))["id"]
        await self.client.create(f"/v1/disputes/{dispute}:uphold", {"reason": "billed twice"})
        return UUID(dispute)


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        runtime.clients._clients["invoicing"] = Willing()  # type: ignore[assignment]
        yield World(runtime, client, database)


@pytest.fixture
async def causal(world: World) -> End:
    return await end(world, CAUSAL, 2)


def story(world: World, dispute_id: UUID) -> Sequence[Sequence[Event]]:
    """An account, its invoice, and the credit note of its dispute; failures of three kinds, one of them twice."""
    account: dict[str, Any] = {"account_id": world.account_id}
    amounts = ("total_minor", "open_minor", "disputed_minor", "in_flight_minor", "credited_minor", "written_off_minor")
    due = {"invoice_id": world.invoice_id, "number": "GS-17", "currency": "EUR", "due_date": START.date(), "lines": ()}
    balance = InvoiceBalance(**due, **dict.fromkeys(amounts, 0))
    profile = {"legal_entity": "GS-DE", "currency": "EUR", "time_zone": "UTC", "terms_days": 8}
    note = {"credit_note_id": uuid4(), "number": "CN-1", "invoice_id": world.invoice_id, "dispute_id": dispute_id}
    credited = (AllocatedAmount(invoice_id=world.invoice_id, line=1, amount_minor=500),)
    invoicing = [
        AccountRegistered(**account, **profile, external_reference=None, vendor_customer_ids=()),
        InvoiceIssued(**account, issue_date=START.date(), external_reference=None, balance=balance),
        CreditNoteIssued(**account, **note, currency="EUR", total_minor=500, lines=credited),
    ]
    ours = account | {"subscription_id": world.subscription_id}
    failed = VendorSyncFailed(**ours, wanted_state="active", vendor_code="2094")
    refused = SuspensionRefusedByVendor(**ours, suspension_id=uuid4(), vendor_code="2094")
    lost = RenewalSettingsNotRestored(**ours, suspension_id=None, missing_settings=("autoRenewEnabled",))
    return [invoicing, [failed, refused, failed, lost]]


async def end(world: World, order: Order, disputed_at: int) -> End:
    """Return what is there and what was announced after a new account's story was read in this order.

    After so many messages a dispute is upheld; the messages are read again then, and dropped.
    """
    new_world = World(world.runtime, world.client, world.database)
    await read(new_world.runtime, story(new_world, uuid4()), order[:disputed_at])
    dispute_id = await new_world.upheld()
    await read(new_world.runtime, story(new_world, dispute_id), order)
    named = {
        "account": new_world.account_id,
        "invoice": new_world.invoice_id,
        "subscription": new_world.subscription_id,
    }
    names = {id_: name for name, id_ in (named | {"dispute": dispute_id}).items()}
    return (
        await rows(new_world.database, "escalation", new_world.account_id, names, TABLES),
        await list_announcements(new_world.database, "escalation", new_world.account_id, names),
    )


@FEW
@given(order=orders(3, 4), disputed_at=st.integers(0, 7))
@example(order=CAUSAL, disputed_at=0)  # the dispute is resolved before anything is heard of its invoice
async def test_invoices_and_failures_in_any_order(world: World, causal: End, order: Order, disputed_at: int) -> None:
    credited_at = [place for place, (topic, _) in enumerate(order) if topic == 0][2]
    state, events = await end(world, order, min(disputed_at, credited_at))
    assert (state, events) == causal
    assert len([row for row in state if row.startswith("cases") and "vendor:subscription" in row]) == 3
    assert [row for row in state if row.startswith("disputes") and '"credit_note_id": "?"' in row]
