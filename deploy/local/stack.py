"""A stack for the length of a `with` block: for tests, the demo and replays."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import children, processes
from deploy.local.bootstrap import DATABASE, SERVICES
from deploy.local.children import ChildProgram, ProcessIdentity, StartFailedError
from deploy.local.jars import CHECKOUT
from deploy.local.postgres import PostgresServer
from deploy.local.state import StackState
from shared.base.connections.access import DatabaseAccess, KafkaAccess
from shared.base.connections.tls import TlsFiles

UP_WITHIN = 300.0
"""Seconds for a start; the first one may have to fetch Kafka's jars."""


class Stack:
    """A running stack in the folder `state`; everything ends with the block, or with this process.

    Enter it from a thread that lives as long as the stack should. `durable=False` trades the data's
    safety against a crash of the machine for speed. With `metrics` the services count for Prometheus, which is
    started with Alertmanager where they are installed. The services reach the programs that `proxies` names
    through these ports. Where `state` has a folder `security` (`deploy.local.secured.Security`), every server wants TLS
    and a login. Raises StartFailedError, also when the folder has a launcher already.
    """

    def __init__(
        self,
        state: Path,
        *,
        services: tuple[str, ...] = SERVICES,
        durable: bool = True,
        log_level: str = "info",
        metrics: bool = False,
        proxies: Mapping[str, int] | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._state = StackState(state)
        self._arguments = (
            *launcher_arguments(self._state, services, durable, log_level, metrics),
            *(f"--proxy={name}={port}" for name, port in (proxies or {}).items()),
        )
        self._tell = tell
        self._launcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        follow = LogFollower(self._state.get_log_path("launcher"))
        self._launcher = spawn_launcher(self._state, self._arguments, attached=True)
        try:
            wait_until_ready(self._state, self._launcher, follow, self._tell)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._launcher is not None:
            stop_launcher(self._launcher)
            self._launcher = None

    def url(self, name: str) -> str:
        """The address of a service, of `vendor`, `clock` or `mailbox`."""
        return self._state.url(name)

    @property
    def kafka(self) -> str:
        """Kafka's address for clients."""
        return processes.build_kafka_server(self._state).bootstrap

    @property
    def kafka_access(self) -> KafkaAccess:
        """How clients of ours reach Kafka."""
        return processes.build_kafka_server(self._state).access

    def database_access(self, role: str) -> DatabaseAccess:
        """How a role reaches the stack's database: owner, a service, monitor or clock."""
        return processes.build_postgres_server(self._state).access(role, DATABASE)

    @property
    def tls(self) -> TlsFiles:
        """The files of TLS with the vendor."""
        return self._state.tls

    def database_url(self, role: str) -> str:
        """A connection string of the stack's database for a role: owner, a service, monitor or clock."""
        return processes.build_postgres_server(self._state).url(role, DATABASE)

    def token(
        self, audience: str, scopes: str | None = None, subject: str = "operator", roles: str = "operator"
    ) -> str:
        """A token for one service, with scopes and roles separated by blanks; all of its scopes if not said."""
        return self._state.keys.token(audience, scopes, subject, roles)

    def get_program_pid(self, name: str) -> int:
        """The process id that a program has now. KeyError if it never ran."""
        return self.get_running_process(name).pid

    def get_running_process(self, name: str) -> ProcessIdentity:
        """The process that a program is now. KeyError if it never ran."""
        return self._state.list_running_processes()[name].process_identity

    def read_program_log(self, name: str) -> str:
        """All that a process wrote since the stack was first made."""
        return self._state.get_log_path(name).read_text(errors="replace")


def remove_stack_folder(folder: Path) -> None:
    """Delete the data of a stack that is down, wherever they live. Raises AlreadyRunningError."""
    state = StackState(folder)
    with state.hold_state_folder():
        PostgresServer(state.root / "postgres").remove()
    shutil.rmtree(state.root)


class LogFollower:
    """Hands out the lines that a log has grown by."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._rest = ""

    def read_new_lines(self) -> list[str]:
        """The whole lines since the last call."""
        if not self._log.exists():
            return []
        if self._log.stat().st_size < self._offset:  # set aside for a fresh one
            self._offset = 0
        with self._log.open(errors="replace") as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *whole, self._rest = text.split("\n")
        return whole


def launcher_arguments(
    state: StackState,
    services: tuple[str, ...] = SERVICES,
    durable: bool = True,
    log_level: str = "info",
    metrics: bool = False,
) -> tuple[str, ...]:
    """The command line of the launcher."""
    switches = ("--durable" if durable else "--no-durable", "--metrics" if metrics else "--no-metrics")
    options = ("--services", ",".join(services), *switches)
    command = (sys.executable, "-m", "deploy.local", "supervise", "--state", str(state.root))
    return (*command, *options, "--log-level", log_level)


def spawn_launcher(state: StackState, arguments: tuple[str, ...], *, attached: bool) -> subprocess.Popen[bytes]:
    """Start the launcher; attached, it takes its stack down when we go."""
    death_signal = signal.SIGTERM if attached else None
    program = ChildProgram("launcher", arguments, directory=CHECKOUT, death_signal=death_signal)
    return children.spawn_program(program, state.get_log_path("launcher"))


def wait_until_ready(
    state: StackState, launcher: subprocess.Popen[bytes], follow: LogFollower, tell: Callable[[str], None]
) -> None:
    """Wait until the stack is up, telling each line of the launcher's log. Raises StartFailedError."""
    deadline, lines = time.monotonic() + UP_WITHIN, list[str]()
    while not (up := _is_up(state, launcher.pid)) and launcher.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
        lines += _tell_new(follow, tell)
    lines += _tell_new(follow, tell)
    if not up:
        raise StartFailedError("launcher", "\n".join(lines) or "said nothing")


def stop_launcher(launcher: subprocess.Popen[bytes]) -> None:
    """End the launcher, giving it the time to end what it looks after."""
    if launcher.poll() is None:
        launcher.terminate()
    try:
        launcher.wait(3 * children.GRACE + 5)
    except subprocess.TimeoutExpired:
        launcher.kill()  # what it looks after dies with it
        launcher.wait()


def _is_up(state: StackState, launcher: int) -> bool:
    """Whether this launcher's stack is up: another's, in the same folder, is none of ours."""
    holder = state.find_launcher()
    return holder is not None and holder.pid == launcher and state.is_ready


def _tell_new(follow: LogFollower, tell: Callable[[str], None]) -> list[str]:
    fresh = follow.read_new_lines()
    for line in fresh:
        tell(line)
    return fresh
