"""The reader of the page, run as whoever copies it runs it: a program of its own, that may be killed at any time."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local import children
from deploy.local.children import ChildProgram
from shared.events import PARTITIONS, get_topic
from shared.process.service import NAMES
from tests.end_to_end.integrating.page import only

PATIENCE = 60.0
EVERYWHERE = [TopicPartition(get_topic(name), number) for name in NAMES for number in range(PARTITIONS)]


class Reader:
    """The page's program in a folder of its own, which knows nothing of this repository."""

    def __init__(self, folder: Path, broker: str) -> None:
        self._folder = folder
        self._broker = broker
        self._child: subprocess.Popen[bytes] | None = None
        (folder / "standing.py").write_text(only("python"))

    def start(self) -> None:
        """Start it, where it was killed before."""
        command = (sys.executable, "-I", "standing.py", self._broker, "standing.db")
        self._child = children.spawn_program(
            ChildProgram("standing", command, directory=self._folder), self._folder / "log"
        )

    def kill(self) -> None:
        """End it without a chance to do anything more."""
        assert self._child is not None
        assert self._child.poll() is None, (self._folder / "log").read_text()
        os.kill(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Query its file; no row at all while it has no tables."""
        with closing(sqlite3.connect(self._folder / "standing.db", timeout=30)) as db:
            if not db.execute("SELECT name FROM sqlite_master WHERE name = 'disputes'").fetchone():
                return []
            return db.execute(query, parameters).fetchall()

    def change(self, statement: str) -> None:
        """Meddle with its file."""
        with closing(sqlite3.connect(self._folder / "standing.db", timeout=30)) as db:
            db.execute(statement)
            db.commit()

    async def fell(self) -> str:
        """Wait until it has ended by itself; what it said. Raises TimeoutError."""
        assert self._child is not None
        async with asyncio.timeout(PATIENCE):
            assert await children.wait_for_child_end(self._child) != 0
        return (self._folder / "log").read_text()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is true, as long as the program runs. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                assert self._child is not None
                assert self._child.poll() is None, (self._folder / "log").read_text()
                await asyncio.sleep(0.02)

    async def caught_up(self) -> None:
        """Wait until it has read all that is on the topics now."""
        ends = {
            (partition.topic, partition.partition): end for partition, end in (await _ends(self._broker)).items() if end
        }

        def is_there() -> bool:
            places = {(topic, n): at for topic, n, at in self.rows("SELECT * FROM positions")}
            return bool(self.rows("SELECT 1")) and all(places.get(place, 0) >= end for place, end in ends.items())

        await self.until(is_there)

    def standing(self, accounts: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Read the standing of these accounts."""
        owed = {row[0]: row[1:] for row in self.rows(only("sql"))}
        stages = dict(self.rows("SELECT account, stage FROM reminders"))
        suspended, disputes = self.rows("SELECT * FROM suspended"), self.rows("SELECT id, account FROM disputes")
        return {
            account: {
                "owed": owed.get(account),
                "stage": stages.get(account),
                "suspended": {subscription_id for subscription_id, owner in suspended if owner == account},
                "disputes": {dispute_id for dispute_id, owner in disputes if owner == account},
            }
            for account in accounts
        }


@contextmanager
def reading(folder: Path, broker: str) -> Iterator[Reader]:
    """A reader that runs, and is killed in the end."""
    reader = Reader(folder, broker)
    reader.start()
    yield reader
    reader.kill()


async def _ends(broker: str) -> dict[TopicPartition, int]:
    client = AIOKafkaConsumer(bootstrap_servers=broker)
    try:
        await client.start()
        return dict(await client.end_offsets(EVERYWHERE))
    finally:
        await client.stop()
