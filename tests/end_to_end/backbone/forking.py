"""Programs of `dying` as forks of a server that has imported them: to import them anew takes two seconds each."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.jars import CHECKOUT
from tests.end_to_end.backbone import dying

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([dying.__name__])


class ForkedProgram:
    """A program of `dying` in a process of its own, which adds to a log; used like `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        arguments_of_fork = (list(arguments), dict(environment), log)
        # A daemon: it ends with the test process, whatever it does then.
        self._process = _FORKS.Process(target=_become_program, args=arguments_of_fork, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as nothing can be prepared for."""
        self.send_signal(signal.SIGKILL)


def _become_program(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.chdir(CHECKOUT)
    os.environ.clear()
    os.environ.update(environment)
    dying.main(*arguments)
