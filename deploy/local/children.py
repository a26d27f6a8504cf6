"""Child processes that end with their parent, and that are recognised after a restart of the launcher."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
LARGEST_LOG = 20 * 1024 * 1024
"""Bytes; a larger log is set aside as `NAME.log.1` when its process starts."""


class StartFailedError(Exception):
    """A part of the stack does not come up; `name` says which, and so where its log is."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


@dataclass(frozen=True)
class SystemUser:
    """The operating system user that a program runs as, where that is not our own."""

    uid: int
    gid: int


@dataclass(frozen=True)
class ChildProgram:
    """A program to run, and how it is asked to end."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path = Path("/")
    user: SystemUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = signal.SIGKILL
    """What the program gets when the thread that spawned it is no more; None for one that stays."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process id with the start time of its process, so that a reused id is never mistaken for ours."""

    pid: int
    started: int
    """Clock ticks since the machine started, field 22 of `/proc/PID/stat`."""

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of a living process; None when there is none (a zombie counts as none)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name, in parentheses, may hold blanks: count the fields after it.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    @property
    def is_process_alive(self) -> bool:
        """Whether this very process still runs."""
        return ProcessIdentity.of(self.pid) == self


def build_user_command(
    user: SystemUser | None, command: tuple[str, ...], death_signal: signal.Signals | None = signal.SIGKILL
) -> list[str]:
    """The command, run as that user and bound to the life of the thread that spawns it.

    `setpriv` does it after the change of user, which would clear a signal that was set before, and
    without code of ours between fork and exec.
    """
    change = () if user is None else ("--reuid", str(user.uid), "--regid", str(user.gid), "--init-groups")
    bond = "keep" if death_signal is None else death_signal.name.removeprefix("SIG")
    return ["setpriv", *change, "--pdeathsig", bond, "--", *command]


def spawn_program(program: ChildProgram, log: Path) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, with its output appended to `log`.

    Call it from a thread that lives as long as the program should.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            build_user_command(program.user, program.command, program.death_signal),
            env=dict(os.environ) | dict(program.environment),
            cwd=program.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def end_child(child: subprocess.Popen[bytes], stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask the child to end, and after the grace period kill it with its whole group; waits for it."""
    if child.poll() is None:
        child.send_signal(stop_signal)
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        kill_process_group(child.pid)
        child.wait()


async def wait_for_child_end(child: subprocess.Popen[bytes]) -> int:
    """Wait for the end of the child, then of whatever is left in its group; its exit code."""
    if child.returncode is not None:
        return child.returncode
    descriptor, gone = os.pidfd_open(child.pid), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    kill_process_group(child.pid)  # before the id is free for others
    return child.wait()


async def end_child_in_background(child: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """`end`, without holding up the loop."""
    if child.poll() is None:
        child.send_signal(stop_signal)
    try:
        await asyncio.wait_for(wait_for_child_end(child), GRACE)
    except TimeoutError:
        kill_process_group(child.pid)
        await wait_for_child_end(child)


def end_stranded_process(identity: ProcessIdentity, within: float = GRACE) -> None:
    """End a process that a killed launcher left behind; nothing happens if its id is someone else's now."""
    if not identity.is_process_alive:
        return
    os.kill(identity.pid, signal.SIGTERM)
    deadline = time.monotonic() + within
    while identity.is_process_alive and time.monotonic() < deadline:
        time.sleep(0.05)
    if identity.is_process_alive:
        kill_process_group(identity.pid)


def kill_process_group(group: int) -> None:
    """SIGKILL to every member of the process group, if it has any."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
