"""Nothing of a body is read before it is known who sends it, and no more of it than the route takes."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from starlette.types import Message

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from shared.process.service import load_service
from shared.web.http import body_receiving, create_process_app
from shared.web.http.admission import HEALTH_REQUESTS
from tests.builders import Client, Database, account, running, settings_for

JSON = (b"content-type", b"application/json")
PIECE = b" " * 65_536


@dataclass
class Sender:
    """Sends the pieces of a body as they are asked for, and then nothing; what is answered is kept."""

    pieces: list[bytes]
    is_slow: bool = False
    """After the pieces the rest never comes."""
    asked: int = 0
    answers: list[Message] = field(default_factory=list)
    is_waited_for: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        self.asked += 1
        if self.asked > len(self.pieces):
            self.is_waited_for.set()
            await asyncio.Event().wait()
        is_last = self.asked == len(self.pieces) and not self.is_slow
        return {"type": "http.request", "body": self.pieces[self.asked - 1], "more_body": not is_last}

    async def send(self, message: Message) -> None:
        self.answers.append(message)

    @property
    def status(self) -> int:
        return int(self.answers[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.answers[0]["headers"]}

    @property
    def code(self) -> str:
        return str(orjson.loads(self.answers[1]["body"])["code"])


@dataclass
class Server:
    """An application that is asked as a server asks it."""

    app: Any
    client: Client

    async def ask(
        self, sender: Sender, method: str, path: str, *headers: tuple[bytes, bytes], token: bool = True
    ) -> Sender:
        """Send a request."""
        own = [(b"authorization", self.client.headers["authorization"].encode())] if token else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*headers, *own, (b"idempotency-key", str(uuid4()).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "state": {},
        }
        await asyncio.wait_for(self.app(scope, sender.receive, sender.send), 10)
        return sender


@pytest.fixture
async def server(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Server]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield Server(client.http._transport.app, client)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/accounts", 401),  # the short way
        ("PATCH", f"/v1/accounts/{UUID(int=17)}", 401),
        ("POST", "/v1/bank-imports", 401),
        ("POST", "/v1/usage-files", 401),
        ("POST", "/v1/nothing", 404),
        ("PUT", "/v1/accounts", 405),
        ("POST", "/health/live", 405),
    ],
)
async def test_without_a_token_not_one_byte_is_read(server: Server, method: str, path: str, status: int) -> None:
    sender = await server.ask(Sender([PIECE] * 3), method, path, JSON, (b"transfer-encoding", b"chunked"), token=False)
    assert (sender.status, sender.asked) == (status, 0)
    assert sender.headers["connection"] == "close", "else the server would read on to find the next request"


async def test_without_the_scope_not_one_byte_is_read(server: Server, keys: SigningKeyPair) -> None:
    reader = Server(server.app, Client(server.client.http, keys.token("invoicing", "invoicing:read")))
    sender = await reader.ask(Sender([PIECE]), "POST", "/v1/accounts", JSON)
    assert (sender.status, sender.code, sender.asked) == (403, "not_allowed", 0)


async def test_a_body_without_a_reader_is_not_read(server: Server) -> None:
    sender = await server.ask(Sender([PIECE] * 3), "GET", "/v1/accounts", (b"transfer-encoding", b"chunked"))
    assert (sender.status, sender.asked) == (200, 0)


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/balances:batch"])
async def test_a_body_that_says_that_it_is_too_large_is_not_read(server: Server, path: str) -> None:
    length = (b"content-length", b"262145")
    sender = await server.ask(Sender([PIECE] * 5), "POST", path, JSON, length)
    assert (sender.status, sender.code, sender.asked) == (413, "body_too_large", 0)
    assert sender.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/balances:batch"])
async def test_a_body_that_does_not_say_so_is_read_as_far_as_the_limit(server: Server, path: str) -> None:
    sender = await server.ask(Sender([PIECE] * 9), "POST", path, JSON, (b"transfer-encoding", b"chunked"))
    assert (sender.status, sender.code, sender.asked) == (413, "body_too_large", 5), "4 pieces are just 256 KiB"


async def test_a_body_just_as_large_as_may_be_is_taken(server: Server) -> None:
    body = orjson.dumps(account()).ljust(256 * 1024)
    sender = await server.ask(Sender([body]), "POST", "/v1/accounts", JSON, (b"content-length", b"262144"))
    assert sender.status == 201


async def test_routes_of_files_take_more(server: Server) -> None:
    for path, most in (("/v1/bank-imports", 64 << 20), ("/v1/usage-lines", 4 << 20)):
        for size, status in ((most, 422), (most + 1, 413)):
            media_type = JSON if "usage" in path else (b"content-type", b"application/xml")
            length = (b"content-length", b"%d" % size)
            sender = await server.ask(Sender([b"{}"]), "POST", path, media_type, length)
            assert sender.status == status, (path, size)


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/balances:batch", "/v1/bank-imports"])
async def test_a_body_that_comes_by_drops_is_not_waited_for(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_receiving, "PATIENCE_SECONDS", 0.05)
    media_type = (b"content-type", b"text/xml") if "bank" in path else JSON
    sender = Sender([b"{"], is_slow=True)
    await server.ask(sender, "POST", path, media_type, (b"content-length", b"100"))
    assert (sender.status, sender.code) == (408, "body_too_slow")


async def test_a_refusal_names_at_most_twenty_fields(server: Server) -> None:
    body = orjson.dumps(account(**{f"x{number}": 1 for number in range(5000)}))
    headers = server.client.headers | {"content-type": "application/json", "idempotency-key": "key-1"}
    answer = await server.client.http.post("/v1/accounts", content=body, headers=headers)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20


async def test_one_request_too_many_is_told_to_come_again(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    settings = settings_for("invoicing", database, jwks_file, max_requests=2)
    runtime = Runtime(load_service("invoicing"), settings)
    app = create_process_app(runtime)
    server = Server(app, Client(None, keys.token("invoicing")))  # type: ignore[arg-type]
    waiting = [Sender([b"{"], is_slow=True) for _ in range(2)]
    tasks = [asyncio.create_task(server.ask(sender, "POST", "/v1/accounts", JSON)) for sender in waiting]
    for sender in waiting:
        await asyncio.wait_for(sender.is_waited_for.wait(), 10)
    try:
        refused = await server.ask(Sender([PIECE]), "POST", "/v1/accounts", JSON)
        assert (refused.status, refused.code, refused.asked) == (503, "overloaded", 0)
        assert refused.headers["retry-after"] == "1"
        assert (await server.ask(Sender([]), "GET", "/v1/nothing")).status == 503
        for _ in range(HEALTH_REQUESTS + 1):
            assert (await server.ask(Sender([]), "GET", "/health/live")).status == 200
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert (await server.ask(Sender([]), "GET", "/v1/nothing")).status == 404
    await runtime.close()


async def test_every_answer_says_that_nobody_keeps_it_and_that_it_runs_nothing(server: Server) -> None:
    for path, status in (("/v1/accounts", 200), ("/v1/nothing", 404), ("/openapi.json", 200)):
        sender = await server.ask(Sender([]), "GET", path)
        assert sender.status == status
        assert sender.headers["x-content-type-options"] == "nosniff"
        assert sender.headers["cache-control"] == "no-store"
        assert sender.headers["content-security-policy"].startswith("default-src 'none'")
        assert "connection" not in sender.headers
    page = await server.ask(Sender([]), "GET", "/docs")
    (policy,) = re.findall(r"script-src ([^;]*)", page.headers["content-security-policy"])
    (script,) = re.findall(rb"<script>(.*?)</script>", page.answers[1]["body"], re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert policy == f"'self' 'sha256-{digest}'"
    asset = await server.ask(Sender([]), "GET", "/docs/assets/swagger-ui.css")
    assert asset.headers["cache-control"].startswith("public")


async def test_the_page_for_customers_runs_nothing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> None:
    async with running("collections", database, keys, jwks_file) as (_, client):
        answer = await client.http.get("/policy", headers={"host": "evil.example"})
    assert "evil.example" not in answer.text
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'"
    )


async def test_bodies_together_take_no_more_memory_than_there_is(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_receiving.MEMORY, "max_bytes", 100_000)
    xml = (b"content-type", b"application/xml")
    slow = Sender([PIECE], is_slow=True)
    asking = asyncio.create_task(server.ask(slow, "POST", "/v1/bank-imports", xml))
    await slow.is_waited_for.wait()
    refused = await server.ask(Sender([PIECE]), "POST", "/v1/bank-imports", xml)
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "no_room", "1")
    on_disk = await server.ask(Sender([PIECE] * 3), "POST", "/v1/usage-files", (b"content-type", b"text/csv"))
    assert on_disk.status == 422, "what goes to the disk is no memory"
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert body_receiving.MEMORY.taken_bytes == 0
    assert (await server.ask(Sender([PIECE]), "POST", "/v1/bank-imports", xml)).status == 422
    assert body_receiving.MEMORY.taken_bytes == 0
