"""Lines of the log are JSON, say where they come from and what they belong to, and name nobody."""

import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from sandbox.driver import SandboxDriver
from sandbox.entities import ensure_legal_entity
from shared.process.service import NAMES
from tests.builders import Client, account
from tests.end_to_end.operations.conftest import Watched

pytestmark = pytest.mark.xdist_group("watched")

NAME, EMAIL = "Peregrina Quillfeather", "peregrina@quillfeather.example"


def lines(watched: Watched, service: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in watched.stack.read_program_log(service).splitlines()]


async def test_a_request_and_what_follows_are_a_line_each_and_name_nobody(
    watched: Watched, watcher: SandboxDriver
) -> None:
    await ensure_legal_entity(watcher, "GS-DE")
    token = watched.stack.token("invoicing")
    async with httpx2.AsyncClient(base_url=watched.stack.url("invoicing"), timeout=20) as http:
        client = Client(http, token)
        body = account(name=NAME, billing_email=EMAIL, external_reference=str(uuid4()))
        made = await client.create("/v1/accounts", body)
        await client.got(f"/v1/accounts/{made['id']}")
        assert (await client.post("/v1/accounts", body | {"terms_days": -1})).status_code == 422
        assert (await client.get(f"/v1/accounts/{EMAIL}")).status_code == 422
    await watcher.monitor.wait_until_settled()
    requests = [line for line in lines(watched, "invoicing") if line["event"] == "request"]
    assert {(line["method"], line["route"], line["status"]) for line in requests} >= {
        ("POST", "/v1/accounts", 201),
        ("GET", "/v1/accounts/{account_id}", 200),
        ("POST", "/v1/accounts", 422),
    }
    (of_account,) = [line for line in requests if line.get("account") == made["id"]]
    assert of_account["service"] == "invoicing"
    assert len(of_account["trace_id"]) == 32
    assert len(of_account["span_id"]) == 16
    heard = [line for line in lines(watched, "collections") if line.get("subject") == made["id"]]
    assert [(line["event"], line["type"]) for line in heard] == [
        ("handled", "goodstanding.invoicing.AccountRegistered.v1")
    ]
    for service in NAMES:
        for line in lines(watched, service):
            assert {"timestamp", "level", "service", "event"} <= line.keys()
        logged = watched.stack.read_program_log(service)
        assert not [hidden for hidden in (NAME, EMAIL, "Quillfeather", token) if hidden in logged]
