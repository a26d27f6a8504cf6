"""Files that are sent as `application/octet-stream`, as generated clients send any file."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.component import bank_statements
from tests.component.bank_statements import Paid, build_camt_statement
from tests.component.billing_world import Billing
from tests.component.invoicing.usage.test_usage_files import send, subscribe_and_bill
from tests.usage_files import as_csv, as_json_lines, usage_line

OCTETS = "application/octet-stream"


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def test_the_layout_is_told_by_how_the_file_begins(billing: Billing) -> None:
    _, subscription = await subscribe_and_bill(billing)
    lines = [usage_line(subscription, id=f"line-{number}") for number in range(5)]
    files = (
        as_csv(lines[:1]),
        as_json_lines(lines[1:2]),
        gzip.compress(as_csv(lines[2:3])),
        gzip.compress(b"\xef\xbb\xbf \n" + as_json_lines(lines[3:4])),
    )
    answers = [await send(billing, file, OCTETS) for file in files]
    assert [(answer.status_code, answer.json()["new"]) for answer in answers] == [(201, 1)] * 4


@pytest.mark.parametrize("file", [b"", b"\x1f\x8b\x08broken", b"\x00\xff"], ids=["empty", "broken gzip", "no text"])
async def test_what_is_neither_is_refused_with_its_reason(billing: Billing, file: bytes) -> None:
    answer = await send(billing, file, OCTETS)
    assert (answer.status_code, answer.json()["code"]) == (422, "file_refused")


async def test_a_statement_without_a_mapping_is_xml(billing: Billing) -> None:
    taken = await bank_statements.send(billing.client, build_camt_statement([Paid("of March", 700)]), OCTETS)
    assert (taken.status_code, taken.json()["format"]) == (201, "camt.053")
    refused = await bank_statements.send(billing.client, b"day;sum\n", OCTETS, mapping="unknown")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
