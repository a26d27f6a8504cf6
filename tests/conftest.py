"""Servers and databases for tests. Without them a test fails; it never skips."""

import asyncio
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog
import uvloop
from hypothesis import Phase, settings

from deploy.local import ports
from deploy.local.bootstrap import bootstrap_server
from deploy.local.postgres import PostgresServer
from deploy.local.tokens import SigningKeyPair
from shared.migrate import migrate_database
from tests.builders import Database, insert_legal_entities

# Whether a change is accepted must not hang on the dice; whoever works on it gets new examples each time.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
_WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)  # a mutant is killed by any example: none is made smaller
settings.register_profile("mutants", derandomize=True, deadline=None, max_examples=20, phases=_WITHOUT_SHRINKING)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "here"))

# The loop of the product's processes.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# A line for each: structlog's own way, for people at a terminal, draws every local variable of what broke.
structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()])

# Each worker of pytest-xdist picks other ports: between the pick and the use of one pass seconds.
if "PYTEST_XDIST_WORKER" in os.environ:
    _worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    ports.RANGE = ports.RANGE[_worker :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]

TEMPLATE = "template_goodstanding"
MEMORY, ROOM = Path("/dev/shm"), 8 * 2**30
"""Where files are in memory, and the bytes that must be free there."""
PREFIX = "goodstanding-tests-"
"""Begin of the names of folders there; the id of the test process follows."""
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes down what tests/golden holds."""
    parser.addoption("--write-golden", action="store_true", help="write down anew what tests/golden holds")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while everything is imported, and afterwards not in what was: it stays until the end."""
    gc.disable()
    result = yield
    gc.collect()
    gc.freeze()
    gc.enable()
    return result


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of a group together, in the order that they have: what they share ends with the last of them."""
    items.sort(key=lambda item: str(next((mark.args for mark in item.iter_markers("xdist_group")), "")))


@pytest.fixture(scope="session")
def fast_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for servers that are thrown away, in memory where the machine has it: they write all the time."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        for left_behind in MEMORY.glob(f"{PREFIX}*"):  # by a test process that was killed
            if not Path("/proc", left_behind.name.split("-")[2]).exists():
                shutil.rmtree(left_behind, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=MEMORY))
        folder.chmod(0o755)  # Postgres runs as another user
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    else:
        yield tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
async def postgres(fast_folder: Path) -> AsyncIterator[PostgresServer]:
    """A Postgres server of this test process, with a migrated template database."""
    server = PostgresServer(fast_folder / "postgres", by_socket=True)
    server.start()
    try:
        await bootstrap_server(server, TEMPLATE)
        await migrate_database(server.url("owner", TEMPLATE))
        await insert_legal_entities(server.url(database=TEMPLATE))
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeyPair:
    """The keys that sign this run's tokens."""
    folder = tmp_path_factory.mktemp("keys")
    keys = SigningKeyPair(folder)
    keys.publish(folder / "jwks.json")
    return keys


@pytest.fixture(scope="session")
def jwks_file(keys: SigningKeyPair) -> Path:
    """The public half of the keys."""
    return keys._folder / "jwks.json"


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database of this test's own, made from the template, with the clock set."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.url())
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        own = Database(postgres, name)
        async with own.keeping_connection():
            await own.install_clock()
            yield own
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
