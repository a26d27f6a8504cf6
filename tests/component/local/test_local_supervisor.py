"""The launcher's supervision: what dies starts again, what cannot start ends the start, nothing is left."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from deploy.local import children, ports
from deploy.local.children import ChildProgram, ProcessIdentity, StartFailedError
from deploy.local.jars import CHECKOUT
from deploy.local.ports import find_free_port, keep_or_pick_ports
from deploy.local.state import StackState
from deploy.local.supervisor import StackSupervisor

SLEEPER = ChildProgram("sleeper", ("sleep", "600"))
LAUNCHER = """
import asyncio, sys
from pathlib import Path
from deploy.local.children import ChildProgram
from deploy.local.state import StackState
from deploy.local.supervisor import StackSupervisor

async def main(state):
    StackSupervisor(state, print).start(ChildProgram("sleeper", ("sleep", "600")))
    await asyncio.sleep(600)

state = StackState(Path(sys.argv[1]))
with state.hold_state_folder():
    asyncio.run(main(state))
"""


def start_launcher(state: StackState) -> subprocess.Popen[bytes]:
    """A process that holds the folder and looks after a sleeper."""
    environment = dict(os.environ) | {"PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen([sys.executable, "-c", LAUNCHER, str(state.root)], env=environment)


async def until(condition: Callable[[], bool], within: float = 20) -> None:
    """Wait for the condition."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.01)


@pytest.fixture
def state(tmp_path: Path) -> StackState:
    return StackState(tmp_path)


@pytest.fixture
async def supervisor(state: StackState) -> AsyncIterator[StackSupervisor]:
    supervisor = StackSupervisor(state, print)
    yield supervisor
    await supervisor.stop()


async def test_what_is_killed_starts_again(state: StackState, supervisor: StackSupervisor) -> None:
    supervisor.start(SLEEPER)
    await until(lambda: "sleeper" in state.list_running_processes())
    first = state.list_running_processes()["sleeper"]

    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: state.list_running_processes()["sleeper"].restarts == 1)

    second = state.list_running_processes()["sleeper"]
    assert [process.process_identity.is_process_alive for process in (first, second)] == [False, True]
    await supervisor.stop()
    assert ProcessIdentity.of(second.pid) is None
    assert state.list_running_processes() == {}


async def test_a_program_that_cannot_start_ends_the_start(
    supervisor: StackSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.supervisor.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("deploy.local.supervisor.LONGEST_PAUSE", 0.01)

    async def steps() -> None:
        supervisor.start(SLEEPER, ChildProgram("broken", ("sh", "-c", "exit 3")))
        await asyncio.Event().wait()

    with pytest.raises(StartFailedError, match=r"broken: died 5 times \(last exit code 3\)"):
        await supervisor.start_stack_programs(steps())


async def test_groups_stop_in_reverse_order(tmp_path: Path, supervisor: StackSupervisor, state: StackState) -> None:
    order = tmp_path / "order"
    for name in ("first", "second"):
        farewell = f"trap 'echo {name} >> {order}; exit' TERM; touch {tmp_path}/{name}; while :; do sleep 0.05; done"
        supervisor.start(ChildProgram(name, ("sh", "-c", farewell)))
    await until(lambda: (tmp_path / "first").exists() and (tmp_path / "second").exists())

    await supervisor.stop()

    assert order.read_text().split() == ["second", "first"]


async def test_what_ignores_sigterm_is_killed_after_the_grace(
    tmp_path: Path, supervisor: StackSupervisor, state: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "GRACE", 0.1)
    stubborn = f"trap '' TERM; touch {tmp_path}/deaf; while :; do sleep 0.05; done"
    supervisor.start(ChildProgram("stubborn", ("sh", "-c", stubborn)))
    await until((tmp_path / "deaf").exists)
    running = state.list_running_processes()["stubborn"]

    await supervisor.stop()

    assert not running.process_identity.is_process_alive


@pytest.fixture
async def killed_launcher(state: StackState) -> AsyncIterator[ProcessIdentity]:
    """A sleeper whose launcher was killed hard."""
    launcher = start_launcher(state)
    await until(lambda: "sleeper" in state.list_running_processes())
    sleeper = state.list_running_processes()["sleeper"].process_identity
    assert sleeper.is_process_alive
    assert state.find_launcher() == ProcessIdentity.of(launcher.pid)
    launcher.kill()
    launcher.wait()
    yield sleeper
    children.kill_process_group(sleeper.pid)


async def test_nothing_outlives_a_launcher_that_was_killed(state: StackState, killed_launcher: ProcessIdentity) -> None:
    await until(lambda: not killed_launcher.is_process_alive)
    assert state.find_launcher() is None
    assert not state.is_ready
    with state.hold_state_folder():
        assert state.find_launcher() == ProcessIdentity.of(os.getpid())


def test_a_reused_process_id_is_not_taken_for_ours() -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        alive = ProcessIdentity.of(stranger.pid)
        assert alive is not None
        children.end_stranded_process(ProcessIdentity(stranger.pid, alive.started - 1))
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_is_kept_while_nobody_else_holds_it() -> None:
    kept = keep_or_pick_ports(("one", "two"), {})
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", kept["one"]))
        stranger.listen()
        again = keep_or_pick_ports(("one", "two"), kept)
    assert again["one"] != kept["one"]
    assert again["two"] == kept["two"]
    assert len(set(again.values())) == 2


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RANGE", range(31_900, 31_920))
    picked = {find_free_port() for _ in range(12)}
    assert len(picked) == 12
