"""The servers of this test process, alone or as a whole stack. Without them a test fails; it never skips."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.stack import Stack, remove_stack_folder
from sandbox.clock import START
from sandbox.driver import SandboxDriver, open_driver
from tests.end_to_end.beginnings import BEGIN, begin


@pytest.fixture(scope="session")
def kafka(fast_folder: Path) -> Iterator[KafkaServer]:
    """A Kafka server that the modules marked `xdist_group("kafka")` share; each test uses topics of its own."""
    server = KafkaServer(fast_folder / "kafka")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def stack(fast_folder: Path) -> Iterator[Stack]:
    """The stack that the modules marked `xdist_group("stack")` share, and that ends with the last of them.

    It has real Postgres, real Kafka, the four services, the vendor, the mailbox and the clock, from the beginning of
    2026 on, and logs all that it can, spans too.
    """
    folder = fast_folder / "stack"
    with ExitStack() as block:
        with pytest.MonkeyPatch.context() as patch:  # only for what is started now
            patch.setenv(START, f"{BEGIN:%Y-%m-%dT%H:%M:%S}")
            patch.setenv("OTEL_TRACES_EXPORTER", "console")
            running = block.enter_context(Stack(folder, log_level="debug"))
        yield running
    remove_stack_folder(folder)


@pytest.fixture(scope="package")
async def driver(stack: Stack) -> AsyncIterator[SandboxDriver]:
    """A driver of the stack; the standard policy is in force."""
    async with open_driver(stack) as new_driver:
        await begin(new_driver)
        yield new_driver
