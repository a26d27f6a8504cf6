"""The business clock: the system's, or in the sandbox one row that everybody reads.

Only this module asks the system for the time. Business time reaches the rest as `now`; leases,
back-off and supervision use `read_system_clock`.
"""

from datetime import UTC, datetime

import asyncpg

from shared.pure.errors import Unavailable

_READ = "SELECT now, sweeps_held FROM clock.clock"

CHANNEL = "clock"
"""The channel on which the sandbox's clock says that it moved or that sweeps were released."""


async def read_sandbox_clock(connection: asyncpg.Connection) -> tuple[datetime, bool]:
    """Read the business time of the sandbox, and whether it holds the sweeps; in each unit, and never cached.

    Raises Unavailable until the sandbox's clock has been set: a service may start before it.
    """
    row = await connection.fetchrow(_READ)
    if row is None:
        raise Unavailable("the sandbox's clock is not set yet; try again")
    return row["now"], row["sweeps_held"]


def read_system_clock() -> datetime:
    """The system's time, in UTC."""
    return datetime.now(UTC)  # noqa: TID251
