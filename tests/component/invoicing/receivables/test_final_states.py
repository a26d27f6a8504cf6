"""One request publishes each balance once, as it ends: no reader sees a state that never stood."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.adjustments.use_cases import dispute_reservations
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.billing_world import Billing
from tests.component.invoicing.adjustments.test_relief import credit, limit
from tests.component.published_balances import find_repeated_balances

Service = tuple[Runtime, Client, Database]
REASON = {"reason": "returned by the bank"}


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        await limit(client, 5000)
        yield runtime, client, database


class Ear:
    """Listens to what invoicing publishes about an account, each time from where it stopped."""

    def __init__(self, database: Database, account_id: str) -> None:
        self.database, self.account_id, self.position = database, account_id, 0

    async def hear(self) -> list[tuple[str, int | None, int | None]]:
        """Return (type, open, in flight) of each event since the last time; amounts of balances only."""
        rows = await self.database.rows(
            "SELECT position, type, data FROM invoicing.outbox WHERE subject = $1 AND position > $2 ORDER BY position",
            str(UUID(self.account_id)),
            self.position,
        )
        self.position = rows[-1]["position"] if rows else self.position
        return [_as_heard(row["type"].split(".")[-2], orjson.loads(row["data"])) for row in rows]


def _as_heard(kind: str, payload: dict[str, Any]) -> tuple[str, int | None, int | None]:
    balance = payload["balance"] if kind == "InvoiceBalanceChanged" else {}
    return kind, balance.get("open_minor"), balance.get("in_flight_minor")


async def owe(service: Service, *amounts: int) -> tuple[dict[str, Any], Ear]:
    """Issue an invoice with lines of these amounts to a new account."""
    _, client, database = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    return await client.create("/v1/invoices", invoice(owner, *amounts)), Ear(database, owner)


async def pay(client: Client, issued: dict[str, Any], amount: int, **more: Any) -> dict[str, Any]:
    return await client.create("/v1/payments", {"account_id": issued["account_id"], "amount": eur(amount)} | more)


async def test_a_settled_debit_is_never_open_and_not_in_flight(service: Service) -> None:
    client = service[1]
    issued, ear = await owe(service, 1000)
    debit = await client.create("/v1/debits", {"invoice_id": issued["id"], "reference": "DD-1"})
    await ear.hear()
    await client.create(f"/v1/debits/{debit['id']}:settle")
    assert await ear.hear() == [
        ("PaymentReceived", None, None),
        ("InvoiceBalanceChanged", 0, 0),
        ("InvoicePaid", None, None),
        ("InvoiceClosed", None, None),
    ]


async def test_a_refused_debit_is_covered_by_cash_at_once(service: Service) -> None:
    client = service[1]
    issued, ear = await owe(service, 1000)
    debit = await client.create("/v1/debits", {"invoice_id": issued["id"], "reference": "DD-1"})
    await pay(client, issued, 400)
    await ear.hear()
    await client.create(f"/v1/debits/{debit['id']}:fail", {"failure": "AC04 account closed"})
    assert await ear.hear() == [
        ("PaymentFailed", None, None),
        ("UnappliedCashUsed", None, None),
        ("InvoiceBalanceChanged", 600, 0),
    ]


async def test_a_refused_debit_without_cash_is_due_again(service: Service) -> None:
    client = service[1]
    issued, ear = await owe(service, 1000)
    debit = await client.create("/v1/debits", {"invoice_id": issued["id"], "reference": "DD-1"})
    await ear.hear()
    await client.create(f"/v1/debits/{debit['id']}:fail", {"failure": "AC04 account closed"})
    assert await ear.hear() == [("PaymentFailed", None, None), ("InvoiceBalanceChanged", 1000, 0)]


@pytest.mark.parametrize(
    ("cash", "balances"),
    [(400, [("InvoiceBalanceChanged", 600, 0)]), (1000, [])],
    ids=["a part of it", "all of it, which changes no balance"],
)
async def test_a_reversed_payment_is_replaced_by_cash(service: Service, cash: int, balances: list[Any]) -> None:
    client = service[1]
    issued, ear = await owe(service, 1000)
    payment = await pay(client, issued, 1000)
    await pay(client, issued, cash)
    await ear.hear()
    await client.create(f"/v1/payments/{payment['id']}:reverse", REASON)
    assert await ear.hear() == [("PaymentReversed", None, None), ("UnappliedCashUsed", None, None), *balances]
    shown = await client.got(f"/v1/invoices/{issued['id']}/balance")
    assert shown["open_minor"] == 1000 - cash


async def test_a_credit_note_whose_freed_cash_pays_another_line(service: Service) -> None:
    client = service[1]
    issued, ear = await owe(service, 1000, 500)
    await pay(client, issued, 1000, invoice_id=issued["id"], lines=[{"line": 1, "amount_minor": 1000}])
    await ear.hear()
    await credit(client, issued["id"], (1, 600))
    assert await ear.hear() == [
        ("CreditNoteIssued", None, None),
        ("UnappliedCashUsed", None, None),
        ("InvoiceBalanceChanged", 0, 0),
        ("InvoiceCredited", None, None),
        ("InvoiceClosed", None, None),
    ]


async def test_a_rejected_dispute_is_paid_by_the_cash_that_waited(service: Service) -> None:
    runtime, client, _ = service
    issued, ear = await owe(service, 1000)
    dispute_id = uuid4()
    reserve = {"dispute_id": str(dispute_id), "invoice_id": issued["id"], "lines": [{"line": 1, "amount_minor": 1000}]}
    await client.create("/v1/reservations", reserve)
    await pay(client, issued, 1000)
    await ear.hear()
    await runtime.units.run(lambda unit: dispute_reservations.settle_dispute(unit, dispute_id, {}))
    assert await ear.hear() == [
        ("UnappliedCashUsed", None, None),
        ("InvoiceBalanceChanged", 0, 0),
        ("InvoicePaid", None, None),
        ("InvoiceClosed", None, None),
    ]


async def test_a_bill_run_gives_back_and_uses_what_it_freed_in_one_change(service: Service) -> None:
    runtime, client, database = service
    billing = Billing(runtime, client, database)
    await billing.rate()
    owner = await billing.account()
    plan = await billing.plan()
    subscription = await billing.buy(plan, owner, quantity=10, start="2026-03-02")
    await billing.buy(plan, owner, quantity=10, start="2026-03-02")
    await billing.run()
    issued = (await client.got("/v1/invoices", account_id=owner))["items"][0]
    lines = await client.got(f"/v1/invoices/{issued['id']}/balance")
    paid = next(line for line in lines["lines"] if line["subscription_id"] == subscription)
    pays = {"line": paid["line"], "amount_minor": paid["open_minor"]}
    await pay(client, issued, paid["open_minor"], invoice_id=issued["id"], lines=[pays])
    await billing.to("2026-03-05")
    await billing.change(subscription, "cancel")
    ear = Ear(database, owner)
    await ear.hear()
    await billing.run()
    kinds = [kind for kind, *_ in await ear.hear()]
    assert (kinds.count("CreditNoteIssued"), kinds.count("InvoiceBalanceChanged")) == (1, 1)
    assert await find_repeated_balances(database) == []
