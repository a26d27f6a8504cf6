"""The business clock: the system's, or in the sandbox one row that everybody reads.

Only this module asks the system for the time. Business time reaches the rest as `now`; leases,
back-off and supervision use `read_system_clock`.
"""

from datetime import UTC, datetime

READ = "SELECT now, sweeps_held FROM clock.clock"
"""The sandbox's clock, read in each unit's first statement and never cached."""

CHANNEL = "clock"
"""The channel on which the sandbox's clock says that it moved or that sweeps were released."""


def read_system_clock() -> datetime:
    """The system's time, in UTC."""
    return datetime.now(UTC)  # noqa: TID251
