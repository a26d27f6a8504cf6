"""A card network takes a part of a payment back: it is reserved until the network decides, and moves the money once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.published_balances import find_repeated_balances
from tests.component.relief_requests import build_credit, set_limit

WHY = {"reason": "the network says so"}
EVENTS = "SELECT type, data FROM invoicing.outbox WHERE subject = $1 AND type LIKE '%.Chargeback%' ORDER BY position"
UNBALANCED = """
SELECT document_id FROM invoicing.ledger_entries GROUP BY document_id, event_sequence HAVING sum(amount_minor) <> 0
"""
DIFFERING = """
SELECT p.id FROM invoicing.payments p WHERE p.state = 'received' AND p.amount_minor <> p.unapplied_minor
    + p.charged_back_minor + coalesce((SELECT sum(amount_minor) FROM invoicing.allocations a
        WHERE a.payment_id = p.id AND a.reversed_at IS NULL), 0)
UNION ALL
SELECT b.invoice_id FROM invoicing.line_balances b WHERE b.paid_minor <> coalesce((SELECT sum(amount_minor)
    FROM invoicing.allocations a WHERE a.invoice_id = b.invoice_id AND a.line = b.line AND a.reversed_at IS NULL), 0)
"""
"""Payments whose parts are not their amount, and invoices with a line that is paid by something else."""
BOOKS = """
SELECT code, sum(amount_minor)::bigint AS minor FROM invoicing.ledger_entries
WHERE account_id = $1 AND code IN ('cash', 'receivables', 'unapplied') GROUP BY code
"""


@dataclass
class World:
    """Invoicing, in which operators may give 50.00."""

    client: Client
    database: Database

    async def pay(self, *lines: int, amount: int | None = None) -> tuple[str, str, str]:
        """Issue an invoice with these lines and pay it by card, or an amount; the account, invoice and payment."""
        owner = (await self.client.create("/v1/accounts", account()))["id"]
        issued = (await self.client.create("/v1/invoices", invoice(owner, *lines)))["id"]
        payment = {"account_id": owner, "amount": eur(amount or sum(lines)), "invoice_id": issued}
        return owner, issued, (await self.client.create("/v1/payments", payment))["id"]

    async def read_lines(self, invoice_id: str) -> list[tuple[int, int]]:
        """Read what is open and disputed of each line."""
        balance = await self.client.got(f"/v1/invoices/{invoice_id}/balance")
        return [(line["open_minor"], line["disputed_minor"]) for line in balance["lines"]]

    async def read_books(self, owner: str) -> dict[str, int]:
        """Read what the ledger has of an account, without what is 0."""
        rows = await self.database.rows(BOOKS, owner)
        return {row["code"]: row["minor"] for row in rows if row["minor"]}

    async def decide(self, chargeback: dict[str, Any], verb: str) -> dict[str, Any]:
        """Record what the network decided."""
        answer = await self.client.post(f"/v1/chargebacks/{chargeback['id']}:{verb}", WHY)
        assert answer.status_code == 200, answer.text
        decided: dict[str, Any] = answer.json()
        return decided

    async def list_events(self, owner: str) -> list[tuple[str, dict[str, Any]]]:
        """List what was announced of chargebacks of an account."""
        rows = await self.database.rows(EVENTS, owner)
        return [(row["type"].split(".")[2], orjson.loads(row["data"])) for row in rows]

    async def check_money(self) -> None:
        """Check that the ledger balances, payments add up, and no balance was published twice by one request."""
        for query in (UNBALANCED, DIFFERING):
            assert await self.database.rows(query) == []
        assert await find_repeated_balances(self.database) == []


def take(payment_id: str, minor: int, **more: Any) -> dict[str, Any]:
    """Build the body of a chargeback."""
    body = {"payment_id": payment_id, "amount": eur(minor), "network_reference": f"CB-{uuid4()}"}
    days = {"booked_on": "2026-03-02", "answer_by": "2026-03-20"}
    return body | days | {"reason_code": "not_received"} | more


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        await set_limit(client, 5000)
        yield World(client, database)
        await World(client, database).check_money()


async def test_money_is_reserved_while_the_network_decides_and_moves_once(world: World) -> None:
    client = world.client
    owner, issued, paid = await world.pay(600, 400)
    before = await world.read_books(owner)
    opened = await client.create("/v1/chargebacks", take(paid, 500))
    assert await world.read_lines(issued) == [(100, 100), (400, 400)]
    assert [(part["line"], part["amount_minor"]) for part in opened["allocations"]] == [(1, 100), (2, 400)]
    shown = await client.got(f"/v1/payments/{paid}")
    assert (shown["unapplied_minor"], shown["charged_back_minor"], shown["state"]) == (0, 500, "received")
    assert await world.read_books(owner) == {"cash": 500, "receivables": 500}
    too_much = await client.post("/v1/chargebacks", take(paid, 501))
    assert (too_much.status_code, too_much.json()["code"]) == (409, "amount_refused")
    refused = await client.post(f"/v1/payments/{paid}:reverse", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "charged_back")
    won = await world.decide(opened, "win")
    assert (won["state"], await world.read_lines(issued)) == ("won", [(0, 0), (0, 0)])
    assert await world.read_books(owner) == before
    for verb in ("win", "lose"):
        again = await client.post(f"/v1/chargebacks/{opened['id']}:{verb}", WHY)
        assert (again.status_code, again.json()["code"]) == (409, "move_refused")
    second = await client.create("/v1/chargebacks", take(paid, 300, allocations=[_part(issued, 1, 300)]))
    await world.decide(second, "lose")
    assert await world.read_lines(issued) == [(300, 0), (0, 0)]
    events = await world.list_events(owner)
    assert [name for name, _ in events] == ["ChargebackOpened", "ChargebackWon", "ChargebackOpened", "ChargebackLost"]
    assert (events[0][1]["answer_by"], events[0][1]["is_fraud"]) == ("2026-03-20", False)
    assert all("reference" not in key for _, event in events for key in event)
    reversed_ = await client.post(f"/v1/payments/{paid}:reverse", WHY)
    assert reversed_.status_code == 200
    assert await world.read_lines(issued) == [(600, 0), (400, 0)]
    assert await world.read_books(owner) == {"receivables": 1000}
    late = await client.post("/v1/chargebacks", take(paid, 1))
    assert late.json()["code"] == "already_reversed"


def _part(invoice_id: str, line: int, minor: int) -> dict[str, Any]:
    return {"invoice_id": invoice_id, "line": line, "amount_minor": minor}


async def test_cash_goes_first_and_what_is_not_owed_any_more_is_cash_when_it_is_won(world: World) -> None:
    client = world.client
    owner, issued, paid = await world.pay(600, amount=1000)
    first = await client.create("/v1/chargebacks", take(paid, 300))
    assert (first["cash_minor"], first["allocations"]) == (300, [])
    assert await world.read_lines(issued) == [(0, 0)]
    second = await client.create("/v1/chargebacks", take(paid, 700))
    assert (second["cash_minor"], await world.read_lines(issued)) == (100, [(600, 600)])
    await client.create("/v1/payments", {"account_id": owner, "amount": eur(250)})
    assert await world.read_lines(issued) == [(600, 600)], "money that names nothing pays nothing that is reserved"
    await client.create("/v1/credit-notes", build_credit(issued, (1, 450)))
    await client.create("/v1/payments", {"account_id": owner, "amount": eur(100), "invoice_id": issued})
    await world.decide(second, "win")
    assert await world.read_lines(issued) == [(0, 0)]
    assert (await client.got(f"/v1/payments/{paid}"))["unapplied_minor"] == 650
    announced = (await world.list_events(owner))[-1][1]
    assert ([part["amount_minor"] for part in announced["allocations"]], announced["unapplied_minor"]) == ([50], 650)
    await world.decide(first, "lose")
    assert await world.read_lines(issued) == [(0, 0)]


async def test_a_dispute_that_ends_does_not_free_what_the_network_has(world: World) -> None:
    """Reserve the whole line for a dispute of the customer too: neither counts for the other."""
    client = world.client
    _, issued, paid = await world.pay(1000)
    dispute = {"dispute_id": str(uuid4()), "invoice_id": issued, "lines": [{"line": 1, "amount_minor": 1000}]}
    await client.create("/v1/reservations", dispute)
    opened = await client.create("/v1/chargebacks", take(paid, 1000))
    await client.post(f"/v1/reservations/{dispute['dispute_id']}:release", WHY)
    assert await world.read_lines(issued) == [(1000, 1000)]
    exposure = await client.got("/v1/exposure")
    assert exposure["owed_to_us"][0]["disputed_minor"] == 1000
    await client.create("/v1/reservations", dispute | {"dispute_id": str(uuid4())})
    await world.decide(opened, "lose")
    assert await world.read_lines(issued) == [(1000, 1000)]


async def test_what_was_written_off_is_so_again_and_reserves_nothing(world: World) -> None:
    client = world.client
    _, issued, paid = await world.pay(1000, amount=400)
    given_up = {"invoice_id": issued, "reason_code": "insolvency", "reason": "closed"}
    assert (await client.post("/v1/write-offs", given_up)).status_code == 201
    owner = (await client.got(f"/v1/payments/{paid}"))["account_id"]
    named = {"account_id": owner, "amount": eur(600), "invoice_id": issued}
    recovered = (await client.create("/v1/payments", named))["id"]
    opened = await client.create("/v1/chargebacks", take(recovered, 600))
    assert [part["is_recovery"] for part in opened["allocations"]] == [True]
    assert await world.read_lines(issued) == [(0, 0)]
    await world.decide(opened, "win")
    shown = (await client.got(f"/v1/payments/{recovered}"))["allocations"]
    assert [(part["amount_minor"], part["is_recovery"]) for part in shown if not part["reversed_at"]] == [(600, True)]


async def test_the_same_reference_is_one_chargeback(world: World) -> None:
    client = world.client
    owner, issued, paid = await world.pay(600, 400)
    body = take(paid, 500, allocations=[_part(issued, 1, 500)])
    answers = await asyncio.gather(*(client.post("/v1/chargebacks", body) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await world.read_lines(issued) == [(500, 500), (0, 0)]
    _, _, other = await world.pay(500)
    differing: list[dict[str, Any]] = [
        {"amount": eur(499)},
        {"answer_by": "2026-03-21"},
        {"booked_on": "2026-03-01"},
        {"reason_code": "fraud"},
        {"payment_id": other},
        {"allocations": [_part(issued, 1, 400), _part(issued, 2, 100)]},
    ]
    for change in differing:
        refused = await client.post("/v1/chargebacks", body | change)
        assert (refused.status_code, refused.json()["code"]) == (409, "chargeback_known"), change
    assert [name for name, _ in await world.list_events(owner)] == ["ChargebackOpened"]
    unknown: list[tuple[dict[str, Any], int, str]] = [
        ({"reason_code": "none"}, 422, "unknown_chargeback_reason"),
        ({"amount": {"amount_minor": 1, "currency": "USD"}}, 422, "currency_mismatch"),
        ({"payment_id": str(UUID(int=0))}, 404, "not_found"),
        ({"answer_by": "2026-03-01"}, 422, "invalid"),
        ({"allocations": [_part(issued, 2, 401)]}, 409, "amount_refused"),
        ({"allocations": [_part(issued, 2, 100)], "amount": eur(200)}, 409, "amount_refused"),
    ]
    for change, status, code in unknown:
        refused = await client.post("/v1/chargebacks", take(paid, 401) | change)
        assert (refused.status_code, refused.json()["code"]) == (status, code), change


async def test_chargebacks_are_found_by_state_account_and_deadline(world: World) -> None:
    client = world.client
    owner, _, paid = await world.pay(600, 400)
    first = await client.create("/v1/chargebacks", take(paid, 100, answer_by="2026-03-10"))
    second = await client.create("/v1/chargebacks", take(paid, 100, answer_by="2026-03-15"))
    third = await client.create("/v1/chargebacks", take((await world.pay(500))[2], 100, answer_by="2026-03-09"))
    await world.decide(third, "lose")

    async def list_ids(**query: Any) -> list[str]:
        return [row["id"] for row in (await client.got("/v1/chargebacks", **query))["items"]]

    assert await list_ids() == [first["id"], second["id"], third["id"]]
    assert await list_ids(state="lost") == [third["id"]]
    assert await list_ids(account_id=owner, limit=1) == [first["id"]]
    assert await list_ids(payment_id=paid) == [first["id"], second["id"]]
    assert await list_ids(answer_before="2026-03-15") == [first["id"]]
    assert (await client.got(f"/v1/chargebacks/{first['id']}")) == first
    reason = {"title": "Not what was ordered", "is_fraud": False, "warn_days": 5, "is_active": False}
    put = await client.http.put("/v1/chargeback-reasons/not_received", json=reason, headers=client.headers)
    assert put.json() == {"code": "not_received", **reason}
    assert reason | {"code": "not_received"} in (await client.got("/v1/chargeback-reasons"))["items"]
    assert (await client.post("/v1/chargebacks", take(paid, 1))).json()["code"] == "unknown_chargeback_reason"


async def test_a_fee_is_shown_and_nothing_is_taken_back_in_the_future(world: World) -> None:
    owner, _, paid = await world.pay(600)
    before = await world.read_books(owner)
    late = await world.client.post("/v1/chargebacks", take(paid, 100, booked_on="2026-03-03"))
    assert (late.status_code, late.json()["code"]) == (422, "date_refused")
    assert await world.read_books(owner) == before
    body = take(paid, 100, network_fee_minor=1500)
    opened = await world.client.create("/v1/chargebacks", body)
    listed = (await world.client.got("/v1/chargebacks", payment_id=paid))["items"]
    assert [shown["network_fee_minor"] for shown in (opened, *listed)] == [1500, 1500]
    assert await world.read_books(owner) == {"cash": 500, "receivables": 100}, "the fee is not posted"
    other = await world.client.post("/v1/chargebacks", body | {"network_fee_minor": 1600})
    assert (other.status_code, other.json()["code"]) == (409, "chargeback_known")
