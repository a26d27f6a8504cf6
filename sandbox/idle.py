"""Whether the whole system is idle, and if not, what it waits for: one statement, one consistent cut.

All services share one database, and whatever is pending stands in it: events in outboxes, offsets that
were published and not yet consumed, intents without a result, rows that are due. A transaction in
progress has not taken its work away yet. So a single statement over the views that the `monitor` role may
read sees the system at one moment.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.process.service import NAMES

GIVE_UP_AFTER = 60.0
"""Seconds in which a system settles, or is reported as stuck."""
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.05
"""Between looks (seconds): a look costs milliseconds of the cores that the system itself needs."""
SHOWN = 20

_WORK = "SELECT '{name}' AS service, kind, name, detail, due_at FROM {name}.pending_work"
_PUBLISHED = "SELECT topic, partition, next_offset FROM {name}.published"
_CONSUMED = "SELECT '{name}' AS service, topic, partition, next_offset FROM {name}.consumed"
_BACKFILLS = """
SELECT '{name}' AS service, topic, partition, end_offset - next_offset AS messages_left
FROM {name}.backfills WHERE finished_at IS NULL
"""


def _union(query: str) -> str:
    return " UNION ALL ".join(query.format(name=name) for name in NAMES)


_WAITS = f"""
WITH clock AS MATERIALIZED (SELECT now, sweeps_held FROM clock.clock),
work AS NOT MATERIALIZED ({_union(_WORK)}),
published AS ({_union(_PUBLISHED)}),
consumed AS ({_union(_CONSUMED)}),
backfills AS ({_union(_BACKFILLS)}),
waits AS (
    SELECT service, kind, name, detail, due_at FROM work, clock
    WHERE (due_at IS NULL OR due_at <= clock.now) AND NOT (kind = 'due' AND clock.sweeps_held)
    UNION ALL
    SELECT c.service, 'unread', concat(p.topic, '/', p.partition), concat(p.next_offset - c.next_offset), NULL
    FROM published p JOIN consumed c USING (topic, partition) WHERE c.next_offset < p.next_offset
    UNION ALL
    SELECT service, 'backfill', concat(topic, '/', partition), messages_left::text, NULL FROM backfills
)
"""

BUSY = f"{_WAITS} SELECT EXISTS (SELECT FROM waits)"
"""Whether the system waits for anything: half of what it costs to look at all of it."""

LOOK = f"""
{_WAITS}
SELECT
    (SELECT count(*) FROM waits) AS waiting,
    (SELECT array_agg(concat_ws(' ', service, kind, name, detail)) FROM (SELECT * FROM waits LIMIT {SHOWN}) w) AS what,
    (SELECT count(*) FROM work, clock WHERE kind = 'due' AND clock.sweeps_held AND due_at <= clock.now) AS held,
    (SELECT min(due_at) FROM work WHERE due_at > (SELECT now FROM clock)) AS next_due
"""


class SystemNotSettled(Exception):
    """The system did not become idle; says what it waits for."""


@dataclass(frozen=True, slots=True)
class SystemLook:
    """The system at one moment."""

    waiting: int
    what: list[str] | None
    waiting_for_clock: int
    """Rows that are due while the sweeps are held."""
    next_due: datetime | None
    """When the next row falls due."""


class IdleMonitor:
    """Looks at the system through the `monitor` role."""

    def __init__(self, connection: asyncpg.Connection | asyncpg.Pool) -> None:
        self._connection = connection
        self.looks = 0

    async def look_at_system(self) -> SystemLook:
        """The system now."""
        self.looks += 1
        return SystemLook(*await self._connection.fetchrow(LOOK))

    async def _is_busy(self) -> bool:
        self.looks += 1
        return bool(await self._connection.fetchval(BUSY))

    async def wait_until_settled(self, within: float = GIVE_UP_AFTER) -> SystemLook:
        """Wait until the system is idle. Raises SystemNotSettled with what it waits for."""
        give_up_at = time.monotonic() + within
        pause = FIRST_PAUSE
        while True:
            is_late = time.monotonic() > give_up_at
            if is_late or not await self._is_busy():
                look = await self.look_at_system()
                if not look.waiting:
                    return look
                if is_late:
                    what = "\n  ".join(look.what or [])
                    raise SystemNotSettled(f"after {within:.0f} s the system still waits for {look.waiting}:\n  {what}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.1, LONGEST_PAUSE)
