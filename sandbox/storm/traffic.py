"""The demo's traffic as a caller makes it who does not give up."""

import asyncio
import time
from collections import Counter
from datetime import datetime

import asyncpg
import httpx2

from sandbox.driver import Action, Refused, SandboxDriver
from sandbox.idle import FIRST_PAUSE, GIVE_UP_AFTER, LONGEST_PAUSE, IdleMonitor, SystemLook, SystemNotSettled
from shared.base.transient_errors import BROKEN

PATIENCE = 120.0
"""Seconds after which a caller gives up."""
TIMEOUT = 10.0
"""Seconds that a caller waits for one answer."""
PAUSE = 0.1
"""Seconds between two attempts."""
COME_AGAIN = (429, 502, 503, 504)


class RetryingTransport(httpx2.AsyncBaseTransport):
    """Sends a request, with its Idempotency-Key, again until it is answered; a 500 is noted as a finding."""

    def __init__(self, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        self._inner = inner or httpx2.AsyncHTTPTransport()
        self.again = 0
        self.broken: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The first answer that is one."""
        give_up_at = time.monotonic() + PATIENCE
        while True:
            try:
                answer = await self._inner.handle_async_request(request)
                if answer.status_code < 500 and answer.status_code not in COME_AGAIN:
                    return answer
                await answer.aread()
                if answer.status_code not in COME_AGAIN:
                    self.broken.append(f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:300]}")
            except httpx2.TransportError:
                if time.monotonic() > give_up_at:
                    raise
            if time.monotonic() > give_up_at:
                return answer
            self.again += 1
            await asyncio.sleep(PAUSE)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class PatientAgenda:
    """Plans actions that are tried again when the product is not there yet, and counts what was done."""

    def __init__(self, driver: SandboxDriver) -> None:
        self._driver = driver
        self.done: Counter[str] = Counter()

    def at(self, instant: datetime, action: Action, *, rank: int = 0) -> None:
        """Plan an action; at one instant by rank, then in the order in which they were planned."""

        async def patiently(driver: SandboxDriver) -> None:
            give_up_at = time.monotonic() + PATIENCE
            while True:
                try:
                    await action(driver)
                    break
                except Refused:  # a dispute that is still being opened cannot be decided
                    if time.monotonic() > give_up_at:
                        raise
                    await asyncio.sleep(PAUSE)
            self.done[action.__name__] += 1

        self._driver.at(instant, patiently, rank=rank)


class HastyMonitor:
    """Looks at the system as `IdleMonitor` does, over connections that may be lost.

    As long as it is `hasty` it does not wait for a system that is slow to settle, so that the storm meets work that
    is under way.
    """

    LEAVES_AFTER = 2.0
    """Seconds."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._monitor = IdleMonitor(pool)
        self.hasty = True

    @property
    def looks(self) -> int:
        """How often it looked."""
        return self._monitor.looks

    async def wait_until_settled(self, within: float = GIVE_UP_AFTER) -> SystemLook:
        """Wait until the system is idle, or if hasty, for a while. Raises SystemNotSettled."""
        began, pause, look = time.monotonic(), FIRST_PAUSE, None
        while True:
            try:
                look = await self._monitor.look_at_system()
            except BROKEN:
                await asyncio.sleep(PAUSE)
            waited = time.monotonic() - began
            if look and (not look.waiting or (self.hasty and waited > self.LEAVES_AFTER)):
                return look
            if not self.hasty and waited > within:
                raise SystemNotSettled(f"after {within:.0f} s the system still waits:\n  {_what(look)}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.1, LONGEST_PAUSE)


def _what(look: SystemLook | None) -> str:
    return "\n  ".join(look.what or []) if look else "the database does not answer"
