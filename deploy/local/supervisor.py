"""Keeps programs running: restarts what dies, and stops all in the reverse of the order of their start."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.local import children
from deploy.local.children import ChildProgram, ProcessIdentity, StartFailedError
from deploy.local.state import RunningProcess, StackState

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
STEADY = 10.0
"""After this many seconds of life the next death counts as the first again."""
DEATHS_ALLOWED = 5
"""So many deaths before the stack is ready, and the start has failed."""
READY_WITHIN = 90.0


@dataclass
class _Kept:
    """One program, its present process, and the task that looks after it."""

    program: ChildProgram
    child: subprocess.Popen[bytes] | None = None
    keeper: asyncio.Task[None] | None = None


class StackSupervisor:
    """Looks after the programs of one stack.

    All spawning happens in the thread of the event loop, whose death ends the programs.
    """

    def __init__(self, state: StackState, tell: Callable[[str], None]) -> None:
        self._state = state
        self._tell = tell
        self._groups: list[list[_Kept]] = []
        self._running: dict[str, RunningProcess] = {}
        self._ready = False

    def start(self, *programs: ChildProgram) -> None:
        """Start a group of programs; groups are stopped in reverse order, the members of one together."""
        group = [_Kept(program) for program in programs]
        self._groups.append(group)
        for kept in group:
            kept.keeper = asyncio.create_task(self._keep(kept), name=kept.program.name)

    async def wait_for_readiness(self, name: str, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Wait until the named program is ready. Raises StartFailedError when it takes too long."""
        deadline = time.monotonic() + READY_WITHIN
        while not await is_ready():
            if time.monotonic() > deadline:
                raise StartFailedError(name, f"is not ready after {READY_WITHIN:.0f} s")
            await asyncio.sleep(0.05)
        self._tell(f"{name} is up")

    async def start_stack_programs(self, steps: Coroutine[Any, Any, None]) -> None:
        """Run the steps of a start, and give up as soon as a program has died too often."""
        start = asyncio.create_task(steps)
        try:
            while not start.done():
                keepers = {kept.keeper for group in self._groups for kept in group if kept.keeper}
                # New keepers appear while the steps run, so look again now and then.
                await asyncio.wait({start} | keepers, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
                for keeper in keepers:
                    if keeper.done():
                        keeper.result()
            start.result()
        finally:
            start.cancel()
            await asyncio.wait({start})
        self._ready = True

    async def stop(self) -> None:
        """Stop everything: SIGTERM (or what the program prefers), then SIGKILL after the grace period."""
        for group in reversed(self._groups):
            await asyncio.gather(*(self._stop(kept) for kept in group))
        self._groups.clear()

    async def _keep(self, kept: _Kept) -> None:
        """Run the program again and again, with growing pauses while it dies young."""
        name, pause, restarts = kept.program.name, FIRST_PAUSE, 0
        while True:
            born = time.monotonic()
            kept.child = children.spawn_program(kept.program, self._state.get_log_path(name))
            self._note(name, kept.child.pid, restarts)
            code = await children.wait_for_child_end(kept.child)
            restarts += 1
            if not self._ready and restarts >= DEATHS_ALLOWED:
                raise StartFailedError(name, f"died {restarts} times (last exit code {code})")
            if time.monotonic() - born > STEADY:
                pause = FIRST_PAUSE
            self._tell(f"{name} ended with {code}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _note(self, name: str, pid: int, restarts: int) -> None:
        identity = ProcessIdentity.of(pid) or ProcessIdentity(pid, 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        self._running[name] = RunningProcess(pid, identity.started, since, restarts)
        self._state.note_processes(self._running)

    async def _stop(self, kept: _Kept) -> None:
        if kept.keeper is not None:
            kept.keeper.cancel()
            await asyncio.wait({kept.keeper})
        if kept.child is not None:
            await children.end_child_in_background(kept.child, kept.program.stop_signal)
        self._running.pop(kept.program.name, None)
        self._state.note_processes(self._running)
