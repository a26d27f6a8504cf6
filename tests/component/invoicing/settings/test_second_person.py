"""A legal entity may say that no second person is required; then a refund within a limit is paid at once."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.relief_requests import build_credit, set_limit

RULE = "/v1/legal-entities/{}/second-person"


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    """Invoicing, in which operators may decide about 5.00 euro."""
    async with running("invoicing", database, keys, jwks_file) as (_, caller):
        await set_limit(caller, 500)
        yield caller


async def set_rule(client: Client, required: Any, code: str = "GS-DE") -> httpx2.Response:
    """Say whether a legal entity requires a second person."""
    body = {"required": required, "reason": "one person"}
    return await client.http.put(RULE.format(code), json=body, headers=client.headers)


async def pay_in(client: Client, minor: int = 2_000, **profile: Any) -> str:
    """Register an account with unapplied cash; its id."""
    owner = str((await client.create("/v1/accounts", account(**profile)))["id"])
    await client.create("/v1/payments", {"account_id": owner, "amount": eur(minor)})
    return owner


async def refund(client: Client, owner: str, minor: int) -> httpx2.Response:
    """Ask for a refund."""
    body = {"account_id": owner, "amount": eur(minor), "reason_code": "overpayment", "reason": "by letter"}
    return await client.post("/v1/refunds", body)


async def list_balances(database: Database) -> dict[str, int]:
    """List what each account of the ledger comes to, without those that come to nothing."""
    rows = await database.rows("SELECT code, balance_minor FROM invoicing.audit_ledger WHERE balance_minor <> 0")
    return {row["code"]: row["balance_minor"] for row in rows}


async def test_a_second_person_is_required_unless_somebody_says_otherwise(client: Client, database: Database) -> None:
    assert await client.got(RULE.format("GS-DE")) == {
        "legal_entity": "GS-DE",
        "required": True,
        "set_by": None,
        "reason": None,
        "set_at": None,
        "proposed_change": None,
    }
    answer = await refund(client, await pay_in(client), 500)
    assert (answer.status_code, answer.json()["state"]) == (202, "proposed")
    assert await list_balances(database) == {"cash": 2_000, "unapplied": -1_500, "refunds": -500}


async def test_a_refund_within_the_limit_is_paid_at_once_where_none_is_required(
    client: Client, database: Database
) -> None:
    assert (await set_rule(client, False)).status_code == 200
    owner = await pay_in(client)
    answer = await refund(client, owner, 500)
    paid = answer.json()
    assert (answer.status_code, paid["state"], paid["decided_by"]) == (201, "carried_out", None)
    assert paid["decided_at"] == "2026-03-02T09:00:00Z"
    assert await list_balances(database) == {"cash": 1_500, "unapplied": -1_500}
    events = await database.rows("SELECT type, data::jsonb FROM invoicing.outbox WHERE type LIKE '%.Refund%'")
    assert [row["type"].split(".")[2] for row in events] == ["RefundApproved"]
    event = orjson.loads(events[0]["data"])
    assert (event["refund_id"], event["amount_minor"], event["parts"][0]["amount_minor"]) == (paid["id"], 500, 500)
    entry = await database.rows("SELECT * FROM invoicing.audit_entries WHERE action = 'refund.propose'")
    assert orjson.loads(entry[0]["after"]) == {"state": "carried_out", "second_person_required": False}
    (listed,) = (await client.got("/v1/refunds", state="carried_out"))["items"]
    assert (listed["id"], listed["amount_minor"]) == (paid["id"], 500)
    await set_limit(client, 2_000)
    assert (await refund(client, owner, 500 - 1)).status_code == 201
    for _ in range(2):
        await refund(client, owner, 500)
    assert (await refund(client, owner, 2)).json()["code"] == "amount_refused"


async def test_above_the_limit_it_waits_all_the_same_and_nobody_decides_about_their_own(client: Client) -> None:
    await set_rule(client, False)
    issued = await client.create("/v1/invoices", invoice(await pay_in(client), 2_000))
    answers = [
        await refund(client, await pay_in(client), 501),
        await client.post("/v1/credit-notes", build_credit(issued["id"], (1, 501))),
    ]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(202, "proposed")] * 2
    path = f"/v1/approvals/{answers[0].json()['id']}:approve"
    assert (await client.post(path, {"reason": "mine"})).json()["code"] == "second_person_needed"
    assert (await client.somebody(roles="operator").post(path, {"reason": "x"})).json()["code"] == "above_limit"
    within = await client.post("/v1/credit-notes", build_credit(issued["id"], (1, 500)))
    assert within.json()["code"] == "already_proposed"
    nobody = client.somebody("nobody")
    assert (await refund(nobody, await pay_in(client), 1)).status_code == 202  # roles without a limit decide nothing


async def test_the_rule_is_of_one_legal_entity_and_can_be_taken_back(client: Client) -> None:
    await set_rule(client, False, "GS-FR")
    assert (await refund(client, await pay_in(client), 100)).status_code == 202
    french = await pay_in(client, legal_entity="GS-FR")
    assert (await refund(client, french, 100)).status_code == 201
    assert (await set_rule(client, True, "GS-FR")).json()["required"] is True
    assert (await refund(client, french, 100)).status_code == 202


async def test_only_an_administrator_sets_it_and_the_audit_says_what_it_was(
    client: Client, database: Database, keys: SigningKeyPair
) -> None:
    clerk = Client(client.http, keys.token("invoicing", "invoicing:read invoicing:settings"), partial(keys.token))
    assert (await set_rule(clerk, False)).status_code == 403
    assert (await set_rule(client, "no")).status_code == 422
    assert (await set_rule(client, False, "GS-NIL")).status_code == 404
    assert (await client.get(RULE.format("GS-NIL"))).status_code == 404
    for required in (False, True):
        assert (await set_rule(client, required)).status_code == 200
    shown = await clerk.got(RULE.format("GS-DE"))
    assert (shown["required"], shown["set_by"], shown["reason"]) == (True, "operator", "one person")
    rows = await database.rows("SELECT * FROM invoicing.audit_entries WHERE action = 'second_person.set' ORDER BY id")
    assert [(row["object_id"], orjson.loads(row["before"]), orjson.loads(row["after"])) for row in rows] == [
        ("GS-DE", {"required": True}, {"required": False}),
        ("GS-DE", {"required": False}, {"required": True}),
    ]
