"""Every route of every service, as somebody who should not get in; and bad input, as somebody who may."""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx2
import jwt
import pytest
import time_machine
from fastapi.routing import APIRoute

from deploy.local.tokens import SigningKeyPair
from shared.contracts.scopes import SCOPES, list_scopes
from shared.process.runtime import Runtime
from shared.process.service import NAMES, load_service
from shared.web.auth import find_required_scopes
from tests.builders import Client, Database, account, running

PUBLIC = {
    "GET /health/live",
    "GET /health/ready",
    "GET /policy",
    "GET /support",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/assets/{name}",
    "GET /redoc",
}
"""What needs no token; whoever adds to this list decides so knowingly."""
PERSONAL_READS = ("/correspondence",)
"""What a scope opens that changes something, since it shows what a person wrote wherever that is."""
READING_POSTS = ("/v1/balances:batch", "/notice-facts")
"""How the paths end of POSTs that only read."""
READING_WORDS = {"read", "messages", "audit", "operate"}
PROBLEM = "application/problem+json"


@dataclass
class Edge:
    """One service's HTTP edge."""

    name: str
    runtime: Runtime
    client: Client
    keys: SigningKeyPair

    def routes(self) -> Iterator[tuple[str, str, APIRoute | None]]:
        """Method and path (with something for each parameter) of whatever answers."""
        transport = self.client.http._transport
        assert isinstance(transport, httpx2.ASGITransport)
        app = transport.app
        for route in app.routes:  # type: ignore[attr-defined]
            for method in route.methods - {"HEAD"}:
                yield method, route.path, route if isinstance(route, APIRoute) else None

    def list_guarded_routes(self) -> list[tuple[str, str]]:
        """List the routes that need a token, each with a path that can be called."""
        return [
            (method, re.sub(r"\{[^}]+\}", str(uuid4()), path))
            for method, path, _ in self.routes()
            if f"{method} {path}" not in PUBLIC
        ]

    async def status(self, method: str, path: str, token: str | None, scheme: str = "Bearer") -> tuple[int, str]:
        """Call with a token; the status and code of the problem that comes back."""
        headers = {"idempotency-key": str(uuid4())} | ({"authorization": f"{scheme} {token}"} if token else {})
        answer = await self.client.http.request(method, path, headers=headers, content=b"{}")
        assert answer.headers["content-type"] == PROBLEM
        assert answer.status_code != 401 or answer.headers["www-authenticate"] == "Bearer"
        return answer.status_code, answer.json()["code"]


@pytest.fixture(params=NAMES)
async def edge(
    request: pytest.FixtureRequest, database: Database, keys: SigningKeyPair, jwks_file: Path
) -> AsyncIterator[Edge]:
    async with running(request.param, database, keys, jwks_file) as (runtime, client):
        yield Edge(request.param, runtime, client, keys)


async def test_nobody_gets_in_without_a_token_that_is_for_this_service(edge: Edge, tmp_path: Path) -> None:
    other = NAMES[NAMES.index(edge.name) - 1]
    everything = " ".join(list_scopes(edge.name))
    with time_machine.travel(datetime.now(UTC) - timedelta(hours=13), tick=False):
        expired = edge.keys.token(edge.name)
    foreign = SigningKeyPair(tmp_path / "foreign").token(edge.name)
    kid = jwt.get_unverified_header(edge.keys.token(edge.name))["kid"]
    claims = jwt.decode(edge.keys.token(edge.name), options={"verify_signature": False})
    tokens = {
        "none": None,
        "another audience": edge.keys.token(other, everything),
        "expired": expired,
        "a foreign key": foreign,
        "a foreign key under our id": jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": kid}),
        "no signature": jwt.encode(claims, "", algorithm="none", headers={"kid": kid}),
        "rubbish": "rubbish",
    }
    assert len(edge.list_guarded_routes()) >= 4
    for method, path in edge.list_guarded_routes():
        for defect, token in tokens.items():
            assert await edge.status(method, path, token) == (401, "not_authenticated"), (
                f"{method} {path} with {defect}"
            )
    method, path = edge.list_guarded_routes()[0]
    assert await edge.status(method, path, edge.keys.token(edge.name), "Basic") == (401, "not_authenticated")


