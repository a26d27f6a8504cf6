"""The schemas in git are those of the declarations, and a published event is what they and CloudEvents say."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import jsonschema
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from deploy.local.tokens import SigningKeyPair
from shared.events import REGISTRY
from shared.events.__main__ import SCHEMAS, build_event_schema
from shared.messaging import relay
from shared.process.service import NAMES, load_service
from tests.builders import Client, Database, account, eur, invoice, running, subscription

for name in NAMES:
    load_service(name)
DECLARED = sorted(event.type() for event in REGISTRY.values() if event.producer in NAMES)


def test_every_declared_event_has_its_schema_in_git_and_no_other() -> None:
    assert sorted(path.name for path in SCHEMAS.glob("*.json")) == [f"{name}.json" for name in DECLARED]


@pytest.mark.parametrize("type_", DECLARED)
def test_a_schema_is_that_of_its_declaration(type_: str) -> None:
    kept = (SCHEMAS / f"{type_}.json").read_bytes()
    assert kept == build_event_schema(REGISTRY[type_])
    jsonschema.Draft202012Validator.check_schema(json.loads(kept))


@pytest.fixture
async def outbox(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[list[asyncpg.Record]]:
    """Rows that invoicing publishes over a short life of an account."""
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        await live(client)
        yield await database.rows("SELECT subject, type, headers, data FROM invoicing.outbox ORDER BY position")


async def live(client: Client) -> None:
    owner = (await client.create("/v1/accounts", account()))["id"]
    await client.create("/v1/subscriptions", subscription(owner))
    await client.create("/v1/invoices", invoice(owner, 3000, 500))
    paid = await client.create("/v1/payments", {"account_id": owner, "amount": eur(4000)})
    await client.create("/v1/invoices", invoice(owner, 800))
    await client.create(f"/v1/payments/{paid['id']}:reverse", {"reason": "zurückgegeben – “debit”"})


async def test_what_is_published_keeps_to_its_schema_and_is_read_by_cloudevents(outbox: list[asyncpg.Record]) -> None:
    assert len({row["type"] for row in outbox}) >= 6
    for sequence, row in enumerate(outbox, 1):
        message = relay._message(row)
        headers, key, value = message["headers"], message["key"], message["value"]
        assert isinstance(headers, list)
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        read = from_binary(KafkaMessage(dict(headers), key, value), JSONFormat())
        assert (read.get_type(), read.get_subject(), read.get_specversion()) == (row["type"], row["subject"], "1.0")
        assert (read.get_source(), read.get_datacontenttype()) == ("/goodstanding/invoicing", "application/json")
        assert (read.get_extension("partitionkey"), read.get_extension("sequence")) == (row["subject"], str(sequence))
        assert read.get_time() is not None
        schema = orjson.loads((SCHEMAS / f"{row['type']}.json").read_bytes())
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        jsonschema.validate(read.get_data(), schema, jsonschema.Draft202012Validator, format_checker=checker)
        assert all(value.decode().isascii() for _, value in headers)
