"""Postgres is reached over TLS with its certificate verified where that is set, and otherwise not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from deploy.local.bootstrap import DATABASE, bootstrap_server
from deploy.local.postgres import PostgresServer
from deploy.local.secured import ServerTlsFiles
from shared.base.connections.access import DatabaseAccess
from shared.base.connections.database import connect_database
from shared.base.connections.tls import TlsFiles, TlsOrLoginRefused
from shared.base.settings import Settings
from shared.migrate import migrate_database
from shared.process.runtime import Runtime
from shared.process.service import load_service
from shared.web.http import create_process_app
from tests.certificates import Authority, Signed

IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


class World:
    """A server that lets nobody in without TLS, with the schemas of one service."""

    def __init__(self, server: PostgresServer, authority: Authority, folder: Path) -> None:
        self.server = server
        self.authority = authority
        self.password_file = folder / "password"
        self.password_file.write_text(server.get_role_password("escalation") + "\n")

    def access(self, **changes: Any) -> DatabaseAccess:
        return DatabaseAccess(**(self.fields() | changes))

    def fields(self) -> dict[str, Any]:
        tls = {"database_sslmode": "verify-full", "database_ca_file": self.authority.file}
        return {"database_url": self.url(), "database_password_file": self.password_file} | tls

    def url(self, port: int | None = None, host: str = "127.0.0.1") -> str:
        return f"postgresql://escalation@{host}:{port or self.server.port}/{DATABASE}"

    def settings(self, **changes: Any) -> Settings:
        needed = {"jwks_file": self.password_file, "issuer": "https://issuer.example"}
        return Settings(**(self.fields() | needed | changes))


@pytest.fixture(scope="module")
async def world(fast_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder / "authority")
    signed = authority.sign("postgres", "127.0.0.1", "localhost")
    tls = ServerTlsFiles(signed.certificate, signed.key, TlsFiles(authority.file))
    server = PostgresServer(fast_folder / "postgres-tls", tls=tls)
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:  # roles, schemas and migrations go over TLS too
            patch.setenv("GOODSTANDING_DATABASE_SSLMODE", "verify-full")
            patch.setenv("GOODSTANDING_DATABASE_CA_FILE", str(authority.file))
            await bootstrap_server(server)
            await migrate_database(server.url("owner", DATABASE), ("escalation",))
        yield World(server, authority, folder)
    finally:
        server.remove()


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.base.connections.database._logged", {})


@asynccontextmanager
async def answering_no_tls() -> AsyncIterator[tuple[int, bytearray]]:
    """Answer each request for TLS with `N`, as a server without it or somebody between does; what came after."""
    octets = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        octets.extend(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], octets
    finally:
        server.close()


async def test_each_connection_is_encrypted(world: World) -> None:
    connection = await connect_database(world.access())
    assert await connection.fetchval(IS_ENCRYPTED) is True
    await connection.close()
    runtime = Runtime(load_service("escalation"), world.settings())
    try:
        assert await runtime.units.run(lambda unit: unit.connection.fetchval(IS_ENCRYPTED)) is True
    finally:
        await runtime.close()


async def test_a_rotated_password_is_read_for_the_next_connection(world: World) -> None:
    access, password = world.access(), world.password_file.read_text()
    try:
        world.password_file.write_text("former")
        with pytest.raises(TlsOrLoginRefused, match="the login is refused"):
            await connect_database(access)
    finally:
        world.password_file.write_text(password)
    await (await connect_database(access)).close()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"database_sslmode": "disable", "database_ca_file": None}, "the login is refused"),
        ({"database_ca_file": None}, "its certificate is signed by nobody who is trusted"),
        ({"database_password_file": "/nowhere/password"}, "the secret's file password cannot be read"),
        ({"database_ca_file": "/nowhere/ca.pem"}, "the files for TLS are unusable"),
    ],
)
async def test_access_without_what_the_server_needs_is_refused(
    world: World, changes: dict[str, Any], sentence: str
) -> None:
    with capture_logs() as logs, pytest.raises(TlsOrLoginRefused, match=sentence):
        await connect_database(world.access(**changes))
    (line,) = logs
    assert line["log_level"] == "error"
    assert line["reason"].startswith(sentence)


def sign_wrongly(fault: str, authority: Authority, folder: Path) -> Signed:
    match fault:
        case "expired":
            return authority.sign("expired", "127.0.0.1", begins=timedelta(-2), ends=timedelta(hours=-1))
        case "host":
            return authority.sign("other", "192.0.2.17")
    return Authority(folder / "foreign", "foreign").sign("postgres", "127.0.0.1")


async def find_refusal(world: World) -> str | None:
    try:
        await (await connect_database(world.access())).close()
    except TlsOrLoginRefused as refused:
        return str(refused)
    return None


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("expired", "its certificate has expired"),
        ("host", "its certificate is for another address"),
        ("authority", "its certificate is signed by nobody who is trusted"),
    ],
)
async def test_a_server_with_another_certificate_is_refused(
    world: World, tmp_path: Path, fault: str, sentence: str
) -> None:
    signed = sign_wrongly(fault, world.authority, tmp_path)
    admin = world.access(database_url=world.server.url(), database_password_file=None)
    right = (world.server.data / "server.crt").read_text(), (world.server.data / "server.key").read_text()
    connection = await connect_database(admin)

    async def install(certificate: str, key: str) -> None:
        (world.server.data / "server.crt").write_text(certificate)
        (world.server.data / "server.key").write_text(key)
        loaded = "SELECT pg_conf_load_time()"
        before = await connection.fetchval(loaded)
        await connection.execute("SELECT pg_reload_conf()")
        while await connection.fetchval(loaded) == before:  # noqa: ASYNC110  # nobody tells when it was done
            await asyncio.sleep(0.01)

    await install(signed.certificate.read_text(), signed.key.read_text())
    try:
        async with asyncio.timeout(10):
            while (refusal := await find_refusal(world)) is None:  # it loads them a moment after the session did
                pass
    finally:
        await install(*right)
        await connection.close()
    async with asyncio.timeout(10):
        while await find_refusal(world):
            pass
    assert refusal == f"the database: {sentence}"


async def test_a_server_without_tls_is_told_nothing(world: World) -> None:
    async with answering_no_tls() as (port, octets):
        with pytest.raises(TlsOrLoginRefused, match="it offers no TLS"):
            await connect_database(world.access(database_url=world.url(port)))
    assert octets == b""


async def test_health_and_log_say_what_is_refused_and_hold_no_secret(world: World, tmp_path: Path) -> None:
    password_file = tmp_path / "password"
    password_file.write_text("wrong-horse")
    runtime = Runtime(load_service("escalation"), world.settings(database_password_file=password_file))
    transport = httpx2.ASGITransport(app=create_process_app(runtime, with_routes=False))
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            with capture_logs() as logs:
                answer = await client.get("/health/ready")
    finally:
        await runtime.close()
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == {"ok": False, "state": "the database: the login is refused"}
    assert [line["reason"] for line in logs if "reason" in line] == ["the login is refused"]
    assert "horse" not in f"{logs}{answer.text}"


def test_a_password_in_the_url_is_not_shown() -> None:
    url = "postgresql://escalation:correct-horse@127.0.0.1/goodstanding"
    assert "horse" not in f"{DatabaseAccess(database_url=url)!r}{DatabaseAccess(database_url=url)}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"database_url": "postgresql://escalation@127.0.0.1/goodstanding?sslmode=prefer"}, "says how TLS is done"),
        ({"database_url": "postgresql://escalation:correct-horse@127.0.0.1/goodstanding"}, "both have a password"),
        ({"database_sslmode": "disable"}, "TLS is not switched on"),
        ({"database_key_file": "key.pem"}, "belong together"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changes: dict[str, Any], sentence: str) -> None:
    usual = {"database_url": "postgresql://escalation@127.0.0.1/goodstanding", "database_sslmode": "verify-full"}
    files = {"database_ca_file": "ca.pem", "database_password_file": "password"}
    with pytest.raises(ValidationError, match=sentence) as raised:
        DatabaseAccess(**(usual | files | changes))
    assert "horse" not in str(raised.value)
