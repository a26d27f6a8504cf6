"""The server's side of one connection: bounded before there is a request that an application could refuse.

Uvicorn bounds neither the head of a request, nor the time that it takes to come, nor what follows a chunked body, and
answers what it refuses as plain text.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.web.http.problems import problem

MAX_HEAD_BYTES = 64 * 1024
"""Names and values of all headers of one request, its address included."""
HEAD_SECONDS = 10.0
"""How long a head may take to come, and what nobody reads of a body."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is one of not too many, with heads that are neither too large nor too slow."""

    max_connections = 800

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it with 503."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._unfinished_bytes = 0
        self._has_head = False
        self._has_ended = False
        self._timer: asyncio.TimerHandle | None = None
        if len(self.connections) > self.max_connections:
            self._refuse(503, "overloaded", "this process has as many connections as it can; try again", 1)
        else:
            self._wait_for_rest()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._cancel_timer()
        super().connection_lost(error)

    def data_received(self, received: bytes) -> None:
        """Take what has come. What is refused ends the connection.

        Where a request ends within it, what is left of it is not counted: that is less than was received at once.
        """
        if self.transport.is_closing():
            return
        self._has_ended = False
        super().data_received(received)
        if self.transport.is_closing():
            return
        if not self._has_head:
            self._unfinished_bytes = 0 if self._has_ended else self._unfinished_bytes + len(received)
            if self._unfinished_bytes > MAX_HEAD_BYTES:
                self._refuse(431, "head_too_large", f"the head of a request has at most {MAX_HEAD_BYTES} bytes")
                return
        if not self._has_head or self.cycle.response_complete:
            self._wait_for_rest()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address. Raises ValueError, on which the parser stops, for a head that is too large."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, of the head or behind a chunked body. Raises ValueError as for the address."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._has_head = True
        self._unfinished_bytes = 0
        self._cancel_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request; what comes next is another head."""
        self._has_head, self._has_ended = False, True
        super().on_message_complete()

    def send_400_response(self, message: str) -> None:
        """Refuse what is no request, or has too large a head."""
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, "head_too_large", f"the head of a request has at most {MAX_HEAD_BYTES} bytes")
        else:
            self._refuse(400, "malformed", "this is no HTTP request")

    def _count(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > MAX_HEAD_BYTES:
            raise ValueError("the head of the request is too large")

    def _wait_for_rest(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._end_slow)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_slow(self) -> None:
        """End the connection, unless a request is being answered on it."""
        self._timer = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, status: int, code: str, detail: str, retry_after_seconds: int | None = None) -> None:
        """Answer with a problem document, and end the connection; an answer that was begun is cut off instead."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            answer = problem(status, code, detail)
            if retry_after_seconds is not None:
                answer.headers["Retry-After"] = str(retry_after_seconds)
            answer.headers["Connection"] = "close"
            lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
            lines += [name + b": " + value for name, value in answer.raw_headers]
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body))
        self.transport.close()


def bound_connections(max_connections: int) -> type[BoundedProtocol]:
    """Build the protocol of a server that has at most so many connections."""
    return type("BoundedProtocol", (BoundedProtocol,), {"max_connections": max_connections})
