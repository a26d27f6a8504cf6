"""A command that goes the short way is answered as by the long one, whatever is wrong with it; and leaves the same."""

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from deploy.local.tokens import Keys
from shared.process.runtime import Runtime
from shared.process.service import NAMES, load_service
from shared.web.commands import CommandRunner
from shared.web.http import create_app
from shared.web.http.short_way import list_shapes
from tests.builders import Client, Database, account, running

PATH = "/v1/accounts"
BODY = orjson.dumps(account())
_numbers = itertools.count(1)


class Ways:
    """One service, entered by its short way and by its long one alone."""

    def __init__(self, runtime: Runtime, client: Client, long: httpx2.AsyncClient) -> None:
        self.runtime = runtime
        self.client = client
        self.long = long

    async def both(self, content: bytes, headers: list[tuple[bytes, bytes]], path: str = PATH) -> list[tuple[Any, ...]]:
        """The answers of both ways: status, headers and content."""
        answers = []
        for http in (self.client.http, self.long):
            answer = await http.post(path, content=content, headers=headers)
            kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
            answers.append((answer.status_code, kept, answer.content))
        return answers

    def headers(self, **more: bytes | None) -> list[tuple[bytes, bytes]]:
        """The headers of a good request with a key of its own, and others in their place; None leaves one out."""
        whole: dict[str, bytes | None] = {
            "authorization": self.client.headers["authorization"].encode(),
            "content-type": b"application/json",
            "idempotency-key": f"key-{next(_numbers)}".encode(),
        }
        replaced = whole | {name.replace("_", "-"): value for name, value in more.items()}
        return [(name.encode(), value) for name, value in replaced.items() if value is not None]


@pytest.fixture
async def ways(database: Database, keys: Keys, jwks_file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ways]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        with monkeypatch.context() as patched:
            patched.setattr("shared.web.http.app.list_shapes", lambda _: {})
            app = create_app(runtime)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as long:
            yield Ways(runtime, client, long)


