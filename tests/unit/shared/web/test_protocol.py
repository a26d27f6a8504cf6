"""Bounds of what comes on a connection before there is a request: by size, by time, and by how many there are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from shared.web.http import protocol
from shared.web.http.protocol import MAX_HEAD_BYTES, bound_connections

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def answer_ok(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the body, unless it is asked for."""
    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving(max_connections: int = 10) -> AsyncIterator[Connect]:
    """A server on a free port."""
    config = uvicorn.Config(
        answer_ok, port=0, http=bound_connections(max_connections), ws="none", log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    writers = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        await server.shutdown()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Read one answer."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def read_refusal(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read a problem document, and the end of the connection."""
    status, headers, body = await read_answer(reader)
    assert (headers["content-type"], headers["connection"]) == ("application/problem+json", "close")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    return status, orjson.loads(body)["code"]


async def test_requests_follow_one_another_on_a_connection() -> None:
    async with serving() as connect:
        reader, writer = await connect()
        for path in (b"/", b"/body", b"/"):
            writer.write(b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc")
            assert (await read_answer(reader))[0] == 200


@pytest.mark.parametrize("body_bytes", [MAX_HEAD_BYTES, 100_000, 3 * MAX_HEAD_BYTES])
async def test_a_body_that_comes_at_once_with_its_head_is_no_head(body_bytes: int) -> None:
    async with serving() as connect:
        reader, writer = await connect()
        for _ in range(3):
            head = b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % body_bytes
            writer.write(head + b"a" * body_bytes)
            assert (await read_answer(reader))[0] == 200


async def test_requests_that_come_at_once_are_no_head() -> None:
    async with serving() as connect:
        reader, writer = await connect()
        request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
        number = 2 * MAX_HEAD_BYTES // len(request)
        writer.write(request * number)
        for _ in range(number):
            assert (await read_answer(reader))[0] == 200


@pytest.mark.parametrize(
    "beginning", [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\nx"]
)
async def test_a_head_that_goes_on_and_on_is_refused(beginning: bytes) -> None:
    async with serving() as connect:
        reader, writer = await connect()
        piece = b"y: 1\r\n" if beginning.endswith(b"1.1\r\n") else b"yyyyyy"
        writer.write(beginning + (piece * MAX_HEAD_BYTES)[: MAX_HEAD_BYTES + 1 - len(beginning)])
        assert await read_refusal(reader) == (431, "head_too_large")


async def test_headers_behind_a_body_are_counted_too() -> None:
    async with serving() as connect:
        reader, writer = await connect()
        writer.write(b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n")
        writer.write((b"y: " + b"1" * 1023 + b"\r\n") * 65)
        assert await read_refusal(reader) == (431, "head_too_large")


async def test_what_is_no_request_is_answered_by_a_problem_document() -> None:
    async with serving() as connect:
        reader, writer = await connect()
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert await read_refusal(reader) == (400, "malformed")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: ", b"\r\n"])
async def test_a_head_that_does_not_come_ends_the_connection(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with serving() as connect:
        reader, writer = await connect()
        writer.write(sent)
        await asyncio.wait_for(reader.read(), 4)  # uvicorn ends a connection that rests after 5 seconds


async def test_a_body_that_nobody_reads_and_that_goes_on_by_drops_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with serving() as connect:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\na")
        assert (await read_answer(reader))[0] == 200
        writer.write(b"b")
        await asyncio.wait_for(reader.read(), 4)


async def test_one_connection_too_many_is_refused() -> None:
    async with serving(max_connections=2) as connect:
        others = [await connect() for _ in range(2)]
        for reader, writer in others:  # both are known to the server
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await read_answer(reader))[0] == 200
        reader, _ = await connect()
        status, headers, body = await read_answer(reader)
        assert (status, headers["retry-after"], orjson.loads(body)["code"]) == (503, "1", "overloaded")
