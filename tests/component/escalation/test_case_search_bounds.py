"""A search for words takes the database no longer than a bound, and is not tried again."""

from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.repository import case_search
from tests.builders import Database, running


async def test_a_search_that_takes_too_long_is_refused_once(
    database: Database, keys: SigningKeyPair, jwks_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_search, "SEARCH_SECONDS", 0.05)
    async with running("escalation", database, keys, jwks_file) as (_, client):
        assert (await client.got("/v1/case-search", words="invoice"))["items"] == []
        async with database.connected() as connection, connection.transaction():
            await connection.execute("LOCK TABLE escalation.case_words")
            answer = await client.get("/v1/case-search", words='"the invoice"')
            assert (answer.status_code, answer.json()["code"]) == (422, "search_too_wide")
        assert (await client.got("/v1/case-search", words="invoice"))["items"] == []
        assert (await client.get("/v1/cases")).status_code == 200
