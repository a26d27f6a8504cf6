"""A paid line can be disputed: that holds back no other line, and upheld it gives back what was paid."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.escalation import DisputedLine, DisputeResolved
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, eur, hear, invoice, running

Service = tuple[Runtime, Client, Database]


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


async def issue_half_paid(client: Client) -> tuple[str, str, str]:
    """Issue an invoice of 600 and 400 whose first line is paid; its account, its id and the payment."""
    owner = (await client.create("/v1/accounts", account()))["id"]
    issued = (await client.create("/v1/invoices", invoice(owner, 600, 400)))["id"]
    paid = await client.create("/v1/payments", {"account_id": owner, "amount": eur(600), "invoice_id": issued})
    return owner, issued, paid["id"]


async def reserve(client: Client, issued: str, amount: int, line: int = 1) -> tuple[int, str]:
    """Reserve an amount of a line; the status of the answer, and the dispute."""
    dispute = str(uuid4())
    body = {"dispute_id": dispute, "invoice_id": issued, "lines": [{"line": line, "amount_minor": amount}]}
    return (await client.post("/v1/reservations", body)).status_code, dispute


async def read_balance(client: Client, issued: str) -> tuple[Any, ...]:
    """Read what is open, disputed of it, disputed beyond it, and what is open and disputed of each line."""
    balance = await client.got(f"/v1/invoices/{issued}/balance")
    lines = [(line["open_minor"], line["disputed_minor"]) for line in balance["lines"]]
    return balance["open_minor"], balance["disputed_minor"], balance["disputed_paid_minor"], lines


async def resolve(runtime: Runtime, owner: str, issued: str, dispute: str, outcome: str) -> None:
    event = DisputeResolved(
        account_id=UUID(owner),
        dispute_id=UUID(dispute),
        invoice_id=UUID(issued),
        outcome=outcome,
        case_id=uuid4(),
        currency="EUR",
        lines=(DisputedLine(line=1, amount_minor=600),),
    )
    await hear(runtime, event, sequence=1)


async def test_a_paid_line_is_disputed_and_no_other_line_is_held_back(service: Service) -> None:
    _, client, _ = service
    _, issued, _ = await issue_half_paid(client)
    assert (await reserve(client, issued, 600))[0] == 201
    assert await read_balance(client, issued) == (400, 0, 600, [(0, 0), (400, 0)])
    exposure = await client.got("/v1/exposure")
    assert [(owed["open_minor"], owed["disputed_minor"]) for owed in exposure["owed_to_us"]] == [(400, 0)]
    assert (await reserve(client, issued, 1))[0] == 409
    assert (await reserve(client, issued, 401, line=2))[0] == 409
    assert (await reserve(client, issued, 400, line=2))[0] == 201
    assert await read_balance(client, issued) == (400, 400, 600, [(0, 0), (400, 400)])


async def test_what_a_reversal_opens_of_a_disputed_line_is_disputed(service: Service) -> None:
    _, client, _ = service
    _, issued, payment = await issue_half_paid(client)
    await reserve(client, issued, 500)
    await client.create(f"/v1/payments/{payment}:reverse", {"reason": "returned by the bank"})
    assert await read_balance(client, issued) == (1000, 500, 0, [(600, 500), (400, 0)])


async def test_upheld_gives_back_what_was_paid_which_pays_what_is_open(service: Service) -> None:
    runtime, client, database = service
    owner, issued, payment = await issue_half_paid(client)
    _, dispute = await reserve(client, issued, 600)
    await resolve(runtime, owner, issued, dispute, "upheld")
    assert await read_balance(client, issued) == (0, 0, 0, [(0, 0), (0, 0)])
    assert await database.value("SELECT total_minor FROM invoicing.credit_notes") == 600
    assert (await client.got(f"/v1/payments/{payment}"))["unapplied_minor"] == 200


async def test_rejected_leaves_all_as_it_was(service: Service) -> None:
    runtime, client, _ = service
    owner, issued, payment = await issue_half_paid(client)
    _, dispute = await reserve(client, issued, 600)
    await resolve(runtime, owner, issued, dispute, "rejected")
    assert await read_balance(client, issued) == (400, 0, 0, [(0, 0), (400, 0)])
    assert (await client.got(f"/v1/payments/{payment}"))["unapplied_minor"] == 0


async def test_what_is_on_its_way_can_be_disputed_and_due_is_never_below_zero(service: Service) -> None:
    _, client, _ = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    issued = (await client.create("/v1/invoices", invoice(owner, 600, 400)))["id"]
    debit = await client.create("/v1/debits", {"invoice_id": issued, "amount": eur(700), "reference": "DD-1"})
    assert debit["state"] == "initiated"
    assert (await reserve(client, issued, 600))[0] == 201
    balance = await client.got(f"/v1/invoices/{issued}/balance")
    assert [(line["disputed_minor"], line["in_flight_minor"]) for line in balance["lines"]] == [(600, 600), (0, 100)]
