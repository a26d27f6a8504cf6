"""The one retry policy: a few quick attempts with growing, jittered pauses; and loops that never give up."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from shared.base.transient_errors import BROKEN, is_transient_error

QUICK_ATTEMPTS = 4
QUICK_WAIT_SECONDS = 0.02
"""At most so long before the second attempt, twice as long before the third, and so on."""
AFRESH = 0.5
"""Seconds before a loop starts afresh."""


def retry_briefly(
    worth_it: Callable[[BaseException], bool],
    attempts: int = QUICK_ATTEMPTS,
    wait_seconds: float = QUICK_WAIT_SECONDS,
) -> AsyncRetrying:
    """Attempts within about a second, for errors that `worth_it` accepts; the last error is raised as it is."""
    return AsyncRetrying(
        retry=retry_if_exception(worth_it),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=wait_seconds, max=0.5),
        reraise=True,
    )


async def wait_before_retry() -> None:
    """Wait as `retry_briefly` does before a second attempt."""
    await asyncio.sleep(random.uniform(0, QUICK_WAIT_SECONDS))


async def restart_on_error(work: Callable[[], Awaitable[None]], broke: Callable[[BaseException], None]) -> None:
    """Do the work, and again when it ends or a connection of its own breaks, until this task is cancelled.

    `broke` is told of each break. Anything else is a defect, and is raised.
    """
    while True:
        try:
            await work()
        except (Exception, asyncio.CancelledError) as error:
            if not _is_break(error):
                raise
            broke(error)
        await asyncio.sleep(AFRESH)


def _is_break(error: BaseException) -> bool:
    if isinstance(error, asyncio.CancelledError):
        return not is_task_cancelled(error)
    return isinstance(error, BROKEN) or is_transient_error(error)


def is_task_cancelled(error: BaseException) -> bool:
    """Whether somebody has cancelled this task: clients cancel futures of their own when a connection is lost."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)
