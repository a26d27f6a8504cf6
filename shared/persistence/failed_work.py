"""Failed work: accounts that break a sweep, and intents that break, set aside until a person has them tried again.

Whatever breaks one of them stops no other. Where too many fail within a while, the sweep or the kind of intent is at
fault and not they: it is stopped, over restarts too, until a person lets it go on. What passes by itself (a lost
connection, a lock) is tried again and never stands here. Only the class of an error is kept: its text may hold what
people wrote.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import asyncpg

from shared.base import clock
from shared.base.telemetry import log
from shared.base.transient_errors import describe_error_type
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal
from shared.pure.ids import new_id

FLOOD = 20
"""This many failures of one sweep or kind of intent within `WINDOW` stop it."""
WINDOW = timedelta(hours=1)


class WorkKind(StrEnum):
    """Kind of what failed: the judging of an account by a sweep, or a call to the outside."""

    SWEEP = "sweep"
    INTENT = "intent"


@dataclass(frozen=True, slots=True)
class FailedWorkName:
    """A sweep, or a kind of intent."""

    kind: WorkKind
    name: str


@dataclass(frozen=True, slots=True)
class FailedWork:
    """Work that waits for a person. `subject` is what a sweep judges (mostly an account), or the intent's id."""

    id: UUID
    kind: WorkKind
    name: str
    subject: str
    account_id: UUID | None
    error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class StoppedWork:
    """A sweep, or a kind of intent, that was stopped, and since when."""

    kind: WorkKind
    name: str
    stopped_at: datetime


_STATE = """
SELECT array(SELECT subject FROM failed_work WHERE kind = $1 AND name = $2) AS subjects,
    EXISTS (SELECT FROM stopped_work WHERE kind = $1 AND name = $2) AS is_stopped
"""


async def read_work_state(connection: asyncpg.Connection, work: FailedWorkName) -> tuple[list[str], bool]:
    """Read which subjects of a sweep are passed over, and whether it is stopped."""
    row = await connection.fetchrow(_STATE, work.kind, work.name)
    return row["subjects"], row["is_stopped"]


_KEEP = """
INSERT INTO failed_work (id, kind, name, subject, account_id, error, failed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, name, subject) DO NOTHING
"""
_STOP_IF_FLOODED = """
INSERT INTO stopped_work (kind, name, stopped_at)
SELECT $1, $2, $3::timestamptz FROM failed_work WHERE kind = $1 AND name = $2 AND failed_at > $4
HAVING count(*) >= $5 ON CONFLICT DO NOTHING RETURNING name
"""


async def keep_failed_work(
    unit: Unit, work: FailedWorkName, subject: str, account_id: UUID | None, error: Exception
) -> None:
    """Set a subject aside, and stop the work if too many of its subjects failed."""
    at = clock.read_system_clock()
    error_class = describe_error_type(error)
    await unit.connection.execute(_KEEP, new_id(), work.kind, work.name, subject, account_id, error_class, at)
    stopped = await unit.connection.fetchval(_STOP_IF_FLOODED, work.kind, work.name, at, at - WINDOW, FLOOD)
    log.error("work failed", kind=work.kind, name=work.name, subject=subject, error=error_class)
    if stopped:
        log.error("work is stopped", kind=work.kind, name=work.name, failures=FLOOD)


class UnknownWorkName(Refusal):
    """The service has no sweep and no kind of call of this name, and nothing of it failed."""

    code = "unknown_work"
    status = 422


async def check_work_name(unit: Unit, name: str | None, names: Set[str]) -> None:
    """Refuse a name that is neither one of `names` nor of work that failed or is stopped. Raises UnknownWorkName."""
    if name is None or name in names or await unit.connection.fetchval(_HAS_NAME, name):
        return
    raise UnknownWorkName(f"there is no work {name}; there are {', '.join(sorted(names))}")


_HAS_NAME = """
SELECT EXISTS (SELECT FROM failed_work WHERE name = $1) OR EXISTS (SELECT FROM stopped_work WHERE name = $1)
"""
_COLUMNS = "id, kind, name, subject, account_id, error, failed_at"
_LIST = f"""
SELECT {_COLUMNS} FROM failed_work
WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR name = $2) AND ($3::uuid IS NULL OR account_id = $3)
    AND ($4::uuid IS NULL OR id > $4)
ORDER BY id LIMIT $5
"""


async def list_failed_work_items(
    unit: Unit, kind: WorkKind | None, name: str | None, account_id: UUID | None, after: UUID | None, limit: int
) -> list[FailedWork]:
    """List what is set aside, in the order in which it failed."""
    rows = await unit.connection.fetch(_LIST, kind, name, account_id, after, limit)
    return [_read_row(row) for row in rows]


def _read_row(row: asyncpg.Record) -> FailedWork:
    return FailedWork(**{**row, "kind": WorkKind(row["kind"])})


async def list_stopped_work_items(unit: Unit) -> list[StoppedWork]:
    """List the sweeps and kinds of intent that are stopped."""
    rows = await unit.connection.fetch("SELECT kind, name, stopped_at FROM stopped_work ORDER BY kind, name")
    return [StoppedWork(WorkKind(row["kind"]), row["name"], row["stopped_at"]) for row in rows]


_WANT_INTENTS_AGAIN = """
UPDATE intents i SET due_at = $2, leased_until = NULL, broken = 0,
    done_at = CASE WHEN wanted.anew THEN $2::timestamptz END,
    state = CASE WHEN wanted.anew THEN 'done' ELSE 'pending' END
FROM (SELECT f.id, EXISTS (SELECT FROM intents p WHERE (p.kind, p.key, p.state) = (f.kind, f.key, 'pending')) AS anew
    FROM intents f WHERE f.id = ANY($1::uuid[]) AND f.state = 'failed') AS wanted
WHERE i.id = wanted.id
"""
"""One that was wanted anew meanwhile is done with: that call is made on the facts as they are."""


async def retry_failed_subject(unit: Unit, failed_id: UUID) -> FailedWork:
    """Have one subject tried again. Raises NotFound."""
    row = await unit.connection.fetchrow(f"DELETE FROM failed_work WHERE id = $1 RETURNING {_COLUMNS}", failed_id)
    if row is None:
        raise NotFound(f"there is no failed work {failed_id}")
    failed = _read_row(row)
    await _go_on(unit, FailedWorkName(failed.kind, failed.name), [failed.subject])
    unit.record(AuditedChange("failed_work", failed.id, failed.account_id))
    return failed


async def retry_failed_work_items(unit: Unit, work: FailedWorkName) -> int:
    """Have all of what failed of this work tried again, and the work go on if it was stopped; how many they are."""
    rows = await unit.connection.fetch(
        "DELETE FROM failed_work WHERE kind = $1 AND name = $2 RETURNING subject", work.kind, work.name
    )
    await unit.connection.execute("DELETE FROM stopped_work WHERE kind = $1 AND name = $2", work.kind, work.name)
    await _go_on(unit, work, [row["subject"] for row in rows])
    unit.record(AuditedChange("work", f"{work.kind}/{work.name}", before={"failed": len(rows)}, after={"failed": 0}))
    return len(rows)


async def _go_on(unit: Unit, work: FailedWorkName, subjects: list[str]) -> None:
    if work.kind is WorkKind.SWEEP:
        unit.wake_after_commit("sweeps")
        return
    await unit.connection.execute(_WANT_INTENTS_AGAIN, [UUID(subject) for subject in subjects], unit.now)
    unit.wake_after_commit("intents")
