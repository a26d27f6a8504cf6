"""Whatever is generated from a service's OpenAPI document gets an answer that the document declares."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.local.tokens import Keys
from shared.clients import Answered
from shared.runtime import Runtime
from shared.service import NAMES
from tests.builders import Client, Database, account, activated, eur, hear, invoice, registered, running, subscription

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STANDARD = (Path(__file__).parents[2] / "sandbox" / "policies" / "standard.yaml").read_text()
COMMON = {"currency": ["EUR"], "time_zone": ["Europe/Berlin"], "effective_date": ["2026-03-03"]}
"""What a generator does not hit by chance."""
BOTH = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
HIT = st.sampled_from([True, True, False])
"""How often what exists takes the place of what was generated."""


@dataclass
class Door:
    """Invoicing as escalation meets it: holds up to 1000, and refuses more."""

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        if any(line["amount_minor"] > 1000 for line in body["lines"]):
            raise Answered(409, {"code": "amount_refused", "detail": "line 1 has 1000 that can be disputed"})
        return body | {"held": True}

    async def close(self) -> None:
        pass


@dataclass
class Edge:
    """A service with a little in it, by the names that parameters and fields have for it."""

    client: Client
    operations: list[Any]
    seeded: dict[str, list[Any]]

    async def check(self, case: Case[Any], known: dict[str, Any]) -> int:
        """Send a case, where it is `known` with what exists; the status, once the answer is found as declared."""
        case.path_parameters.update({name: known[name] for name in known if name in case.path_parameters})
        case.body = _placed(case.body, known)
        sent = case.as_transport_kwargs(base_url="http://service")
        own = self.client.headers | {"idempotency-key": str(uuid4())}
        headers = {name: value for name, value in sent.pop("headers").items() if name.lower() not in own} | own
        sent = {name: value for name, value in sent.items() if name in ("method", "url", "params", "json", "data")}
        content = sent.pop("data", None)
        answer = await self.client.http.request(
            **sent, **({"content": content} if content is not None else {}), headers=headers
        )
        assert answer.status_code != 401, "what is behind the door is to be tested, not the door"
        case.validate_response(answer, checks=CHECKS)
        return answer.status_code


def _placed(body: Any, known: dict[str, Any]) -> Any:
    """A body with what is known in its place, however deep."""
    if isinstance(body, list):
        return [_placed(one, known) for one in body]
    if isinstance(body, dict):
        return {name: known[name] if name in known else _placed(one, known) for name, one in body.items()}
    return body


async def _invoicing(_: Runtime, client: Client) -> dict[str, list[Any]]:
    owner = (await client.made("/v1/accounts", account()))["id"]
    bought = await client.made("/v1/subscriptions", subscription(owner))
    issued = [(await client.made("/v1/invoices", invoice(owner, 10**9, 500)))["id"] for _ in range(2)]
    paid = [(await client.made("/v1/payments", {"account_id": owner, "amount": eur(9)}))["id"] for _ in range(3)]
    return {"account_id": [owner], "subscription_id": [bought["id"]], "invoice_id": issued, "payment_id": paid}


async def _collections(runtime: Runtime, client: Client) -> dict[str, list[Any]]:
    owner = uuid4()
    policy = {"document": STANDARD, "effective_date": "2026-03-02", "reason": "first version"}
    made = await client.made("/v1/policies", policy)
    await hear(runtime, registered(owner))
    return {"account_id": [str(owner)], "version": [made["version"]], "document": [STANDARD]}


async def _entitlements(runtime: Runtime, client: Client) -> dict[str, list[Any]]:
    bought = activated(uuid4(), uuid4())
    await hear(runtime, bought)
    hold = {"subscription_id": str(bought.subscription_id), "reason": "fraud", "owner": "operator"}
    held = [(await client.made("/v1/holds", hold))["hold_id"] for _ in range(3)]
    return {"account_id": [str(bought.account_id)], "subscription_id": [hold["subscription_id"]], "hold_id": held}


async def _escalation(runtime: Runtime, client: Client) -> dict[str, list[Any]]:
    runtime.clients._clients["invoicing"] = Door()  # type: ignore[assignment]
    owner, issued = str(uuid4()), str(uuid4())
    lines = [{"line": 1, "amount_minor": 700}]
    dispute = {"account_id": owner, "invoice_id": issued, "currency": "EUR", "lines": lines}
    disputed = [(await client.made("/v1/disputes", dispute))["id"] for _ in range(4)]
    case = {"kind": "billing_question", "account_id": owner, "subject": "What is line 3?"}
    opened = [(await client.made("/v1/cases", case))["id"] for _ in range(3)]
    return {"account_id": [owner], "invoice_id": [issued], "dispute_id": disputed, "case_id": opened}


SEEDS = {
    "invoicing": _invoicing,
    "collections": _collections,
    "entitlements": _entitlements,
    "escalation": _escalation,
}


@pytest.fixture(params=NAMES)
async def edge(request: pytest.FixtureRequest, database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[Edge]:
    async with running(request.param, database, keys, jwks_file) as (runtime, client):
        document = (await client.http.get("/openapi.json")).json()
        operations = [one.ok() for one in openapi.from_dict(document).get_all_operations()]  # type: ignore[union-attr]
        yield Edge(client, operations, await SEEDS[request.param](runtime, client))


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_answer_is_declared(edge: Edge, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(edge.operations))
    case = data.draw(operation.as_strategy(data.draw(BOTH)))
    known = (
        {name: data.draw(st.sampled_from(ids)) for name, ids in (COMMON | edge.seeded).items()}
        if data.draw(HIT)
        else {}
    )
    await edge.check(case, known)
