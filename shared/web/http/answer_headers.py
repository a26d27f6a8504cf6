"""Headers that every answer has, and the end of a connection on which a body waits that nobody will read."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.http.body_receiving import MAX_BODY_BYTES, get_declared_bytes

NOTHING_EMBEDDED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of an answer that loads nothing and runs nothing."""
OWN_STYLES = f"{NOTHING_EMBEDDED}; style-src 'unsafe-inline'"
"""That of a page that looks as it says itself, and loads and runs nothing either."""


class AnswerHeaders:
    """An ASGI application whose answers are what they say, are kept by nobody, and run nothing.

    An answer that says otherwise of itself is left as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with these headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared_bytes = get_declared_bytes(scope)
        is_read = declared_bytes is not None and declared_bytes <= MAX_BODY_BYTES

        async def receive_noting() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("content-security-policy", NOTHING_EMBEDDED)
                if not is_read:  # else the server would read it to its end, to find the next request behind it
                    headers["connection"] = "close"
            await send(message)

        await self._app(scope, receive_noting, send_with_headers)
