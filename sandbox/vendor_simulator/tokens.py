"""OAuth 2.0 of the simulator: tokens for one client (RFC 6749), and a 401 for calls without a good one (RFC 6750)."""

import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Form, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

TOKEN_PATH = "/oauth2/token"


class OAuthClient(BaseModel):
    """The one client that there is, as its file says; the file is read again for each token."""

    model_config = ConfigDict(extra="forbid")

    client_id: str
    client_secret: str = Field(repr=False)
    refresh_token: str | None = Field(default=None, repr=False)
    """Its only grant if there is one; without it the grant is `client_credentials`."""
    seconds: float = 3600
    """How long a token is good for."""


class TokenDesk:
    """Gives out tokens, and knows which of them are good."""

    def __init__(self, client_file: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._client_file = client_file
        self._now = now
        self._good_until: dict[str, float] = {}

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Answer a question for a token: the status and the body."""
        client = OAuthClient.model_validate_json(self._client_file.read_bytes())
        if (form.get("client_id"), form.get("client_secret")) != (client.client_id, client.client_secret):
            return 401, {"error": "invalid_client", "error_description": "no such client, or another secret"}
        if form.get("grant_type") != ("refresh_token" if client.refresh_token else "client_credentials"):
            return 400, {"error": "unauthorized_client", "error_description": "not with this grant"}
        if client.refresh_token and form.get("refresh_token") != client.refresh_token:
            return 400, {"error": "invalid_grant", "error_description": "the refresh token is not good, or no more"}
        token = secrets.token_urlsafe(24)
        self._good_until[token] = self._now() + client.seconds
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": client.seconds}

    def is_valid_token(self, authorization: str) -> bool:
        """Whether a header carries a token that was given out and has not expired."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._good_until.get(token, 0.0) > self._now()

    def expire_all_tokens(self) -> None:
        """Let all tokens expire."""
        self._good_until.clear()


def add_token_route(app: FastAPI, desk: TokenDesk) -> None:
    """Add the place where tokens come from, and require one of every call to the vendor's API."""

    @app.post(TOKEN_PATH)
    async def issue_token(
        grant_type: str = Form(""),
        client_id: str = Form(""),
        client_secret: str = Form(""),
        refresh_token: str = Form(""),
    ) -> JSONResponse:
        """A token, or why there is none."""
        form = {"grant_type": grant_type, "client_id": client_id, "client_secret": client_secret}
        status, body = desk.answer(form | {"refresh_token": refresh_token})
        return JSONResponse(body, status, {"Cache-Control": "no-store"})

    @app.delete("/sandbox/tokens", status_code=204)
    async def forget() -> Response:
        """Let all tokens expire."""
        desk.expire_all_tokens()
        return Response(status_code=204)

    @app.middleware("http")
    async def require_token(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """401 for a call to the vendor's API without a good token."""
        if request.url.path.startswith("/v1/") and not desk.is_valid_token(request.headers.get("authorization", "")):
            said = {"code": 401, "description": "the token is missing, wrong or expired"}
            return JSONResponse(said, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return await answer(request)
