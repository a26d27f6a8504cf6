"""Whoever changes something over REST or by a command leaves entry entry, which stays; only its words can be erased."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.persistence import audit
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Cause, Unit
from shared.persistence.unit_endings import write_unit_ending
from shared.process.runtime import Runtime
from shared.process.service import NAMES
from tests.builders import START, Client, Database, account, eur, invoice, running

ENTRIES = "SELECT * FROM invoicing.audit_entries ORDER BY occurred_at, id"


@pytest.fixture
async def served(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[tuple[Runtime, Client]]:
    async with running("invoicing", database, keys, jwks_file) as made:
        yield made


@pytest.fixture
async def client(served: tuple[Runtime, Client]) -> Client:
    return served[1]


async def entries(database: Database) -> list[dict[str, Any]]:
    """All entries of invoicing, with their JSON read."""
    rows = await database.rows(ENTRIES)
    return [dict(row) | {name: row[name] and orjson.loads(row[name]) for name in JSON} for row in rows]


JSON = ("before", "after", "personal")


async def test_a_change_says_what_was_and_what_became_of_it(client: Client, database: Database) -> None:
    owner = await client.create("/v1/accounts", account())
    headers = client.headers | {"if-match": '"1"'}
    body = {"name": "Account 18", "billing_email": owner["billing_email"], "terms_days": 14}
    body |= {"vendor_customer_ids": ["tenant-17"]}
    await database.move(hours=1)
    assert (await client.http.patch(f"/v1/accounts/{owner['id']}", json=body, headers=headers)).status_code == 200
    made, changed = await entries(database)
    assert (made["action"], made["before"], made["after"], made["personal"]) == ("account.register", None, None, {})
    assert (str(made["account_id"]), made["object_type"], made["object_id"]) == (owner["id"], "account", owner["id"])
    assert (changed["actor"], changed["action"]) == ("operator", "account.change")
    assert changed["occurred_at"] == START + timedelta(hours=1)
    assert changed["before"] == {"terms_days": 30, "version": 1}
    assert changed["after"] == {"terms_days": 14, "version": 2}
    assert changed["personal"] == {"before": {"name": "Account 17"}, "after": {"name": "Account 18"}}


async def test_each_of_many_that_share_a_transaction_has_its_own_entry(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [(await client.create("/v1/accounts", account()))["id"] for _ in range(6)]
    written: list[int] = []

    async def count_statement(connection: asyncpg.Connection, *rows: Any) -> None:
        written.append(len(rows[2]))
        await write_unit_ending(connection, *rows)

    monkeypatch.setattr("shared.persistence.database.write_unit_ending", count_statement)
    people = [client.somebody(f"person-{n}") for n in range(6)]
    bodies = [{"account_id": owner, "amount": eur(100)} for owner in owners]
    bodies[5] |= {"invoice_id": str(uuid4())}  # refused
    answers = await asyncio.gather(*(entry.post("/v1/payments", b) for entry, b in zip(people, bodies, strict=True)))
    assert [entry.status_code for entry in answers] == [201] * 5 + [404]
    assert sum(written) == 5
    assert len(written) < 5, "they shared a transaction, and a statement"
    rows = [entry for entry in await entries(database) if entry["action"] == "payment.record"]
    assert {(entry["actor"], str(entry["account_id"]), entry["object_id"]) for entry in rows} == {
        (f"person-{n}", owners[n], answers[n].json()["id"]) for n in range(5)
    }
    causes = await database.rows(
        "SELECT subject, headers::jsonb ->> 'ce_causationid' AS cause FROM invoicing.outbox"
        " WHERE type LIKE '%PaymentReceived%'"
    )
    assert {(str(entry["account_id"]), entry["cause_id"]) for entry in rows} == {
        (entry["subject"], entry["cause"]) for entry in causes
    }


async def test_a_repeat_and_a_refusal_leave_nothing(client: Client, database: Database) -> None:
    owner = (await client.create("/v1/accounts", account()))["id"]
    body = {"account_id": owner, "amount": eur(100)}
    for _ in range(3):
        assert (await client.post("/v1/payments", body, key="once")).status_code == 201
    issue = invoice(owner, 100)
    for _ in range(2):
        assert (await client.post("/v1/invoices", issue, key="once")).status_code == 201
    assert (await client.post("/v1/payments", {**body, "amount": eur(0)})).status_code == 422
    assert (await client.post(f"/v1/payments/{uuid4()}:reverse", {"reason": "x"})).status_code == 404
    stale = client.headers | {"if-match": '"7"'}
    change = {"name": "x", "billing_email": "a@b.example", "terms_days": 1}
    assert (await client.http.patch(f"/v1/accounts/{owner}", json=change, headers=stale)).status_code == 412
    actions = [entry["action"] for entry in await entries(database)]
    assert actions == ["account.register", "payment.record", "invoice.issue"]


async def test_what_is_said_again_and_changes_nothing_leaves_nothing(client: Client, database: Database) -> None:
    rates = {"source": "ecb", "date": "2026-03-02", "base": "EUR", "rates": [{"quote": "USD", "rate": "1.08"}]}
    for rate in ("1.08", "1.08", "1.09"):
        rates["rates"] = [{"quote": "USD", "rate": rate}]
        assert (await client.http.put("/v1/exchange-rates", json=rates, headers=client.headers)).status_code == 200
    first, second = await entries(database)
    assert (first["before"], first["after"]) == ({"rates": {}}, {"rates": {"USD": "1.08"}})
    assert (second["before"], second["after"]) == ({"rates": {"USD": "1.08"}}, {"rates": {"USD": "1.09"}})


async def test_settings_say_what_was_before(client: Client, database: Database) -> None:
    async def put(path: str, **body: Any) -> None:
        answer = await client.http.put(path, json=body, headers=client.headers)
        assert answer.status_code == 200, answer.text

    mapping = {"bank_account": "DE02", "booked_on": "d", "amount": "s", "currency": "c", "text": ["t"]}
    for amount, delimiter in ((5, ","), (7, ";")):
        await put("/v1/tolerances/GS-DE/EUR", amount_minor=amount, reason="charges")
        await put("/v1/approval-limits/lead/EUR", amount_minor=amount * 100, reason="the board")
        await put("/v1/bank-mappings/spk", **mapping, delimiter=delimiter)
        tax = {"legal_entity": "GS-DE", "country": "DE", "tax_class": "standard", "valid_from": "2026-01-01"}
        await client.create("/v1/tax-rates", tax | {"rate_bp": amount, "reason": "the law"})
    second = (await entries(database))[4:]
    assert [(entry["action"], entry["object_id"], entry["before"], entry["after"]) for entry in second] == [
        ("tolerance.set", "GS-DE/EUR", {"amount_minor": 5}, {"amount_minor": 7}),
        ("approval_limit.set", "lead/EUR", {"amount_minor": 500}, {"amount_minor": 700}),
        ("bank_mapping.set", "spk", {"delimiter": ","}, {"delimiter": ";"}),
        ("tax_rate.set", "GS-DE/DE/standard/2026-01-01", {"rate_bp": 5}, {"rate_bp": 7}),
    ]
    assert [entry["personal"].get("reason") for entry in second] == ["charges", "the board", None, "the law"]


async def test_what_nobody_accounts_for_is_undone(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = (await client.create("/v1/accounts", account()))["id"]
    monkeypatch.setattr(Unit, "record", lambda unit, change: None)
    payment = {"account_id": owner, "amount": eur(100)}
    put = {"amount_minor": 5, "reason": "charges"}
    for answer in (
        await client.post("/v1/accounts", account()),
        await client.post("/v1/payments", payment),
        await client.http.put("/v1/tolerances/GS-DE/EUR", json=put, headers=client.headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    counted = "SELECT (SELECT count(*) FROM invoicing.{}) AS n"
    actions = [await database.value(counted.format(table)) for table in ("accounts", "payments", "tolerances")]
    assert actions == [1, 0, 0]


COLUMNS = (
    "id",
    "occurred_at",
    "actor",
    "action",
    "account_id",
    "object_type",
    "object_id",
    "cause_id",
    "before",
    "after",
)


@pytest.mark.parametrize("service", NAMES)
async def test_a_service_appends_and_erases_words_and_does_nothing_else(database: Database, service: str) -> None:
    insert = (
        "INSERT INTO audit_entries VALUES (gen_random_uuid(), $1, 'anna', 'a.b', NULL, 'a', '1', 'c', NULL, NULL, $2)"
    )
    async with database.connected(service) as connection:
        for words in ('{"reason": "one"}', '{"reason": "two"}'):
            await connection.execute(insert, START, words)
        await connection.execute("UPDATE audit_entries SET personal = '{}' WHERE personal ->> 'reason' = 'one'")
        assert [row[0] for row in await connection.fetch("SELECT personal FROM audit_entries ORDER BY 1")] == [
            "{}",
            '{"reason": "two"}',
        ]
        for column in COLUMNS:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"UPDATE audit_entries SET {column} = {column}")
        for statement in ("DELETE FROM audit_entries", "TRUNCATE audit_entries", "DROP TABLE audit_entries"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_entries_are_found_by_what_is_asked_for(
    served: tuple[Runtime, Client], database: Database, keys: SigningKeyPair
) -> None:
    _, client = served
    account_id = (await client.create("/v1/accounts", account()))["id"]
    await database.move(hours=1)
    other = (await client.somebody("anna").create("/v1/accounts", account()))["id"]
    await database.move(hours=1)
    paid = (await client.create("/v1/payments", {"account_id": account_id, "amount": eur(100)}))["id"]
    await client.create(f"/v1/payments/{paid}:reverse", {"reason": "returned"})

    async def list_found(**asked: str) -> list[str]:
        page = await client.got("/v1/audit-entries", **asked)
        return [f"{entry['actor']} {entry['action']}" for entry in page["items"]]

    everything = ["operator account.register", "anna account.register", "operator payment.record"]
    everything.append("operator payment.reverse")
    assert await list_found() == everything
    assert await list_found(account_id=other) == ["anna account.register"]
    assert await list_found(actor="anna") == ["anna account.register"]
    assert await list_found(action="payment.record") == ["operator payment.record"]
    assert await list_found(object_id=paid) == everything[2:]
    assert await list_found(**{"from": "2026-03-02T10:00:00Z", "to": "2026-03-02T11:00:00Z"}) == everything[1:2]
    assert (
        await list_found(account_id=account_id, action="payment.reverse", **{"from": "2026-03-02T11:00:00Z"})
        == everything[3:]
    )
    assert await list_found(account_id=str(uuid4())) == []

    reversal = (await client.got("/v1/audit-entries", action="payment.reverse"))["items"][0]
    assert (reversal["before"], reversal["after"]) == (
        {"state": "received", "unapplied_minor": 100},
        {"state": "reversed", "unapplied_minor": 0},
    )
    assert reversal["personal"] == {"reason": "returned"}


async def test_entries_come_in_pages_also_of_one_instant(client: Client) -> None:
    ids = [(await client.create("/v1/accounts", account()))["id"] for _ in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await client.got("/v1/audit-entries", limit=2, action="account.register", **after)
        seen += [entry["object_id"] for entry in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == ids
    strange = await client.get("/v1/audit-entries", after="MDFhMjBkNjAtNzQ1OC03MjliLWIyNDQtNTRmMzNhYjBjMWQy")
    assert (strange.status_code, strange.json()["code"]) == (422, "bad_cursor")


async def test_who_only_reads_does_not_see_the_audit(client: Client, keys: SigningKeyPair) -> None:
    for scopes in ("invoicing:read", "invoicing:credits", "invoicing:settings", "invoicing:admin"):
        reader = Client(client.http, keys.token("invoicing", scopes))
        assert (await reader.get("/v1/audit-entries")).status_code == 403
    auditor = Client(client.http, keys.token("invoicing", "invoicing:audit"))
    assert (await auditor.got("/v1/audit-entries"))["items"] == []


async def run_act(runtime: Runtime, action: Callable[[Unit], Awaitable[None]]) -> None:
    """Run a unit for somebody."""
    await runtime.units.run(action, Cause("request-1", act=audit.AuditedAct("anna", "thing.change")))


async def test_what_a_savepoint_undoes_leaves_nothing(served: tuple[Runtime, Client], database: Database) -> None:
    async def act(unit: Unit) -> None:
        with contextlib.suppress(LookupError):
            async with unit.savepoint():
                unit.record(AuditedChange("thing", "undone"))
                raise LookupError
        unit.record(AuditedChange("thing", "done"))

    await run_act(served[0], act)
    assert [entry["object_id"] for entry in await entries(database)] == ["done"]


async def test_a_unit_that_runs_again_leaves_one_entry(served: tuple[Runtime, Client], database: Database) -> None:
    runs: list[int] = []

    async def act(unit: Unit) -> None:
        runs.append(len(runs))
        unit.record(AuditedChange("thing", len(runs)))
        if len(runs) == 1:
            raise asyncpg.DeadlockDetectedError

    await run_act(served[0], act)
    assert [entry["object_id"] for entry in await entries(database)] == ["2"]
