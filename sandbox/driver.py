"""Drives the product as anyone would, over REST, along the sandbox's clock.

The clock goes to the next due instant (of any service, or of the driver) until nothing is left. At each:
it is set with sweeps held, the driver's actions are done in order, the system settles, the sweeps are
released, it settles again.
"""

import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Protocol

import httpx2
import orjson

from sandbox.connections import open_pool
from sandbox.idle import GIVE_UP_AFTER, IdleMonitor, SystemLook
from shared.base.connections.access import DatabaseAccess
from shared.base.connections.tls import TlsFiles
from shared.process.service import NAMES
from shared.pure.ids import new_id

Action = Callable[["SandboxDriver"], Awaitable[None]]


class DrivenStack(Protocol):
    """A stack that runs."""

    def url(self, name: str) -> str: ...
    def token(
        self, audience: str, scopes: str | None = None, subject: str = "operator", roles: str = "operator"
    ) -> str: ...
    def database_access(self, role: str) -> DatabaseAccess: ...
    @property
    def tls(self) -> TlsFiles: ...


class SettlingSystem(Protocol):
    """Something that waits until the system has settled."""

    @property
    def looks(self) -> int: ...

    async def wait_until_settled(self, within: float = GIVE_UP_AFTER) -> SystemLook: ...


class ActionAgenda(Protocol):
    """Where actions are planned."""

    def at(self, instant: datetime, action: Action, *, rank: int = 0) -> None: ...


class Refused(Exception):
    """The product refused what the driver asked for."""


