"""Every command of the runbooks is run on a stack: it ends well, and what it asks for is there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import yaml

from deploy.local.bootstrap import DATABASE
from deploy.local.jars import CHECKOUT
from deploy.local.processes import build_postgres_server
from deploy.local.state import StackState
from sandbox.driver import SandboxDriver
from shared.process.service import NAMES
from tests.component.bank_statements import build_camt_statement
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.lifecycle.course import at, late_account, live_until
from tests.end_to_end.operations.conftest import Watched
from tests.end_to_end.operations.runbooks import BY_HAND, Block, Runner, Unreadable, parse_blocks, read_blocks
from tests.end_to_end.operations.test_alerts import give_up, poison

pytestmark = pytest.mark.xdist_group("watched")

BLOCKS = read_blocks()
RUN = [block for block in BLOCKS if block.language != BY_HAND]
NEEDS_DOCKER = {
    ("JobMissed", 'docker-compose -f deploy/compose.yaml restart "$SERVICE-jobs"'),
    ("ProcessDown", 'docker-compose -f deploy/compose.yaml restart "$SERVICE-api"'),
}
"""What is not run here, as no containers are."""
_HEAD = "SELECT event_id FROM collections.parked WHERE event_id = $1 AND error IS NOT NULL"


@dataclass(frozen=True)
class World:
    """Subjects of the commands: an account, a notice, a case, an event, each by the name of its placeholder."""

    runner: Runner
    values: dict[str, str]
    database_url: str
    """Of the role of collections."""


@pytest.fixture(scope="module")
async def world(
    watched: Watched, watcher: SandboxDriver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """An account with a refused notice, an open case, a parked event and a statement; undone afterwards."""
    stack = watched.stack
    account_id, subscription_id, invoice_id, due = await late_account(watcher)
    account = await watcher.get("invoicing", f"/v1/accounts/{account_id}")
    await import_statement(watched)
    await refuse_mails(watched, account["billing_email"])
    await live_until(watcher, at(due, -3))
    (notice,) = (await watcher.get("collections", f"/v1/notices?state=failed&account_id={account_id}"))["items"]
    problem = {"account_id": account_id, "kind": "technical", "severity": "B", "subject": "It does not work"}
    case = await watcher.post("escalation", "/v1/cases", problem)
    event_id = str(uuid4())
    await poison(watched, event_id)
    database_url = stack.database_url("collections")
    await wait_until_parked(database_url, event_id)
    values = {
        **{name.upper(): stack.url(name) for name in (*NAMES, "prometheus", "alertmanager")},
        **{f"{name.upper()}_TOKEN": stack.token(name) for name in NAMES},
        "PROCESS": stack.url("collections"),
        "SERVICE": "collections",
        "service": "collections",
        "ACTOR": "operator 3",
        "ACCOUNT": account_id,
        "SUBSCRIPTION": subscription_id,
        "INVOICE": invoice_id,
        "NOTICE": notice["id"],
        "CASE": case["id"],
        "ENTITY": account["legal_entity"],
        "EVENT": event_id,
    }
    superuser = build_postgres_server(StackState(watched.folder)).url(database=DATABASE)
    databases = {"monitor": stack.database_url("monitor"), "superuser": superuser}
    runner = Runner(watched.folder, tmp_path_factory.mktemp("curl"), stack.url("prometheus"), databases)
    yield World(runner, values, database_url)
    await watcher.post("collections", "/v1/guard:resume", {"reason": "the runbooks are tried"})
    for name in await list_parked_in(watched, event_id):
        await asyncio.to_thread(give_up, watched, name, event_id)


async def list_parked_in(watched: Watched, event_id: str) -> list[str]:
    """List the services that have parked an event."""
    connection = await asyncpg.connect(watched.stack.database_url("monitor"))
    try:
        query = "SELECT true FROM {}.parked WHERE event_id = $1"
        return [name for name in NAMES if await connection.fetchval(query.format(name), event_id)]
    finally:
        await connection.close()


async def import_statement(watched: Watched) -> None:
    """Import a bank statement without entries."""
    headers = {
        "authorization": f"Bearer {watched.stack.token('invoicing')}",
        "idempotency-key": str(uuid4()),
        "content-type": "application/xml",
    }
    async with httpx2.AsyncClient(base_url=watched.stack.url("invoicing"), timeout=20) as http:
        (await http.post("/v1/bank-imports", content=build_camt_statement([]), headers=headers)).raise_for_status()


async def refuse_mails(watched: Watched, recipient: str) -> None:
    """Let the mail hop refuse the next mail to this address for good."""
    async with httpx2.AsyncClient() as http:
        fault = {"recipient": recipient, "reply": 550, "times": 1}
        (await http.post(f"{watched.stack.url('mailbox')}/v1/faults", json=fault)).raise_for_status()


async def wait_until_parked(database_url: str, event_id: str) -> None:
    """Wait until collections has parked an event as a head."""
    connection = await asyncpg.connect(database_url)
    try:
        await until(lambda: connection.fetchval(_HEAD, event_id))
    finally:
        await connection.close()


@pytest.fixture
async def victim(world: World) -> AsyncIterator[asyncpg.Connection]:
    """A session of collections that rests within a transaction."""
    connection = await asyncpg.connect(world.database_url)
    await connection.execute("BEGIN")
    yield connection
    connection.terminate()


def name_block(block: Block) -> str:
    return f"{block.book}-{block.text.splitlines()[-1][:50]}"


@pytest.mark.parametrize("block", RUN, ids=name_block)
async def test_a_command_does_what_it_says(world: World, victim: asyncpg.Connection, block: Block) -> None:
    values = world.values | {"KEY": str(uuid4()), "pid": str(victim.get_server_pid())}
    await asyncio.to_thread(world.runner.run, block, values)


async def test_a_session_that_is_ended_is_gone(world: World, victim: asyncpg.Connection) -> None:
    (ending,) = (block for block in RUN if block.book == "DatabaseTransactionLong" and "terminate" in block.text)
    await asyncio.to_thread(world.runner.run, ending, {"pid": str(victim.get_server_pid())})

    async def is_gone() -> bool:
        return bool(victim.is_closed())

    await until(is_gone)


def test_what_is_not_run_is_listed_with_its_reason() -> None:
    by_hand = {(block.book, block.text) for block in BLOCKS if block.language == BY_HAND}
    assert by_hand == NEEDS_DOCKER
    containers = yaml.safe_load((CHECKOUT / "deploy" / "compose.yaml").read_text())["services"]
    assert {f"{name}-{role}" for name in NAMES for role in ("jobs", "api")} <= set(containers)


def test_every_placeholder_is_explained() -> None:
    page = (CHECKOUT / "docs" / "runbooks" / "README.md").read_text()
    names = {name for block in BLOCKS for name in block.list_names()}
    assert names >= {"COLLECTIONS", "SERVICE", "pid", "service"}
    assert {name for name in names if f"${name}`" not in page and f":{name}`" not in page} == {"service"}
    assert "`:'service'`" in page


@pytest.mark.parametrize(
    ("page", "broken"),
    [
        ("Look at the log.", "no block"),
        ("```sh\nmake status\n", "without an end"),
        ("```\nmake status\n```\n", "a block in ''"),
        ("```shell\nmake status\n```\n", "a block in 'shell'"),
        ("```sh\nmake status\n```\nThen `POST /v1/guard:stop`.", "`POST /v1/guard:stop` stands in no block"),
        ("Ask `make redrive SERVICE=<service>` first.\n```sh\nmake status\n```\n", "stands in no block"),
    ],
)
def test_a_page_that_cannot_be_read_is_seen(page: str, broken: str) -> None:
    with pytest.raises(Unreadable, match=broken):
        parse_blocks("Page", page)


@pytest.mark.parametrize(
    ("language", "text", "broken"),
    [
        ("sh", 'make redrive SERVICE="$NOBODY"', "nobody knows"),
        ("sql", "SELECT * FROM pg_locks WHERE pid = :nobody;", "nobody knows"),
        ("sh", "make nothing", "No rule to make target"),
        ("sh", 'curl -sS "$COLLECTIONS/v1/nothing"', "answered 404"),
        ("sh", 'curl -sS "$COLLECTIONS/v1/guard"', "answered 401"),
        ("sql", "SELECT no_such_column FROM collections.pending_work;", "no_such_column"),
        ("sql", "SELECT * FROM collections.notices;", "permission denied"),
        ("promql", "sum by (", "parse error"),
    ],
)
def test_a_command_that_is_wrong_is_seen(world: World, language: str, text: str, broken: str) -> None:
    with pytest.raises(AssertionError, match=broken):
        world.runner.run(Block("Page", language, text), world.values)
