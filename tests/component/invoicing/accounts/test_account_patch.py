"""A PATCH of an account is a merge: what it does not name stays, for every field; null empties what may be empty."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from pydantic.fields import FieldInfo

from deploy.local.tokens import SigningKeyPair
from services.invoicing.accounts.api.account_routes import AccountMasterData
from shared.web.merge_patches import is_emptied_by_null
from tests.builders import Client, Database, account, running

WHOLE: dict[str, Any] = {
    "name": "Alpenrose Hotels",
    "billing_email": "billing@alpenrose.example",
    "terms_days": 14,
    "vendor_customer_ids": ["tenant-4711", "tenant-4712"],
    "country": "DE",
    "tax_status": "exempt",
    "tax_id": "DE123456789",
    "language": "de",
    "address": ["Hauptstraße 5", "80331 München"],
    "support_level": "standard",
}
OTHER: dict[str, Any] = {
    "name": "Alpenrose Hotels AG",
    "billing_email": "payables@alpenrose.example",
    "terms_days": 30,
    "vendor_customer_ids": ["tenant-4713"],
    "country": "FR",
    "tax_status": "reverse_charge",
    "tax_id": "FR40303265045",
    "language": "fr-FR",
    "address": ["Rue 7", "75001 Paris"],
    "support_level": "premium",
}
ON_THE_TOPIC = ("country", "language", "support_level", "tax_status", "terms_days", "vendor_customer_ids")
FIELDS = AccountMasterData.model_fields
EMPTIED = {name: field for name, field in FIELDS.items() if is_emptied_by_null(field)}


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


async def patch_account(client: Client, account_id: str, content: bytes, kind: str = "json") -> httpx2.Response:
    headers = client.headers | {"if-match": '"1"', "content-type": f"application/{kind}"}
    return await client.http.patch(f"/v1/accounts/{account_id}", content=content, headers=headers)


async def get_announced(database: Database, event: str) -> dict[str, Any]:
    payload = await database.value("SELECT data FROM invoicing.outbox WHERE type LIKE $1", f"%.{event}.v1")
    return dict(orjson.loads(payload))


def test_every_field_is_tried_with_two_values() -> None:
    assert WHOLE.keys() == OTHER.keys() == FIELDS.keys()
    assert not [name for name in FIELDS if WHOLE[name] == OTHER[name]]
    assert EMPTIED.keys() == {"vendor_customer_ids", "country", "tax_id", "address"}


@pytest.mark.parametrize("name", FIELDS)
async def test_a_patch_of_one_field_leaves_the_others(client: Client, database: Database, name: str) -> None:
    made = await client.create("/v1/accounts", account(**WHOLE))
    answer = await patch_account(client, made["id"], orjson.dumps({name: OTHER[name]}))
    assert (answer.status_code, answer.json()) == (200, made | {name: OTHER[name], "version": 2})
    assert await client.got(f"/v1/accounts/{made['id']}") == answer.json()
    changed = await get_announced(database, "AccountChanged")
    assert {field: changed[field] for field in ON_THE_TOPIC} == {field: answer.json()[field] for field in ON_THE_TOPIC}
    entry = (await client.got("/v1/audit-entries", action="account.change"))["items"][0]
    before, after = (
        entry["before"] | entry["personal"].get("before", {}),
        entry["after"] | entry["personal"].get("after", {}),
    )
    assert (before, after) == ({name: WHOLE[name], "version": 1}, {name: OTHER[name], "version": 2})


@pytest.mark.parametrize(("name", "field"), FIELDS.items())
async def test_null_empties_what_may_be_empty(client: Client, name: str, field: FieldInfo) -> None:
    made = await client.create("/v1/accounts", account(**WHOLE))
    answer = await patch_account(client, made["id"], orjson.dumps({name: None}))
    if name in EMPTIED:
        empty: list[str] | None = [] if isinstance(WHOLE[name], list) else None
        assert (answer.status_code, answer.json()) == (200, made | {name: empty, "version": 2})
    else:
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [name])
        assert await client.got(f"/v1/accounts/{made['id']}") == made


@pytest.mark.parametrize("sent", [{}, {"terms_days": 14}, WHOLE, {"address": WHOLE["address"]}])
async def test_what_names_nothing_new_changes_nothing(client: Client, database: Database, sent: dict[str, Any]) -> None:
    made = await client.create("/v1/accounts", account(**WHOLE))
    answer = await patch_account(client, made["id"], orjson.dumps(sent))
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, made, '"1"')
    assert await database.value("SELECT count(*) FROM invoicing.outbox") == 1
    assert await database.value("SELECT count(*) FROM invoicing.audit_entries") == 1


async def test_an_account_without_an_address_has_an_empty_one(client: Client) -> None:
    made = await client.create("/v1/accounts", account())
    for sent in (b'{"address": []}', b'{"address": null}'):
        answer = await patch_account(client, made["id"], sent)
        assert (answer.status_code, answer.json()) == (200, made)


@pytest.mark.parametrize("sent", [b'{"surprise": 1}', b'{"currency": "USD"}', b'{"version": 7}', b"[]", b"null"])
async def test_what_may_not_change_is_refused(client: Client, sent: bytes) -> None:
    made = await client.create("/v1/accounts", account(**WHOLE))
    answer = await patch_account(client, made["id"], sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert await client.got(f"/v1/accounts/{made['id']}") == made


async def test_it_may_be_sent_as_what_it_is(client: Client) -> None:
    made = await client.create("/v1/accounts", account(**WHOLE))
    answer = await patch_account(client, made["id"], b'{"terms_days": 7}', "merge-patch+json")
    assert (answer.status_code, answer.json()) == (200, made | {"terms_days": 7, "version": 2})


async def test_what_is_registered_is_announced_with_what_readers_need(client: Client, database: Database) -> None:
    await client.create("/v1/accounts", account(**WHOLE))
    event = await get_announced(database, "AccountRegistered")
    assert {name: event[name] for name in ON_THE_TOPIC} == {name: WHOLE[name] for name in ON_THE_TOPIC}
    assert not {"name", "billing_email", "address", "tax_id"} & event.keys()
