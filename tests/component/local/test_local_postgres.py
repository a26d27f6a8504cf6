"""The embedded Postgres: passwords, roles that stay in their schema, and a start after a hard kill."""

import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.bootstrap import DATABASE, SERVICES, bootstrap_server
from deploy.local.children import ProcessIdentity
from deploy.local.postgres import PostgresServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
async def bootstrapped(server: PostgresServer) -> PostgresServer:
    """Run twice: the second run must find everything in place and change nothing."""
    await bootstrap_server(server)
    await bootstrap_server(server)
    async with connected(server.url("owner", DATABASE)) as owner:
        for service in SERVICES:
            await owner.execute(f"CREATE TABLE {service}.things (id int); INSERT INTO {service}.things VALUES (7)")
        await owner.execute("CREATE TABLE clock.clock (now timestamptz)")
    return server


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_wrong_password_is_refused(bootstrapped: PostgresServer) -> None:
    right = bootstrapped.url("invoicing", DATABASE)
    wrong = right.replace(bootstrapped.get_role_password("invoicing"), bootstrapped.get_role_password("collections"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)
    async with connected(right) as connection:
        assert await connection.fetchval("SELECT current_user") == "invoicing"


async def test_listens_on_the_loopback_only(server: PostgresServer) -> None:
    async with connected(server.url()) as connection:
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        assert await connection.fetchval("SHOW unix_socket_directories") == ""


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_sees_its_own_schema_first_and_only(bootstrapped: PostgresServer, service: str) -> None:
    async with connected(bootstrapped.url(service, DATABASE)) as connection:
        assert await connection.fetchval("SELECT id FROM things") == 7
        for other in set(SERVICES) - {service}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SELECT * FROM {other}.things")


@pytest.mark.parametrize("role", [*SERVICES, "monitor", "clock"])
@pytest.mark.parametrize("database", ["postgres", "template1"])
async def test_a_role_logs_in_to_no_other_database(bootstrapped: PostgresServer, role: str, database: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(bootstrapped.url(role, database))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_has_bounds(bootstrapped: PostgresServer, service: str) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    async with connected(bootstrapped.url(service, DATABASE)) as connection:
        assert [await connection.fetchval(f"SHOW {name}") for name in names] == ["1min", "10s", "1min"]
        assert await connection.fetchval("SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user") == 60


async def test_a_role_takes_no_connections_from_the_others(bootstrapped: PostgresServer) -> None:
    async with connected(bootstrapped.url()) as superuser:
        await superuser.execute("ALTER ROLE escalation CONNECTION LIMIT 2")
        await bootstrap_server(bootstrapped)  # keeps what was set by hand
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(connected(bootstrapped.url("escalation", DATABASE)))
            with pytest.raises(asyncpg.TooManyConnectionsError):
                await asyncpg.connect(bootstrapped.url("escalation", DATABASE))
            async with connected(bootstrapped.url("collections", DATABASE)):
                pass
        await superuser.execute("ALTER ROLE escalation CONNECTION LIMIT 60")


@pytest.mark.parametrize("schema", ["invoicing", "public", "clock"])
async def test_a_service_creates_nothing(bootstrapped: PostgresServer, schema: str) -> None:
    async with connected(bootstrapped.url("invoicing", DATABASE)) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"CREATE TABLE {schema}.mine (id int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE SCHEMA mine")


async def test_everyone_reads_the_clock_and_its_role_sets_it(bootstrapped: PostgresServer) -> None:
    async with connected(bootstrapped.url("clock", DATABASE)) as clock:
        await clock.execute("INSERT INTO clock VALUES ('2026-03-01T00:00:00Z')")
    for role in (*SERVICES, "monitor"):
        async with connected(bootstrapped.url(role, DATABASE)) as connection:
            assert (await connection.fetchval("SELECT now FROM clock.clock")).year == 2026
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("UPDATE clock.clock SET now = '2030-01-01T00:00:00Z'")


async def test_waits_for_backends_that_have_not_noticed_that_their_server_was_killed(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres", durable=True)
    server.start()
    try:
        connection = await asyncpg.connect(server.url())
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        os.kill(backend, signal.SIGSTOP)
        os.kill(server.pid, signal.SIGKILL)
        thaw = threading.Thread(target=thaw_when_found, args=(server, backend))
        thaw.start()
        server.start()
        thaw.join()
        connection.terminate()
        async with connected(server.url()) as another:
            assert await another.fetchval("SELECT 1") == 1
    finally:
        server.remove()


def thaw_when_found(server: PostgresServer, backend: int) -> None:
    """Let the backend go on, and end, once the new server has found it."""
    deadline = time.monotonic() + 20
    while b"shared memory block" not in (server.folder / "postgres.log").read_bytes() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(backend, signal.SIGCONT)


async def test_starts_again_with_its_data_after_a_hard_kill(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres", durable=True)
    server.start()
    try:
        async with connected(server.url()) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        killed = ProcessIdentity.of(server.pid)
        assert killed is not None
        os.kill(killed.pid, signal.SIGKILL)
        server.start()
        assert not killed.is_process_alive
        async with connected(server.url()) as connection:
            assert await connection.fetchval("SELECT answer FROM kept") == 42
    finally:
        server.remove()
    assert not server.data.exists()
