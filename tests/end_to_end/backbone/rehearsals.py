"""The rehearsal's event, published by the test, relayed and consumed by processes that can be killed."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from tests.component.shared.rehearsal import SERVICE, Stage
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.backbone.processes import Launcher, Process


@dataclass
class Rehearsal:
    """A stage, and processes that play on it."""

    stage: Stage
    launcher: Launcher

    @property
    def name(self) -> str:
        """The producer of the event, and the consumers' group."""
        return self.stage.event.producer

    @asynccontextmanager
    async def run(self, role: str, point: str | None = None) -> AsyncIterator[Process]:
        """A process with this role, and the fate that waits at `point`."""
        async with self.launcher.run(self.name, self.stage.settings.kafka, role, point=point) as process:
            yield process

    async def redrive(self, *arguments: str, point: str | None = None) -> tuple[int, str]:
        """Run the redrive; its exit code and what it said."""
        return await self.launcher.redrive(self.name, *arguments, point=point)

    async def publish(self, accounts: Iterable[UUID], *numbers: int) -> None:
        """Commit these events of each account."""
        for account in accounts:
            await self.stage.publish(account, *numbers)

    async def break_on(self, *what: tuple[UUID, int]) -> None:
        """The handler breaks on these events."""
        for subject, n in what:
            await self.stage.database.execute(f"INSERT INTO {SERVICE}.broken VALUES ($1, $2)", str(subject), n)

    async def mend(self) -> None:
        """The handler breaks no more."""
        await self.stage.database.execute(f"DELETE FROM {SERVICE}.broken")

    async def had(self, number: int) -> None:
        """Wait until there are so many effects."""
        query = f"SELECT count(*) >= $1 FROM {SERVICE}.effects"
        await until(lambda: self.stage.database.value(query, number))

    async def wait_until_empty(self) -> None:
        """Wait until nothing waits to be published."""
        await until(lambda: self.stage.database.value(f"SELECT NOT EXISTS (SELECT FROM {SERVICE}.outbox)"))

    async def each_once(self, accounts: Iterable[UUID], last: int) -> None:
        """Every account's events 1 to `last` had their effects once and in order, and nothing waits."""
        for account in accounts:
            assert await self.stage.effects(account) == list(range(1, last + 1))
        assert await self.stage.database.value(f"SELECT count(*) FROM {SERVICE}.parked") == 0
