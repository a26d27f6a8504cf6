"""The one retry policy: a few quick attempts with growing, jittered pauses."""

from collections.abc import Callable

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

QUICK_ATTEMPTS = 4


def quick(worth_it: Callable[[BaseException], bool], attempts: int = QUICK_ATTEMPTS) -> AsyncRetrying:
    """Attempts within about a second, for errors that `worth_it` accepts; the last error is raised as it is."""
    return AsyncRetrying(
        retry=retry_if_exception(worth_it),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.02, max=0.5),
        reraise=True,
    )