class SandboxDriver:
    """The driver's clients, its agenda, and the clock."""

    def __init__(self, http: httpx2.AsyncClient, monitor: SettlingSystem, stack: DrivenStack) -> None:
        self._http = http
        self.monitor = monitor
        self._urls = {name: stack.url(name) for name in (*NAMES, "clock", "vendor")}
        self._tokens = {name: stack.token(name) for name in NAMES}
        self._board_token = stack.token("invoicing", "invoicing:admin", "board", "")
        self._treasurer_token = stack.token("invoicing", "invoicing:admin invoicing:settings", "treasurer", "")
        self._risk_token = stack.token("entitlements", "entitlements:write", "risk", "fraud")
        self._agenda: list[tuple[datetime, int, int, Action]] = []
        self._order = itertools.count()
        self.instants = 0
        self._are_sweeps_held = False
        self.legal_entities: set[str] = set()
        """Codes of legal entities that exist."""

    def at(self, instant: datetime, action: Action, *, rank: int = 0) -> None:
        """Plan an action; at one instant by rank, then in the order in which they were planned."""
        heapq.heappush(self._agenda, (instant, rank, next(self._order), action))

    @property
    def planned_count(self) -> int:
        """How many actions are planned."""
        return len(self._agenda)

    async def post(self, service: str, path: str, body: object) -> dict[str, Any]:
        """POST to a service; what it answers. Raises Refused."""
        return await self._call("POST", service, path, body, {"idempotency-key": str(new_id())})

    async def get(self, service: str, path: str) -> dict[str, Any]:
        """GET from a service. Raises Refused."""
        return await self._call("GET", service, path, None, {})

    async def put(self, service: str, path: str, body: object) -> dict[str, Any]:
        """PUT to a service or a part of the sandbox. Raises Refused."""
        return await self._call("PUT", service, path, body, {})

    async def release_fraud_hold(self, hold_id: str, reason: str) -> None:
        """Release a hold for fraud, by somebody with the role for that. Raises Refused."""
        headers = {"authorization": f"Bearer {self._risk_token}", "idempotency-key": str(new_id())}
        await self._call("POST", "entitlements", f"/v1/holds/{hold_id}:release", {"reason": reason}, headers)

    async def set_role_limit(self, role: str, currency: str, body: object) -> None:
        """Set the limit of a role, by somebody who does not have it. Raises Refused."""
        headers = {"authorization": f"Bearer {self._board_token}"}
        await self.approve_proposal(
            await self._call("PUT", "invoicing", f"/v1/approval-limits/{role}/{currency}", body, headers)
        )

    async def approve_proposal(self, answer: dict[str, Any]) -> None:
        """Let a second person agree to the change of a setting, if the answer says that it waits. Raises Refused."""
        if answer.get("state") == "proposed":
            headers = {"authorization": f"Bearer {self._treasurer_token}", "idempotency-key": str(new_id())}
            path = f"/v1/setting-changes/{answer['id']}:approve"
            await self._call("POST", "invoicing", path, {"reason": "looked at the papers"}, headers)

    async def _call(
        self, method: str, service: str, path: str, body: object, headers: dict[str, str]
    ) -> dict[str, Any]:
        if service in self._tokens:
            headers.setdefault("authorization", f"Bearer {self._tokens[service]}")
        content = orjson.dumps(body) if body is not None else None
        answer = await self._http.request(
            method, self._urls[service] + path, content=content, headers={"content-type": "application/json", **headers}
        )
        if answer.status_code >= 400:
            raise Refused(f"{method} {service} {path}: {answer.status_code} {answer.text[:500]}")
        return dict(orjson.loads(answer.content)) if answer.content else {}

    async def run(self, on_instant: Callable[[datetime, int], None], until: datetime | None = None) -> None:
        """Live through all instants up to `until`, or until nothing is planned and nothing falls due.

        `on_instant` is called at each instant with the number of actions left. Raises SystemNotSettled.
        """
        async for instant in self.live_through_instants(until):
            on_instant(instant, len(self._agenda))
        await self._set_clock(until, are_held=False)
        await self.monitor.wait_until_settled()

    async def live_through_instants(self, until: datetime | None = None) -> AsyncIterator[datetime]:
        """Live through one instant after the other, as long as the caller goes on. Raises SystemNotSettled."""
        look = await self.monitor.wait_until_settled()
        while (instant := self._next(look)) is not None and (until is None or instant <= until):
            self.instants += 1
            look = await self._live(instant)
            yield instant

    def _next(self, look: SystemLook) -> datetime | None:
        planned = self._agenda[0][0] if self._agenda else None
        return min((instant for instant in (planned, look.next_due) if instant is not None), default=None)

    async def _live(self, instant: datetime) -> SystemLook:
        if not self._agenda or self._agenda[0][0] > instant:
            await self._set_clock(instant, are_held=False)
            return await self.monitor.wait_until_settled()
        await self._set_clock(instant, are_held=True)
        while self._agenda and self._agenda[0][0] <= instant:
            await heapq.heappop(self._agenda)[3](self)
        look = await self.monitor.wait_until_settled()
        if not look.waiting_for_clock:
            return look
        await self._set_clock(None, are_held=False)
        return await self.monitor.wait_until_settled()

    async def release_held_sweeps(self) -> None:
        """Let the sweeps run where an interruption left them held; nothing if they run, or nobody answers."""
        if self._are_sweeps_held:
            with suppress(httpx2.HTTPError, Refused):
                await self._set_clock(None, are_held=False)

    async def _set_clock(self, instant: datetime | None, *, are_held: bool) -> None:
        body = {"now": instant.isoformat() if instant else None, "sweeps_held": are_held}
        self._are_sweeps_held = self._are_sweeps_held or are_held
        await self.put("clock", "/v1/clock", body)
        self._are_sweeps_held = are_held


@asynccontextmanager
async def open_driver(stack: DrivenStack) -> AsyncIterator[SandboxDriver]:
    """A driver of a running stack."""
    async with (
        open_pool(stack.database_access("monitor"), min_size=0, max_size=1) as pool,
        httpx2.AsyncClient(timeout=30, verify=stack.tls.make_context()) as http,
    ):
        driver = SandboxDriver(http, IdleMonitor(pool), stack)
        try:
            yield driver
        finally:
            await driver.release_held_sweeps()
