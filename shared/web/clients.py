"""Clients for the other services: their own token, the current trace, a bounded wait, a few quick attempts."""

from pathlib import Path
from typing import Any, TypeVar

import httpx2
import orjson
from pydantic import BaseModel, ValidationError

from shared.base.connections.tls import get_default_context
from shared.base.retries import retry_briefly
from shared.base.settings import Settings
from shared.base.telemetry import get_traceparent, log
from shared.pure.errors import RetryLater
from shared.pure.fields import RequestBody

TIMEOUT = 5.0
"""Seconds for one attempt."""
MAX_NAMED_FIELDS = 5
"""How many of the fields that cannot be read an error names."""

Contract = TypeVar("Contract", bound=BaseModel)
"""A class of `shared/contracts`."""


class RefusedByService(Exception):
    """The other service refuses: its problem document, with its status and code."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.code = str(problem.get("code", ""))
        self.problem = problem


class UnreadableAnswer(RetryLater):
    """Another service answers, but not what its contract says: for a while it may run as another version."""


def parse_answer(contract: type[Contract], answer: object) -> Contract:
    """Parse what another service answers. Raises UnreadableAnswer, which names fields and never what is in them."""
    try:
        return contract.model_validate(answer)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_NAMED_FIELDS]
        fields = ", ".join(f"{'.'.join(map(str, fault['loc'])) or 'all'} ({fault['type']})" for fault in faults)
    log.error("an answer cannot be read", contract=contract.__name__, fields=fields)
    raise UnreadableAnswer(f"the answer is no {contract.__name__}: {fields}")


def serialize_request(body: RequestBody) -> dict[str, Any]:
    """Write the body of a request; what was not set is left out."""
    return body.model_dump(mode="json", exclude_unset=True)


class ServiceClient:
    """Calls one other service. What may pass becomes `RetryLater`, a refusal becomes `RefusedByService`."""

    def __init__(self, audience: str, base_url: str, tokens_dir: Path | None) -> None:
        self._audience = audience
        self._tokens_dir = tokens_dir
        self._http = httpx2.AsyncClient(base_url=base_url, timeout=TIMEOUT, verify=get_default_context())

    async def get(self, path: str) -> Any:
        """The decoded answer to a GET."""
        return await self._call("GET", path, None, None)

    async def post(self, path: str, body: object, *, key: str | None = None) -> Any:
        """The decoded answer to a POST; `key` is its Idempotency-Key, for a call that changes something."""
        return await self._call("POST", path, orjson.dumps(body), key)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, method: str, path: str, body: bytes | None, key: str | None) -> Any:
        headers = {"authorization": f"Bearer {self._token()}", "content-type": "application/json"}
        headers |= {"traceparent": get_traceparent()} if get_traceparent() else {}
        headers |= {"idempotency-key": key} if key else {}
        try:
            async for attempt in retry_briefly(lambda error: isinstance(error, httpx2.TransportError | RetryLater)):
                with attempt:
                    answer = await self._http.request(method, path, content=body, headers=headers)
                    if answer.status_code in (429, 502, 503, 504):
                        raise RetryLater(f"{self._audience} answers {answer.status_code}")
        except httpx2.TransportError as error:
            raise RetryLater(f"{self._audience} cannot be reached: {type(error).__name__}") from error
        if answer.status_code >= 500:
            raise RetryLater(f"{self._audience} answers {answer.status_code}")
        if answer.status_code >= 400:
            raise RefusedByService(answer.status_code, self._decode(answer))
        return self._decode(answer)

    def _decode(self, answer: httpx2.Response) -> Any:
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            log.error("an answer cannot be read", service=self._audience, status=answer.status_code)
            raise UnreadableAnswer(f"{self._audience} answers {answer.status_code} without JSON") from None

    def _token(self) -> str:
        if self._tokens_dir is None:
            raise RetryLater("this process has no folder of tokens")
        try:
            return (self._tokens_dir / f"{self._audience}.jwt").read_text().strip()
        except OSError as error:
            raise RetryLater(f"no token for {self._audience}") from error


class ServiceClients:
    """The clients of one process, made when first used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, ServiceClient] = {}

    def __getitem__(self, name: str) -> ServiceClient:
        if name not in self._clients:
            url: str = getattr(self._settings, f"{name}_url")
            self._clients[name] = ServiceClient(name, url, self._settings.tokens_dir)
        return self._clients[name]

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()
