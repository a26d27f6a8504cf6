"""Intents: calls to the outside, committed with the decision that wants them, made by a worker.

No network call stands inside a transaction. A worker claims an intent (a lease on the system's clock),
makes the call with the intent's id as request id or Message-ID, and records the result in a unit of its
own. After quick attempts have failed, the intent becomes due again at a later business time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from shared.base import clock
from shared.base.telemetry import get_traceparent
from shared.base.transient_errors import describe_error_type
from shared.persistence import failed_work
from shared.persistence.bulk_rows import Jsonb, RowParameters
from shared.persistence.database import Unit
from shared.persistence.failed_work import FailedWorkName, WorkKind
from shared.pure.ids import new_id

LEASE = timedelta(seconds=60)
"""How long a worker may take; past it another one looks what became of the intent."""

MOST_BROKEN = 3
"""After so many attempts that broke an intent waits for a person."""

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Business time until the next attempts; the last one repeats."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that shall be made. `key` names what only one of a kind may be in work for."""

    id: UUID
    kind: str
    account_id: UUID
    key: str
    payload: dict[str, Any]
    attempts: int
    traceparent: str
    created_at: datetime
    """When it was first wanted, in business time."""


class PastEventCallsOut(Exception):
    """A defect of a handler: an event of the past sets state and calls nobody outside."""


class RecordingOutcome(Enum):
    """Consequence of recording a result for the intent."""

    DONE = "done"
    RETRY_NOW = "again"
    """What is wanted changed meanwhile: the intent is due at once again."""
    RETRY_LATER = "later"
    """It cannot be done now: due again after a pause of business time."""


@dataclass(frozen=True, slots=True)
class IntentKind:
    """A kind of intent: `perform` makes the call (and raises RetryLater), `record` keeps what came of it."""

    name: str
    perform: Callable[[Any, Intent], Awaitable[Any]]
    record: Callable[[Unit, Intent, Any], Awaitable[RecordingOutcome]]


class NewIntent(NamedTuple):
    """A call that is wanted; `payload` is JSON, as text."""

    id: UUID
    account_id: UUID
    key: str
    payload: Jsonb = "{}"


_NEW = RowParameters(NewIntent, first=5)


def build_intents_statement(wanted: str) -> str:
    """Build a statement that wants a call for each row of a query with the columns of `NewIntent`.

    $1 is the kind, $2 when they are due, $3 the business time, $4 the trace; the query's own parameters follow.
    """
    return f"""
INSERT INTO intents ({_NEW.columns}, kind, state, due_at, attempts, created_at, traceparent)
SELECT {_NEW.columns}, $1, 'pending', $2, 0, $3, $4 FROM ({wanted}) AS wanted ({_NEW.columns})
ON CONFLICT (kind, key) WHERE state = 'pending' DO NOTHING
"""


_ADD = build_intents_statement(f"SELECT * FROM unnest({_NEW.typed_arrays})")


async def enqueue_intents(unit: Unit, kind: str, wanted: Sequence[NewIntent], delay: timedelta = timedelta()) -> None:
    """Want calls of a kind: no second one while one of a key is pending; the worker reads the facts anew.

    They are due after a delay of business time. Raises PastEventCallsOut.
    """
    if not wanted:
        return
    if unit.is_past:
        raise PastEventCallsOut(f"an event of the past wants {kind}")
    due_at, trace = unit.now + delay, get_traceparent()
    await unit.connection.execute(_ADD, kind, due_at, unit.now, trace, *_NEW.split_columns(wanted))
    unit.wake_after_commit("intents")


async def enqueue_intent(
    unit: Unit,
    kind: str,
    account_id: UUID,
    key: object,
    payload: dict[str, Any],
    id_: UUID | None = None,
    delay: timedelta = timedelta(),
) -> UUID:
    """Want one call, as `enqueue_intents` does. Raises PastEventCallsOut."""
    intent = NewIntent(id_ or new_id(), account_id, str(key), orjson.dumps(payload).decode())
    await enqueue_intents(unit, kind, [intent], delay)
    return intent.id


async def make_intent_due(unit: Unit, kind: str, key: object) -> None:
    """A pending intent that waits for its next attempt is due at once: the facts changed since the last one."""
    await unit.connection.execute(
        "UPDATE intents SET due_at = $3 WHERE kind = $1 AND key = $2 AND state = 'pending' AND due_at > $3",
        kind,
        str(key),
        unit.now,
    )
    unit.wake_after_commit("intents")


