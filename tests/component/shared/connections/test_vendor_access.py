"""The vendor is called over TLS and with a token where that is set, and otherwise not at all."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
import uvicorn
from pydantic import ValidationError
from structlog.testing import capture_logs

from sandbox.vendor_simulator.api import create_app
from sandbox.vendor_simulator.store import VendorStore
from sandbox.vendor_simulator.tokens import TOKEN_PATH, TokenDesk
from sandbox.vendor_simulator.vendor import Vendor
from services.entitlements.adapters.partner_center import PartnerCenterSubscription
from shared.base.connections.access import VendorAccess
from shared.base.connections.vendor import VendorAccessRefused, VendorHttpClient
from shared.base.health import Health
from shared.pure.errors import RetryLater
from tests.certificates import Authority, Signed

SECRET, REFRESH = "correct-horse-battery", "refresh-horse-staple"
PLACE = "/customers/tenant-17/subscriptions/subscription-17"


@dataclass
class World:
    """The simulator behind TLS, with one OAuth client, and the files of who calls it."""

    folder: Path
    authority: Authority
    now: float = 0.0
    paths: list[str] = field(default_factory=list)
    """The paths that were asked for."""

    def __post_init__(self) -> None:
        self.secret_file = self.folder / "secret"
        self.refresh_file = self.folder / "refresh"
        self.client_file = self.folder / "client.json"
        self.secret_file.write_text(SECRET + "\n")
        self.refresh_file.write_text(REFRESH)
        self.tell()

    def tell(self, **changes: Any) -> None:
        """Tell the simulator which client there is."""
        usual = {"client_id": "partner-17", "client_secret": SECRET, "seconds": 3600}
        self.client_file.write_bytes(orjson.dumps(usual | changes))

    def access(self, port: int, **changes: Any) -> VendorAccess:
        base = f"https://127.0.0.1:{port}"
        client = {"vendor_client_id": "partner-17", "vendor_client_secret_file": self.secret_file}
        places = {"vendor_url": base, "vendor_token_url": base + TOKEN_PATH, "vendor_ca_file": self.authority.file}
        fields: dict[str, Any] = places | client | changes
        return VendorAccess(**fields)

    @asynccontextmanager
    async def vendor(self, signed: Signed | None = None, *, client_ca: Path | None = None) -> AsyncIterator[int]:
        """The simulator on a free port, with a subscription."""
        signed = signed or self.authority.sign("vendor", "127.0.0.1")
        desk = TokenDesk(self.client_file, lambda: self.now)
        app = create_app(Vendor(VendorStore(self.folder / f"{uuid4()}.sqlite")), desk)

        @app.middleware("http")
        async def note(request: Any, answer: Any) -> Any:
            self.paths.append(request.url.path)
            return await answer(request)

        config = uvicorn.Config(
            app,
            log_level="critical",
            log_config=None,
            ssl_certfile=signed.certificate,
            ssl_keyfile=signed.key,
            ssl_ca_certs=str(client_ca) if client_ca else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE,
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(config)
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            serving = asyncio.create_task(server._serve([listener]))
            while not server.started:  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.01)
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox") as hand:
                assert (await hand.put(f"/sandbox{PLACE}", json={})).status_code == 200
                self.paths.clear()
            try:
                yield listener.getsockname()[1]
            finally:
                server.should_exit = True
                await serving


async def read(client: httpx2.AsyncClient) -> str:
    """Read the subscription as the connector does; its status."""
    port = PartnerCenterSubscription(client, "tenant-17", "subscription-17", uuid4())
    return (await port.fetch_subscription()).status


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Authority(tmp_path / "tls"))


async def test_one_token_serves_many_calls_until_it_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.base.connections.vendor.monotonic", lambda: world.now)
    async with world.vendor() as port, VendorHttpClient(world.access(port), health := Health()) as client:
        assert [await read(client), await read(client)] == ["active", "active"]
        assert world.paths.count(TOKEN_PATH) == 1
        world.now = 3539.0
        await read(client)
        assert world.paths.count(TOKEN_PATH) == 1
        world.now = 3540.0  # 60 seconds before its end
        await read(client)
    assert world.paths.count(TOKEN_PATH) == 2
    assert health.outside["vendor"] == (True, "answers")


async def test_calls_at_once_wait_for_one_token(world: World) -> None:
    async with world.vendor() as port, VendorHttpClient(world.access(port), Health()) as client:
        await asyncio.gather(*(read(client) for _ in range(5)))
    assert world.paths.count(TOKEN_PATH) == 1


async def test_a_token_that_is_not_taken_is_replaced_once(world: World) -> None:
    async with world.vendor() as port, VendorHttpClient(world.access(port), health := Health()) as client:
        await read(client)
        world.now = 4000.0  # by the vendor's time alone
        assert await read(client) == "active"
        assert world.paths.count(TOKEN_PATH) == 2
        world.tell(seconds=0)
        world.now = 8000.0
        with pytest.raises(RetryLater):
            await read(client)
    assert health.outside["vendor"] == (False, "it takes no call: 401")


async def test_the_refresh_token_is_read_for_each_token(world: World) -> None:
    world.tell(refresh_token=REFRESH)
    async with world.vendor() as port:
        access = world.access(port, vendor_refresh_token_file=world.refresh_file)
        async with VendorHttpClient(access, health := Health()) as client:
            await read(client)
            world.tell(refresh_token="another-horse")
            world.now = 4000.0
            with pytest.raises(RetryLater):
                await read(client)
            assert health.outside["vendor"] == (False, "it gives no token: 400 invalid_grant")
            world.refresh_file.write_text("another-horse\n")
            assert await read(client) == "active"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_token_follows_a_redirection(world: World, status: int) -> None:
    asked: list[httpx2.URL] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        if request.url.path == TOKEN_PATH:
            return httpx2.Response(200, json={"access_token": "t", "token_type": "Bearer"})
        return httpx2.Response(status, headers={"Location": "http://elsewhere.example/"})

    client = VendorHttpClient(world.access(443, vendor_ca_file=None), Health())
    client._transport, client._mounts = httpx2.MockTransport(answer), {}
    async with client:
        await client.get("/v1/things")
    assert {url.host for url in asked} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("secret", "it gives no token: 401 invalid_client"),
        ("secret file", "the secret's file secret cannot be read: FileNotFoundError"),
        ("authority", "its certificate is signed by nobody who is trusted"),
        ("expired", "its certificate has expired"),
        ("host", "its certificate is for another address"),
        ("certificate", "cannot be reached"),
        ("ca file", "the files for TLS are unusable"),
    ],
)
async def test_a_vendor_that_is_not_the_one_or_refuses_us_is_not_called(
    world: World, tmp_path: Path, fault: str, sentence: str
) -> None:
    signed, changes, client_ca = world.authority.sign("vendor", "127.0.0.1"), dict[str, Any](), None
    match fault:
        case "secret":
            world.secret_file.write_text("wrong-horse")
        case "secret file":
            world.secret_file.unlink()
        case "authority":
            signed = Authority(tmp_path / "foreign", "foreign").sign("vendor", "127.0.0.1")
        case "expired":
            signed = world.authority.sign("expired", "127.0.0.1", begins=timedelta(-2), ends=timedelta(hours=-1))
        case "host":
            signed = world.authority.sign("other", "192.0.2.17")
        case "certificate":
            client_ca = world.authority.file
        case "ca file":
            changes = {"vendor_ca_file": tmp_path / "nothing"}
    async with (
        world.vendor(signed, client_ca=client_ca) as port,
        VendorHttpClient(world.access(port, **changes), health := Health()) as client,
    ):
        with capture_logs() as logs, pytest.raises(RetryLater):
            await read(client)
    assert not any(path.startswith("/v1/") for path in world.paths)
    well, state = health.outside["vendor"]
    assert not well
    assert state.startswith(sentence)
    assert [line["reason"] for line in logs] == [state]
    assert "horse" not in f"{logs}{state}"


async def test_a_certificate_of_ours_is_shown_and_read_again_when_replaced(world: World) -> None:
    stale = world.authority.sign("partner", "partner.example", ends=timedelta(hours=-1))
    async with world.vendor(client_ca=world.authority.file) as port:
        files = {"vendor_certificate_file": stale.certificate, "vendor_key_file": stale.key}
        async with VendorHttpClient(world.access(port, **files), Health()) as client:
            with pytest.raises(RetryLater):
                await read(client)
            world.authority.sign("partner", "partner.example")
            assert await read(client) == "active"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 200), ({"access_token": "a\nb", "token_type": "Bearer"}, 200), ({"access_token": "t"}, 200), ([], 500)],
)
async def test_what_is_no_token_is_not_used(world: World, body: object, status: int) -> None:
    async def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == TOKEN_PATH
        return httpx2.Response(status, json=body)

    client = VendorHttpClient(world.access(443, vendor_ca_file=None), Health())
    client._transport, client._mounts = httpx2.MockTransport(answer), {}
    async with client:
        with pytest.raises(VendorAccessRefused):
            await client.get("/v1/things")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vendor_url": "http://vendor.example", "vendor_ca_file": None}, "begin with https"),
        ({"vendor_token_url": "http://vendor.example/token"}, "begin with https"),
        ({"vendor_url": "http://vendor.example"}, "TLS is not switched on"),
        ({"vendor_client_secret_file": None}, "a secret or a certificate"),
        ({"vendor_token_url": ""}, "VENDOR_TOKEN_URL is missing"),
        ({"vendor_key_file": "key.pem"}, "belong together"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(world: World, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        world.access(443, **changes)
