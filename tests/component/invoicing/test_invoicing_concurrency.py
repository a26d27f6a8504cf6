"""Invoicing under concurrent callers: numbers without gaps, no money twice; and each refusal with its code."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running, subscription


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


async def owner_of(client: Client, **more: Any) -> str:
    """A new account."""
    return str((await client.create("/v1/accounts", account(**more)))["id"])


async def patch(client: Client, account_id: str, if_match: str | None, **more: Any) -> httpx2.Response:
    """Change an account as the version that If-Match names."""
    body = {"name": "Account 17", "billing_email": "pay@account-17.example", "terms_days": 14} | more
    headers = httpx2.Headers(client.headers | ({} if if_match is None else {"if-match": if_match}), encoding="latin-1")
    return await client.http.patch(f"/v1/accounts/{account_id}", json=body, headers=headers)


async def test_numbers_of_each_legal_entity_have_no_gap_under_concurrent_issues(client: Client) -> None:
    owners = [await owner_of(client, legal_entity=entity) for entity in ("GS-DE", "GS-FR", "GS-DE", "GS-FR")]
    issued = await asyncio.gather(*(client.create("/v1/invoices", invoice(owners[n % 4], 100)) for n in range(40)))
    numbers = sorted(invoice["number"] for invoice in issued)
    assert numbers == [f"{entity}-{n:08d}" for entity in ("GS-DE", "GS-FR") for n in range(1, 21)]


async def test_two_payments_of_one_invoice_at_once_pay_it_once(client: Client) -> None:
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    body = {"account_id": owner, "amount": eur(1000), "invoice_id": issued["id"]}
    paid = await asyncio.gather(*(client.create("/v1/payments", body) for _ in range(4)))
    assert sorted(payment["unapplied_minor"] for payment in paid) == [0, 1000, 1000, 1000]
    named = {**body, "lines": [{"line": 1, "amount_minor": 1}]}
    refused = await client.post("/v1/payments", named)
    assert (refused.status_code, refused.json()["code"]) == (409, "amount_refused")


async def test_two_disputes_at_once_never_hold_more_than_a_line_has(client: Client) -> None:
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    lines = [{"line": 1, "amount_minor": 600}]
    answers = await asyncio.gather(
        *(
            client.post(
                "/v1/reservations",
                {"dispute_id": f"01890000-0000-7000-8000-00000000000{n}", "invoice_id": issued["id"], "lines": lines},
            )
            for n in range(3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (await client.got(f"/v1/invoices/{issued['id']}/balance"))["disputed_minor"] == 600


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/subscriptions", "/v1/invoices"])
async def test_one_reference_registered_by_several_at_once_is_taken_by_one(client: Client, path: str) -> None:
    owners = [await owner_of(client) for _ in range(4)]
    bodies = {
        "/v1/accounts": [account(external_reference="crm-1") for _ in owners],
        "/v1/subscriptions": [subscription(owner, vendor_subscription_id="vendor-1") for owner in owners],
        "/v1/invoices": [invoice(owners[0], 100, external_reference="erp-1") for _ in owners],
    }[path]
    answers = await asyncio.gather(*(client.post(path, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"reference_taken"}


async def test_an_account_changes_only_as_the_version_that_was_seen(client: Client) -> None:
    owner = await owner_of(client)
    etag = (await client.get(f"/v1/accounts/{owner}")).headers["etag"]
    changed = await patch(client, owner, etag, terms_days=14)
    assert (changed.status_code, changed.json()["terms_days"], changed.headers["etag"]) == (200, 14, '"2"')
    stale = await patch(client, owner, etag)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    for missing in (None, "", 'W/"2"', "²", "-1", "1.0"):
        answer = await patch(client, owner, missing)
        assert (answer.status_code, answer.json()["code"]) == (428, "if_match_missing")
    both = await asyncio.gather(*(patch(client, owner, '"2"', terms_days=days) for days in (15, 16, 17)))
    assert sorted(answer.status_code for answer in both) == [200, 412, 412]


async def test_every_refusal_has_its_code(client: Client) -> None:
    owner, other = await owner_of(client), await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    dollars = {"amount_minor": 100, "currency": "USD"}
    in_dollars = [{"description": "x", "amount": dollars}]
    named = {"account_id": owner, "amount": eur(9), "invoice_id": issued["id"]}
    nobody = "01890000-0000-7000-8000-0000000000ff"
    line_9 = [{"line": 9, "amount_minor": 1}]
    twice = [{"line": 1, "amount_minor": 1}] * 2
    hold = {"dispute_id": nobody, "invoice_id": issued["id"]}
    reservation = {"dispute_id": issued["id"], "invoice_id": issued["id"], "lines": [{"line": 1, "amount_minor": 5}]}
    await client.create("/v1/reservations", reservation)
    for path, body, status, code in (
        ("/v1/invoices", invoice(nobody, 1), 404, "not_found"),
        ("/v1/invoices", invoice(owner, 1, issue_date="2026-03-02", due_date="2026-03-01"), 422, "date_refused"),
        ("/v1/invoices", invoice(owner, 1) | {"lines": in_dollars}, 422, "currency_mismatch"),
        ("/v1/payments", {"account_id": owner, "amount": dollars}, 422, "currency_mismatch"),
        ("/v1/payments", {"account_id": nobody, "amount": eur(1)}, 404, "not_found"),
        ("/v1/payments", {"account_id": other, "amount": eur(1), "invoice_id": issued["id"]}, 404, "not_found"),
        ("/v1/payments", named | {"lines": line_9}, 422, "unknown_line"),
        ("/v1/payments", named | {"lines": twice}, 422, "unknown_line"),
        ("/v1/reservations", hold | {"lines": line_9}, 422, "unknown_line"),
        ("/v1/reservations", hold | {"lines": twice}, 422, "unknown_line"),
        ("/v1/reservations", {**hold, "invoice_id": nobody, "lines": line_9}, 404, "not_found"),
        ("/v1/reservations", reservation | {"lines": [{"line": 1, "amount_minor": 6}]}, 409, "dispute_known"),
        (f"/v1/payments/{nobody}:reverse", {"reason": "x"}, 404, "not_found"),
    ):
        answer = await client.post(path, body)
        problem = orjson.loads(answer.content)
        assert (answer.status_code, problem["code"]) == (status, code), (path, body)
    assert (await client.got(f"/v1/invoices/{issued['id']}/balance"))["open_minor"] == 1000