async def test_a_token_without_the_scope_is_refused_on_every_route(edge: Edge) -> None:
    nothing = edge.keys.token(edge.name, "")
    reads = edge.keys.token(edge.name, f"{edge.name}:read")
    changing = [scope for scope in list_scopes(edge.name) if scope.split(":")[1] not in READING_WORDS]
    writes = edge.keys.token(edge.name, " ".join(changing))
    for method, path in edge.list_guarded_routes():
        assert await edge.status(method, path, nothing) == (403, "not_allowed"), f"{method} {path}"
        is_reading = method == "GET" and not path.endswith(PERSONAL_READS)
        wrong = writes if is_reading or path.endswith(READING_POSTS) else reads
        assert await edge.status(method, path, wrong) == (403, "not_allowed"), f"{method} {path}"


async def test_the_scope_that_is_split_opens_nothing_and_the_refusal_names_the_one_that_is_needed(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        former = Client(client.http, keys.token("invoicing", "invoicing:read invoicing:write"))
        needed = {
            (await former.post(path, {})).json()["detail"]
            for path in ("/v1/accounts", "/v1/bill-runs", "/v1/payments", "/v1/credit-notes", "/v1/reservations")
        }
    words = ("sales", "billing", "payments", "credits", "disputes")
    assert needed == {f"the token lacks the scope invoicing:{word}" for word in words}
    opened = [
        route.path  # type: ignore[attr-defined]
        for router in runtime.service.routers
        for route in router.routes
        if "invoicing:write" in (find_required_scopes(route.dependencies) or ())  # type: ignore[attr-defined]
    ]
    assert opened == []


def test_every_scope_opens_a_route_and_every_route_needs_one_that_there_is() -> None:
    needed = {
        scope
        for name in NAMES
        for router in load_service(name).routers
        for route in router.routes
        for scopes in find_required_scopes(route.dependencies) or ()  # type: ignore[attr-defined]
        for scope in scopes.split("|")
    }
    assert needed == {scope for service in SCOPES for scope in list_scopes(service)}


async def test_a_token_that_was_good_is_refused_once_it_is_expired(edge: Edge) -> None:
    method, path = edge.list_guarded_routes()[0]
    token = edge.keys.token(edge.name)
    assert (
        await edge.client.http.request(method, path, headers={"authorization": f"Bearer {token}"})
    ).status_code != 401
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=12, seconds=1), tick=False):
        assert await edge.status(method, path, token) == (401, "not_authenticated")


async def test_whatever_is_refused_is_a_problem_document(edge: Edge) -> None:
    token = edge.keys.token(edge.name)
    assert await edge.status("GET", "/v1/nothing", token) == (404, "not_found")
    assert await edge.status("DELETE", "/health/live", token) == (405, "method_not_allowed")
    for _, path in edge.list_guarded_routes():
        assert await edge.status("TRACE", path, token) == (405, "method_not_allowed")


