"""`up` and `down` from the command line: also after the launcher was killed, with all data and nothing left."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx2
import pytest

from deploy.local import processes
from deploy.local.bootstrap import DATABASE
from deploy.local.jars import CHECKOUT
from deploy.local.ports import is_port_answering
from deploy.local.stack import remove_stack_folder
from deploy.local.state import PORTS, StackState
from sandbox.entities import SELLER
from shared.process.service import NAMES
from tests.builders import Client, account
from tests.end_to_end.backbone.loops import until

pytestmark = pytest.mark.xdist_group("stack")


async def command(name: str, state: StackState) -> tuple[int, str]:
    """Run a command of the local stack; its exit code and what it said."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local", name, "--state", str(state.root)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(child.communicate(), 120)
    assert child.returncode is not None
    return child.returncode, said.decode()


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[StackState]:
    """The folder of a stack that is down and gone afterwards, whatever happened."""
    state = StackState(tmp_path / "stack")
    yield state
    await command("down", state)
    remove_stack_folder(state.root)


def list_left(state: StackState) -> list[str]:
    """The processes of the stack that live, by their command lines and environments."""
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(state.root).encode() in words:
            processes.append(words.replace(b"\0", b" ")[:200].decode(errors="replace"))
    return processes


async def accounts(state: StackState) -> list[str]:
    """The accounts that invoicing and, having heard of them, collections know of."""
    connection = await asyncpg.connect(processes.build_postgres_server(state).url("owner", DATABASE))
    try:
        query = (
            "SELECT account_id::text FROM collections.accounts WHERE account_id IN (SELECT id FROM invoicing.accounts)"
        )
        return sorted([row["account_id"] for row in await connection.fetch(query)])
    finally:
        await connection.close()


async def register(state: StackState) -> str:
    """Make an account, and wait until collections has heard of it; its id."""
    async with httpx2.AsyncClient(base_url=state.url("invoicing"), timeout=20) as http:
        client = Client(http, state.keys.token("invoicing"))
        if (await client.get("/v1/legal-entities/GS-DE")).status_code == 404:
            await http.put("/v1/legal-entities/GS-DE", json=SELLER, headers=client.headers)
        made = str((await client.create("/v1/accounts", account()))["id"])

    async def has_heard() -> bool:
        return made in await accounts(state)

    await until(has_heard)
    return made


async def test_up_after_the_launcher_was_killed_and_down(state: StackState) -> None:
    assert (await command("up", state))[0] == 0
    first = await register(state)
    launcher, ran = state.find_launcher(), state.list_running_processes()
    assert launcher is not None
    assert set(ran) >= {"postgres", "kafka", *NAMES}
    os.kill(launcher.pid, signal.SIGKILL)

    code, said = await command("up", state)
    assert code == 0, said
    assert not any(process.process_identity.is_process_alive for process in ran.values())
    assert await accounts(state) == [first]
    second = await register(state)
    assert await accounts(state) == sorted([first, second])

    ran, ended = state.list_running_processes(), state.find_launcher()
    assert (await command("down", state))[0] == 0
    assert ended is not None
    assert not ended.is_process_alive
    assert not any(process.process_identity.is_process_alive for process in ran.values())
    assert list_left(state) == []
    assert [name for name in (*PORTS, *NAMES) if is_port_answering(state.get_port(name))] == []
    assert [path for path in state.root.rglob("*") if path.is_socket()] == []