@pytest.fixture
def count_short(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many requests the short way has read so far to their end."""
    made: list[str] = []

    def count_runner(*arguments: Any) -> CommandRunner:
        made.append(arguments[1])
        return CommandRunner(*arguments)

    monkeypatch.setattr("shared.web.http.short_way.CommandRunner", count_runner)
    return lambda: len(made)


def test_commands_without_parameters_of_their_own_have_the_shape_for_it() -> None:
    actions = {path: shape.action for name in NAMES for path, shape in list_shapes(load_service(name).routers).items()}
    assert actions["/v1/payments"] == "payment.record"
    assert actions["/v1/disputes"] == "dispute.open"
    assert actions["/v1/guard:stop"] == "guard.stop"
    assert not [path for path in actions if "{" in path]
    assert not actions.keys() & {"/v1/balances:batch", "/v1/bank-imports", "/v1/usage-files"}
    shapes = list_shapes(load_service("invoicing").routers)
    assert {shapes["/v1/payments"].scopes, shapes["/v1/credit-notes"].scopes} == {
        ("invoicing:payments",),
        ("invoicing:credits",),
    }
    assert all(shape.scopes for shape in shapes.values())


async def test_a_good_command_takes_it_and_is_repeated_by_either(ways: Ways, count_short: Callable[[], int]) -> None:
    headers = ways.headers()
    (short, first, made), (long, again, repeated) = await ways.both(BODY, headers)
    assert (short, long, made, count_short()) == (201, 201, repeated, 1)
    assert again == first | {"idempotency-replayed": "true"}
    (_, first, made), (_, again, repeated) = await ways.both(BODY, headers)
    assert (first, made) == (again, repeated)


WRONG: dict[str, tuple[bytes, dict[str, bytes | None]]] = {
    "no token": (BODY, {"authorization": None}),
    "another scheme": (BODY, {"authorization": b"Basic abc"}),
    "no token after the scheme": (BODY, {"authorization": b"Bearer "}),
    "rubbish for a token": (BODY, {"authorization": b"Bearer rubbish"}),
    "a token with strange letters": (BODY, {"authorization": b"Bearer \xff\xfe"}),
    "no key": (BODY, {"idempotency_key": None}),
    "an empty key": (BODY, {"idempotency_key": b""}),
    "a key with a blank": (BODY, {"idempotency_key": b"a b"}),
    "a key with strange letters": (BODY, {"idempotency_key": b"k\xe4"}),
    "a long key": (BODY, {"idempotency_key": b"k" * 256}),
    "no type": (BODY, {"content_type": None}),
    "another type": (BODY, {"content_type": b"text/plain"}),
    "no body": (b"", {}),
    "no JSON": (b"{", {}),
    "a field twice": (b'{"name": "a", "name": "b"}', {}),
    "no UTF-8": ('{"name": "ä"}'.encode("latin-1"), {}),
    "not a number": (b'{"terms_days": NaN}', {}),
    "too deep": (b"[" * 100_000, {}),
    "a NUL character": (orjson.dumps(account(name="a\0b")), {}),
    "half of a pair": (orjson.dumps(account()).replace(b"Account 17", b"\\ud800"), {}),
    "null": (b"null", {}),
    "a list": (b"[]", {}),
    "a field too many": (orjson.dumps(account(surprise=1)), {}),
    "a wrong field": (orjson.dumps(account(currency="EURO", terms_days=-1)), {}),
    "no key and a wrong field": (orjson.dumps(account(currency="EURO")), {"idempotency_key": None}),
    "a strange key and a wrong field": (orjson.dumps(account(currency="EURO")), {"idempotency_key": b"a b"}),
    "no token and no JSON": (b"{", {"authorization": None}),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_told_as_by_the_long_way(ways: Ways, name: str, count_short: Callable[[], int]) -> None:
    content, headers = WRONG[name]
    short, long = await ways.both(content, ways.headers(**headers))
    assert (short, count_short()) == (long, 0)
    assert 400 <= short[0] < 500


@pytest.mark.parametrize("kind", [b"application/json; charset=utf-8", b"application/vnd.x+json", b"Application/JSON"])
async def test_what_is_unusual_takes_the_long_way(ways: Ways, kind: bytes, count_short: Callable[[], int]) -> None:
    answer = await ways.client.http.post(PATH, content=BODY, headers=ways.headers(content_type=kind))
    assert (answer.status_code, count_short()) == (201, 0)
    answer = await ways.client.http.post(f"{PATH}?x=1", content=BODY, headers=ways.headers())
    assert (answer.status_code, count_short()) == (422, 0)
    twice = [*ways.headers(), (b"idempotency-key", b"another")]
    answer = await ways.client.http.post(PATH, content=BODY, headers=twice)
    assert count_short() == 0


async def test_a_scope_that_is_missing_and_a_refusal_are_told_as_by_the_long_way(ways: Ways, keys: Keys) -> None:
    reader = f"Bearer {keys.token('invoicing', 'invoicing:read')}".encode()
    short, long = await ways.both(BODY, ways.headers(authorization=reader))
    assert short == long
    assert short[0] == 403
    await ways.client.made(PATH, account(external_reference="crm-1"))
    short, long = await ways.both(orjson.dumps(account(external_reference="crm-1")), ways.headers())
    assert short == long
    assert (short[0], orjson.loads(short[2])["code"]) == (409, "reference_taken")


async def test_what_breaks_is_told_as_by_the_long_way(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(
        "services.invoicing.accounts.use_cases.account_registration.account_queries.insert_account_if_new",
        breaks,
    )
    short, long = await ways.both(BODY, ways.headers())
    assert short == long
    assert (short[0], orjson.loads(short[2])["code"]) == (500, "defect")


PARTS = st.lists(st.binary(max_size=40), max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=PARTS)
async def test_a_body_in_parts_is_read_as_a_whole_by_either(ways: Ways, parts: list[bytes]) -> None:
    cut = [BODY[:7], *parts, BODY[7:]]
    answers = []
    for http in (ways.client.http, ways.long):
        answer = await http.post(PATH, content=_stream(cut), headers=ways.headers())
        answers.append((answer.status_code, answer.json().get("code"), answer.json().get("errors")))
    assert answers[0] == answers[1]
    assert (answers[0][0] == 201) == (not b"".join(parts).strip(b" \t\r\n"))


async def _stream(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_who_goes_away_amid_their_body_leaves_nothing(ways: Ways, database: Database) -> None:
    for app in (ways.client.http._transport.app, ways.long._transport.app):  # type: ignore[attr-defined]
        waiting: list[Message] = [
            {"type": "http.request", "body": BODY[:7], "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive(messages: list[Message] = waiting) -> Message:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(_: Message) -> None: ...

        scope = {"type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b""}
        await app(scope | {"headers": ways.headers(), "root_path": "", "scheme": "http"}, receive, send)
    assert await database.value("SELECT count(*) FROM invoicing.accounts") == 0
