"""The client of the vendor's API: TLS, a certificate of our own, and an OAuth 2.0 token (RFC 6749, RFC 6750)."""

import asyncio
from collections.abc import AsyncGenerator
from time import monotonic
from typing import Any

import httpx2
import orjson

from shared.base.connections.access import VendorAccess
from shared.base.connections.tls import TlsOrLoginRefused, describe_tls_refusal, make_empty_context, read_secret
from shared.base.health import Health
from shared.base.telemetry import log

TIMEOUT = 10.0
"""Seconds for each step of a call."""
MARGIN_SECONDS = 60.0
"""How long before its end a token is used no more, but a tenth of its life at most."""
DEFAULT_LIFE_SECONDS = 300.0
"""How long a token is used of which the vendor does not say how long it is good for."""
ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
    | {"invalid_scope"}
)
"""Refusals of a token (RFC 6749, 5.2); any other text of the answer is not repeated."""


class VendorAccessRefused(httpx2.TransportError):
    """The vendor gives no token, or does not take the one it gave: no call can be made now."""


class BearerTokens(httpx2.Auth):
    """Bearer tokens of one grant: fetched when first needed, before they end, and when one is not taken."""

    def __init__(self, access: VendorAccess) -> None:
        self._access = access
        self._token = ""
        self._good_until = 0.0
        self._fetching = asyncio.Lock()

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send a request with a token; once more with a new one if the vendor answers 401.

        Raises VendorAccessRefused.
        """
        for attempt in (1, 2):
            async with self._fetching:
                if not self._token or monotonic() >= self._good_until:
                    answer = yield self._question()
                    self._keep(answer.status_code, _decode(await answer.aread()))
            token = self._token
            request.headers["Authorization"] = f"Bearer {token}"
            answer = yield request
            if answer.status_code != 401 or attempt == 2:
                return
            if self._token == token:
                self._token = ""

    def _question(self) -> httpx2.Request:
        access = self._access
        form = {"grant_type": "client_credentials", "client_id": access.vendor_client_id}
        try:
            if access.vendor_refresh_token_file:
                refresh_token = read_secret(access.vendor_refresh_token_file)
                form |= {"grant_type": "refresh_token", "refresh_token": refresh_token}
            if access.vendor_client_secret_file:
                form["client_secret"] = read_secret(access.vendor_client_secret_file)
        except TlsOrLoginRefused as error:
            raise VendorAccessRefused(str(error)) from error
        if access.vendor_scope:
            form["scope"] = access.vendor_scope
        return httpx2.Request("POST", access.vendor_token_url, data=form, headers={"Accept": "application/json"})

    def _keep(self, status: int, body: dict[str, Any]) -> None:
        if status != 200:
            error = str(body.get("error", ""))
            raise VendorAccessRefused(f"it gives no token: {status} {error if error in ERRORS else ''}".strip())
        token, kind = body.get("access_token"), str(body.get("token_type", "")).lower()
        if (
            not isinstance(token, str)
            or not token.isascii()
            or not token.isprintable()
            or not token
            or kind != "bearer"
        ):
            raise VendorAccessRefused("its answer is no bearer token")
        try:
            life = float(body.get("expires_in", DEFAULT_LIFE_SECONDS))
        except (TypeError, ValueError):
            life = DEFAULT_LIFE_SECONDS
        self._token = token
        self._good_until = monotonic() + life - min(MARGIN_SECONDS, life / 10)


class VendorHttpClient(httpx2.AsyncClient):
    """The vendor's API; how it was found is noted for `/health/ready`. Files of TLS are loaded again when replaced."""

    def __init__(self, access: VendorAccess, health: Health) -> None:
        self._access = access
        self._health = health
        self._tls = make_empty_context()
        self._loaded: object = None
        auth = BearerTokens(access) if access.vendor_token_url else None
        super().__init__(base_url=access.vendor_url, timeout=TIMEOUT, verify=self._tls, auth=auth)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request. Raises VendorAccessRefused, and the other errors of transport."""
        try:
            self._load_files()
            answer = await super().send(request, **options)
        except httpx2.TransportError as error:
            self._note(False, _describe(error))
            raise
        if answer.status_code == 401:
            self._note(False, "it takes no call: 401")
        else:
            self._note(True, "answers")
        return answer

    def _load_files(self) -> None:
        """Load the files of TLS when they are new. Raises VendorAccessRefused while none of them was ever usable."""
        files = self._access.vendor_tls
        state = files.read_state()
        if state == self._loaded or not self._access.vendor_url.startswith("https://"):
            return
        try:
            files.load(self._tls)
        except TlsOrLoginRefused as error:
            if self._loaded is None:
                raise VendorAccessRefused(str(error)) from error
            log.error("replaced files for TLS are unusable; the former stay", reason=str(error))
        self._loaded = state

    def _note(self, well: bool, state: str) -> None:
        if self._health.update_outside_health("vendor", well, state) and not well:
            log.error("the vendor cannot be called", reason=state)


def _describe(error: httpx2.TransportError) -> str:
    if isinstance(error, VendorAccessRefused):
        return str(error)
    return describe_tls_refusal(error) or f"cannot be reached: {type(error).__name__}"


def _decode(content: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
