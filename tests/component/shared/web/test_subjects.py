"""Who calls is known by the normalised subject of the token: on every route, for keys, and for the second person."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from deploy.local.tokens import SigningKeyPair
from shared.migrate import migrate_database
from tests.builders import START, Client, Database, account, invoice, running
from tests.upgrades import create_database_at


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


async def propose_refund(client: Client) -> str:
    """A credit note that somebody proposed as `anna@gs.example `."""
    limit = {"amount_minor": 50_000, "reason": "the board"}
    await client.http.put("/v1/approval-limits/lead/EUR", json=limit, headers=client.headers)
    owner = (await client.create("/v1/accounts", account()))["id"]
    issued = (await client.create("/v1/invoices", invoice(owner, 10_000)))["id"]
    credit = {"invoice_id": issued, "lines": [{"line": 1, "amount_minor": 100}], "reason_code": "goodwill"}
    made = await client.somebody("anna@gs.example ").create("/v1/credit-notes", credit | {"reason": "late"})
    assert (made["state"], made["proposed_by"]) == ("proposed", "anna@gs.example")
    return str(made["id"])


@pytest.mark.parametrize("stored", [None, " ANNA@gs.example", "ａnna@gs.example"])
async def test_another_spelling_is_no_second_person(client: Client, database: Database, stored: str | None) -> None:
    approval_id = await propose_refund(client)
    if stored:  # as a subject was kept when it was not normalised
        await database.execute("UPDATE invoicing.approvals SET proposed_by = $1", stored)
    path = f"/v1/approvals/{approval_id}:approve"
    for spelling in ("Anna@GS.example", "anna@gs.example", "\u00a0ANNA@GS.EXAMPLE"):
        answer = await client.somebody(spelling, "lead").post(path, {"reason": "fine"})
        assert (answer.status_code, answer.json()["code"]) == (403, "second_person_needed")
        answer = await client.somebody(spelling, "lead").post(path.replace(":approve", ":decline"), {"reason": "no"})
        assert (answer.status_code, answer.json()["code"]) == (403, "second_person_needed")
    approved = await client.somebody("Berta@GS.example", "lead").create(path, {"reason": "fine"})
    assert (approved["state"], approved["decided_by"]) == ("carried_out", "berta@gs.example")


@pytest.mark.parametrize("subject", ["", " ", "an\u200bna", "anna\x00", "x" * 256])
async def test_who_cannot_be_seen_does_not_get_in(client: Client, subject: str) -> None:
    answer = await client.somebody(subject).get("/v1/accounts")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_a_key_counts_for_every_spelling_of_its_caller(client: Client, database: Database) -> None:
    first = await client.somebody("Anna").post("/v1/accounts", account(), key="k")
    again = await client.somebody(" anna").post("/v1/accounts", account(), key="k")
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    rows = await database.rows("SELECT actor FROM invoicing.audit_entries")
    assert [row["actor"] for row in rows] == ["anna"]
    page = await client.got("/v1/audit-entries", actor="ANNA ")
    assert [entry["actor"] for entry in page["items"]] == ["anna"]


@pytest.fixture
async def former(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database of invoicing from before subjects were normalised."""
    name = "before_subjects_were_normalised"
    await create_database_at(postgres, name, "invoicing", "0015")
    yield Database(postgres, name)
    admin = await asyncpg.connect(postgres.url())
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_keys_from_before_subjects_were_normalised_count_on(former: Database) -> None:
    insert = "INSERT INTO invoicing.idempotency VALUES ($1, 'POST /v1/payments', $2, 'hash', 201, $3, $4)"
    kept = [("Anna", "k1", "first"), ("Anna", "k2", "second"), ("anna", "k2", "third"), ("berta", "k1", "fourth")]
    for caller, key, answer in kept:
        await former.execute(insert, caller, key, answer, START)
    await migrate_database(former.url("owner"), ("invoicing",))
    rows = await former.rows("SELECT caller, key, answer FROM invoicing.idempotency")
    assert {tuple(row) for row in rows} == {
        ("anna", "k1", "first"),
        ("Anna", "k2", "second"),
        ("anna", "k2", "third"),
        ("berta", "k1", "fourth"),
    }
