"""Strikes as they are scheduled, and makes good what it froze."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.children import ProcessIdentity
from deploy.local.stack import Stack
from sandbox.storm.proxies import TcpProxies
from sandbox.storm.schedule import StormStrike


class StormWeather:
    """Kills and freezes the processes of a stack, and resets connections through its proxies."""

    def __init__(self, stack: Stack, proxies: TcpProxies, tell: Callable[[StormStrike], None]) -> None:
        self._stack = stack
        self._proxies = proxies
        self._tell = tell
        self._thaws: set[asyncio.Task[None]] = set()
        self.struck: Counter[str] = Counter()

    async def strike_processes(self, strikes: Sequence[StormStrike]) -> None:
        """Do all of it; whatever was frozen lives again when it ends, also early."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            for strike in strikes:
                await asyncio.sleep(began + strike.at - loop.time())
                self._strike(strike)
            await asyncio.gather(*self._thaws)
        finally:
            for thaw in self._thaws:
                thaw.cancel()
            await asyncio.gather(*self._thaws, return_exceptions=True)

    def _strike(self, strike: StormStrike) -> None:
        self._tell(strike)
        self.struck[strike.kind] += 1
        if strike.kind == "reset":
            self._proxies.reset_connections(strike.target)
            return
        victim = self._stack.get_running_process(strike.target)
        if strike.kind == "kill":
            _signal(victim, signal.SIGKILL)
        else:
            self._thaws.add(asyncio.create_task(freeze_processes(list_process_family(victim), strike.lasts)))


async def freeze_processes(processes: list[ProcessIdentity], seconds: float) -> None:
    """Hold these processes for so long."""
    for process in processes:
        _signal(process, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        for process in processes:
            _signal(process, signal.SIGCONT)


def list_process_family(parent: ProcessIdentity) -> list[ProcessIdentity]:
    """A process and its children: a Postgres server is many processes, each in a session of its own."""
    try:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has died meanwhile
        children = []
    return [parent, *(child for child in map(ProcessIdentity.of, map(int, children)) if child is not None)]


def _signal(process: ProcessIdentity, number: signal.Signals) -> None:
    """One that has died meanwhile gets nothing, and nobody who has its id by now."""
    if process.is_process_alive:
        os.kill(process.pid, number)
