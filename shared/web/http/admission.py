"""How many requests a process answers at a time; one more is told to come again, and nothing of it is read."""

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.pure.errors import Unavailable
from shared.web.http.problems import answer_refusal

_HEALTH = "/health"
HEALTH_REQUESTS = 16
"""How many questions about the health are answered beside all others: an orchestrator must not end a busy process."""


class ProcessOverloaded(Unavailable):
    """The process answers as many requests as it can."""

    code = "overloaded"


class RequestAdmission:
    """An ASGI application that takes a bounded number of requests at a time."""

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self._app = app
        self._max_requests = max_requests
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it before it is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        room = self._max_requests + (HEALTH_REQUESTS if scope["path"].startswith(_HEALTH) else 0)
        if self._running >= room:
            refusal = ProcessOverloaded(f"this process answers {self._max_requests} requests at a time; try again")
            await answer_refusal(refusal)(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