MALFORMED = (
    b"{",
    b'{"reason": "a", "reason": "b"}',
    b'{"x": [{"y": 1, "y": 1}]}',
    '{"reason": "ä"}'.encode("latin-1"),
    b'{"reason": NaN}',
    b"[" * 100_000,
    b"9" * 5000,
    *(json.dumps({"reason": "a"}).encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-32-be")),
)
"""Bodies that are none, for whichever route."""


async def test_a_body_that_cannot_be_read_is_malformed_on_every_route(edge: Edge) -> None:
    tried = 0
    for method, path, route in edge.routes():
        if route is None or route.body_field is None:
            continue
        sent = re.sub(r"\{[^}]+\}", str(uuid4()), path)
        headers = edge.client.headers | {"idempotency-key": str(uuid4()), "content-type": "application/json"}
        for body in MALFORMED:
            answer = await edge.client.http.request(method, sent, headers=headers, content=body)
            assert answer.headers["content-type"] == PROBLEM
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), (path, body[:30])
        for body in (b"[]", b""):
            answer = await edge.client.http.request(method, sent, headers=headers, content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (path, body)
        tried += 1
    assert tried >= 2


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


GIVEN_OUT = "01a20d60-7458-729b-b244-54f33ab0c1d2"


def _given_out(path: str, query: dict[str, str]) -> str:
    """The cursor of a list by its path and what is asked of it."""
    mark = sha256(repr((path, sorted(query.items()))).encode()).hexdigest()[:16]
    return _cursor(f"{GIVEN_OUT} {mark}")


def list_cursors(given_out: str) -> tuple[str, ...]:
    """List what is near a cursor that was given out, and was not given out itself."""
    mark = base64.urlsafe_b64decode(given_out).decode().partition(" ")[2]
    return (
        "",
        "!!!",
        "=",
        "AA==",
        "ÿ",
        _cursor(""),
        _cursor("17"),
        _cursor(GIVEN_OUT),
        _cursor(f"{GIVEN_OUT.upper()} {mark}"),
        _cursor(f"{{{GIVEN_OUT}}} {mark}"),
        _cursor(f"{GIVEN_OUT.replace('-', '')} {mark}"),
        _cursor(f"{GIVEN_OUT} {mark[::-1]}"),
        _cursor(f"{GIVEN_OUT} {mark.upper()}x"),
        _cursor(f"17 {mark}"),
        given_out[:-1],
        given_out[:-4],
        given_out + "=",
        given_out + "!",
        "!" + given_out,
    )


AUDIT = "/v1/audit-entries"
BY_CODE = {"/v1/cases-by-deadline", "/v1/legal-entities", "/v1/ledger-periods", "/v1/vendor-channels", "/v1/incidents"}
"""Lists whose cursors are of codes, not of ids."""


async def test_a_cursor_that_no_list_gave_out_is_refused_by_every_list(edge: Edge) -> None:
    document = (await edge.client.http.get("/openapi.json")).json()
    lists = 0
    for path, operations in document["paths"].items():
        parameters = {parameter["name"] for parameter in operations.get("get", {}).get("parameters", [])}
        if "after" not in parameters:
            continue
        sent = re.sub(r"\{[^}]+\}", GIVEN_OUT, path)
        other: dict[str, str] = {"external_reference": "crm-1"} if "external_reference" in parameters else {}
        status = (await edge.client.get(sent, after=_given_out(sent, {}))).status_code
        if path == AUDIT or path in BY_CODE:  # no entry ever goes, so a cursor of none is no cursor
            assert status == 422
        else:
            assert status in ((200,) if sent == path else (200, 404)), "a thing that is not there may have no list"
        attempts = [(cursor, query) for query in ({}, other) for cursor in list_cursors(_given_out(sent, query))]
        if other:
            attempts += [(_given_out(sent, {}), other), (_given_out(sent, other), {})]
        for cursor, query in [*attempts, (_given_out(f"{sent}/more", {}), {})]:
            answer = await edge.client.get(sent, after=cursor, **query)
            assert (answer.status_code, answer.json().get("code")) == (422, "bad_cursor"), (path, cursor)
        lists += 1
    assert lists


async def test_no_parameter_makes_it_break(edge: Edge) -> None:
    document = (await edge.client.http.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        if "get" not in operations:
            continue
        names = [
            parameter["name"] for parameter in operations["get"].get("parameters", []) if parameter["in"] == "query"
        ]
        for value in ("\x00", "9" * 400, "-1", "AA==", "ÿ"):
            sent = re.sub(r"\{[^}]+\}", quote(value[:50]), path)
            for query in ({}, *({name: value} for name in names)):
                answer = await edge.client.get(sent, **query)
                assert answer.status_code < 500 or path == "/health/ready", (path, value, query, answer.text)
                response = operations["get"]["responses"].get(str(answer.status_code), {})
                media_type = answer.headers["content-type"].partition(";")[0]
                assert answer.status_code < 400 or media_type in (response.get("content") or {PROBLEM: {}}), path


EVIL: tuple[object, ...] = ("\x00", "a\x00b", "\ud800", 10**400, 1e308, -1, 2**63, [], {}, None, "x" * 10**6, "NaN")


async def test_no_value_in_a_body_makes_it_break(database: Database, keys: SigningKeyPair, jwks_file: Path) -> None:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        owner = (await client.create("/v1/accounts", account()))["id"]
        bodies: dict[str, dict[str, object]] = {
            "/v1/accounts": account(external_reference="crm-1"),
            "/v1/payments": {"account_id": owner, "amount": {"amount_minor": 100, "currency": "EUR"}},
            "/v1/balances:batch": {"invoice_ids": [str(uuid4())]},
        }
        for path, body in bodies.items():
            for name, evil in ((name, evil) for name in body for evil in EVIL):
                headers = client.headers | {"idempotency-key": str(uuid4()), "content-type": "application/json"}
                answer = await client.http.post(path, content=json.dumps(body | {name: evil}), headers=headers)
                assert answer.status_code < 500, (path, name, repr(evil)[:20], answer.text)
