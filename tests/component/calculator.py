"""A tax calculator over HTTP, in this process: taxes as it is told, keeps what it was asked, and fails on demand."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

Body = dict[str, Any]


@dataclass
class TaxCalculator:
    """Calculator that answers a tenth of each net, truncated, unless `answers` says otherwise, one after another."""

    asked: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[Response | Body] = field(default_factory=list)
    always: Response | None = None
    during: Callable[[], Awaitable[None]] | None = None
    """Called while a question is being answered."""

    def compute_tax(self, body: Body) -> Body:
        """Compute a tenth on each line."""
        lines = [
            {"line": line["line"], "tax_minor": int(line["net_minor"] / 10), "rate_bp": 1000} for line in body["lines"]
        ]
        return {"lines": lines, "note": "Taxed by the tenth."}

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        if self.during is not None:
            during, self.during = self.during, None
            await during()
        if self.always is not None:
            return self.always
        response = self.answers.pop(0) if self.answers else self.compute_tax(body)
        return response if isinstance(response, Response) else JSONResponse(response)

    @property
    def request_ids(self) -> list[str]:
        """The request ids of all questions, in order."""
        return [body["request_id"] for body in self.asked]


@asynccontextmanager
async def answering(calculator: TaxCalculator) -> AsyncIterator[str]:
    """Let it listen; its base URL."""
    app = FastAPI()
    app.add_api_route("/v1/tax-calculations", calculator.answer, methods=["POST"])
    listener = socket.create_server(("127.0.0.1", 0))  # it listens from here on, so that nobody has to wait
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()
