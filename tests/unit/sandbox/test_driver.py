"""The driver holds the sweeps for what it does at an instant, and never leaves them held."""

from datetime import UTC, datetime
from unittest.mock import AsyncMock

import httpx2
import orjson
import pytest

from sandbox.driver import SandboxDriver
from sandbox.idle import IdleMonitor, SystemLook
from shared.base.connections.access import DatabaseAccess
from shared.base.connections.tls import TlsFiles

INSTANT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> IdleMonitor:
    """A system in which nothing is due."""
    monkeypatch.setattr(
        IdleMonitor,
        "wait_until_settled",
        AsyncMock(return_value=SystemLook(waiting=0, what=None, waiting_for_clock=0, next_due=None)),
    )
    return IdleMonitor(AsyncMock())


class Nowhere:
    """A stack at no address."""

    def url(self, name: str) -> str:
        return f"http://{name}.example"

    def token(
        self, audience: str, scopes: str | None = None, subject: str = "operator", roles: str = "operator"
    ) -> str:
        return "token"

    def database_access(self, role: str) -> DatabaseAccess:
        return DatabaseAccess(database_url="")

    @property
    def tls(self) -> TlsFiles:
        return TlsFiles()


async def test_an_interrupted_day_lets_the_sweeps_run_again(monitor: IdleMonitor) -> None:
    switches: list[bool] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        switches.append(orjson.loads(request.content)["sweeps_held"])
        return httpx2.Response(200, json={})

    async def interrupt(_: SandboxDriver) -> None:
        raise KeyboardInterrupt

    driver = SandboxDriver(httpx2.AsyncClient(transport=httpx2.MockTransport(answer)), monitor, Nowhere())
    driver.at(INSTANT, interrupt)
    with pytest.raises(KeyboardInterrupt):
        await anext(driver.live_through_instants())
    assert switches == [True]
    await driver.release_held_sweeps()
    await driver.release_held_sweeps()
    assert switches == [True, False], "once: it knows that they run"


async def test_where_nobody_answers_an_interruption_is_no_other_error(monitor: IdleMonitor) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody is there")

    driver = SandboxDriver(httpx2.AsyncClient(transport=httpx2.MockTransport(refuse)), monitor, Nowhere())
    driver.at(INSTANT, lambda _: _never())
    with pytest.raises(httpx2.ConnectError):
        await anext(driver.live_through_instants())
    await driver.release_held_sweeps()


async def _never() -> None:
    raise AssertionError("the clock was not set")


async def test_a_second_person_agrees_where_one_has_to(monitor: IdleMonitor) -> None:
    paths: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        return httpx2.Response(202, json={"id": "7", "state": "proposed"})

    driver = SandboxDriver(httpx2.AsyncClient(transport=httpx2.MockTransport(answer)), monitor, Nowhere())
    await driver.approve_proposal({"legal_entity": "GS-DE", "month": "2026-03-01"})
    assert paths == []
    await driver.set_role_limit("clerk", "EUR", {})
    assert paths == ["/v1/approval-limits/clerk/EUR", "/v1/setting-changes/7:approve"]
