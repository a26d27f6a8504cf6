"""In-process signals, so that the relay and the workers act at once instead of polling."""

import asyncio
from collections import defaultdict


class LoopWakeups:
    """Named signals: whoever waits for a name is woken by the next `wake_loops` of it."""

    def __init__(self) -> None:
        self._signals: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake_loops(self, *names: str) -> None:
        """Wake the waiters of these names; remembered until somebody waits."""
        for name in names:
            self._signals[name].set()

    async def wait_for_wakeup(self, name: str, timeout: float) -> None:
        """Wait for a wake-up of this name, or `timeout` seconds; the signal is used up."""
        signal = self._signals[name]
        if not signal.is_set():
            try:
                async with asyncio.timeout(timeout):  # `wait_for` can swallow a cancellation
                    await signal.wait()
            except TimeoutError:
                return
        signal.clear()