_GOING_ON = "NOT EXISTS (SELECT FROM stopped_work s WHERE (s.kind, s.name) = ('intent', intents.kind))"
_DUE = f"""
SELECT EXISTS (SELECT FROM intents WHERE state = 'pending' AND due_at <= $1
    AND (leased_until IS NULL OR leased_until < $2) AND {_GOING_ON})
"""
_CLAIM = f"""
UPDATE intents SET leased_until = $3, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM intents
    WHERE state = 'pending' AND due_at <= $1 AND (leased_until IS NULL OR leased_until < $2) AND {_GOING_ON}
    ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, account_id, key, payload, attempts, traceparent, created_at
"""


async def claim_intents(unit: Unit, limit: int) -> list[Intent]:
    """Take due intents under a lease."""
    now = clock.read_system_clock()
    if not await unit.connection.fetchval(_DUE, unit.now, now):
        return []
    rows = await unit.connection.fetch(_CLAIM, unit.now, now, now + LEASE, limit)
    return [Intent(**row) for row in sorted(rows, key=lambda row: row["id"])]


async def lease_intent(unit: Unit, intent_id: UUID) -> Intent | None:
    """Take one pending intent at once, for the request that made it; None if a worker has it already."""
    now = clock.read_system_clock()
    row: asyncpg.Record | None = await unit.connection.fetchrow(
        "UPDATE intents SET leased_until = $3, attempts = attempts + 1"
        " WHERE id = $1 AND state = 'pending' AND (leased_until IS NULL OR leased_until < $2)"
        " RETURNING id, kind, account_id, key, payload, attempts, traceparent, created_at",
        intent_id,
        now,
        now + LEASE,
    )
    return Intent(**row) if row else None


async def record_intent_result(unit: Unit, kind: IntentKind, intent: Intent, result: Any) -> None:
    """Keep what came of an intent; nothing if somebody else has finished it."""
    await unit.lock_subjects(intent.account_id)
    state = await unit.connection.fetchval("SELECT state FROM intents WHERE id = $1 FOR UPDATE", intent.id)
    if state != "pending":
        return
    recorded = await kind.record(unit, intent, result)
    if recorded is RecordingOutcome.DONE:
        await unit.connection.execute(
            "UPDATE intents SET state = 'done', done_at = $2, leased_until = NULL WHERE id = $1",
            intent.id,
            unit.now,
        )
    else:
        pause = compute_retry_pause(intent.attempts) if recorded is RecordingOutcome.RETRY_LATER else timedelta(0)
        await postpone_intent(unit, intent, unit.now + pause)


async def postpone_intent(unit: Unit, intent: Intent, due_at: datetime, error: str | None = None) -> None:
    """The intent is due again then, free of its lease."""
    await unit.connection.execute(
        "UPDATE intents SET due_at = $2, leased_until = NULL, last_error = $3 WHERE id = $1 AND state = 'pending'",
        intent.id,
        due_at,
        error,
    )
    unit.wake_after_commit("intents")


_BROKE = """
UPDATE intents SET broken = broken + 1, last_error = $2, leased_until = NULL, due_at = $3,
    state = CASE WHEN broken + 1 >= $4 THEN 'failed' ELSE state END
WHERE id = $1 AND state = 'pending' RETURNING state
"""


async def record_broken_attempt(unit: Unit, intent: Intent, error: Exception) -> bool:
    """Keep that an attempt broke: the intent is due again after a pause, or is set aside. Whether it is."""
    due_at = unit.now + compute_retry_pause(intent.attempts)
    state = await unit.connection.fetchval(_BROKE, intent.id, describe_error_type(error), due_at, MOST_BROKEN)
    if state != "failed":
        return False
    await failed_work.keep_failed_work(
        unit, FailedWorkName(WorkKind.INTENT, intent.kind), str(intent.id), intent.account_id, error
    )
    return True


_GIVE_UP = """
WITH ended AS (
    UPDATE intents SET state = 'done', done_at = $3, leased_until = NULL, last_error = 'given up'
    WHERE kind = $1 AND key = ANY($2::text[]) AND state IN ('pending', 'failed') RETURNING id
)
DELETE FROM failed_work USING ended
WHERE (failed_work.kind, failed_work.name, failed_work.subject) = ('intent', $1, ended.id::text)
"""


async def cancel_intents(unit: Unit, kind: str, keys: Sequence[str]) -> None:
    """Nobody wants these calls any more: none is begun, and what comes of one that is under way is not recorded."""
    await unit.connection.execute(_GIVE_UP, kind, keys, unit.now)


async def release_intent_claims(unit: Unit, claimed: Sequence[Intent]) -> None:
    """Free claims with which nothing was begun, as if they had not been made: another worker goes on at once."""
    await unit.connection.execute(
        "UPDATE intents SET leased_until = NULL, attempts = attempts - 1 WHERE id = ANY($1) AND state = 'pending'",
        [intent.id for intent in claimed],
    )


def compute_retry_pause(attempts: int) -> timedelta:
    """How long to wait after this many attempts."""
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
