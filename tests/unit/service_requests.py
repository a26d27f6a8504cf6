"""Requests of adapters, as they are sent to another service."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from shared.web.clients import UnreadableAnswer


class RequestRecorder:
    """A service that keeps what it is asked, and answers nothing that can be read."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str | None]] = []

    async def get(self, path: str) -> Any:
        self.requests.append((f"GET {path}", "", None))
        return None

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        self.requests.append((f"POST {path}", json.dumps(body), key))
        return None


async def record_request(adapter_class: Any, call: Callable[[Any], Awaitable[Any]]) -> tuple[str, str, str | None]:
    """Make a call of an adapter; return method with path, body and Idempotency-Key of the one request."""
    recorder = RequestRecorder()
    with suppress(UnreadableAnswer):
        await call(adapter_class(recorder))
    [request] = recorder.requests
    return request
