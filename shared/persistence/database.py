"""One request or one batch of messages is one unit: one transaction, run again as a whole on a transient error.

What only reads needs no transaction: each of its statements sees what is committed by then, as it would within one
(READ COMMITTED), and to begin and end one costs two journeys to the database, which is more than most reads.

A unit reads the business clock in its first statement, offers the raw connection for set-based SQL and
a SQLModel session for ordinary reads and writes (both in the same transaction), collects the events
that the use case publishes, and writes them to the outbox just before it commits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.base import clock
from shared.base.metrics import process
from shared.base.retries import QUICK_ATTEMPTS, QUICK_WAIT_SECONDS, retry_briefly, wait_before_retry
from shared.base.settings import Settings
from shared.base.transient_errors import is_transient_error
from shared.base.unit_attempts import count_unit_attempt, translate_transient_errors
from shared.base.unit_queues import UnitQueues
from shared.base.wakeups import LoopWakeups
from shared.events import Event
from shared.persistence import outbox, subject_streams
from shared.persistence.audit import Audit, AuditedAct, AuditedChange
from shared.persistence.pool import build_database_pool, find_living_connection
from shared.persistence.transactions import open_transaction
from shared.persistence.unit_endings import KeptAnswer, write_unit_ending
from shared.pure.ids import new_id

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cause:
    """The event or request that a unit acts on."""

    id: str
    traceparent: str = ""
    """The trace that what follows belongs to, if that is not the one in which it is done."""
    act: AuditedAct | None = None
    """The act of a caller, for the audit; None where a machine acts by itself."""


_NO_CAUSE = Cause(id="")
"""The cause of what only reads: nothing follows from it."""


@dataclass(slots=True)
class Unit:
    """One transaction and the business time at which it acts."""

    connection: asyncpg.Connection
    now: datetime
    sweeps_held: bool
    cause: Cause
    _sa: AsyncConnection
    causes: Mapping[str, Cause] = field(default_factory=dict)
    """Of subjects for which the unit acts on something of their own, by subject."""
    is_reading: bool = False
    """Whether it only reads, without a transaction: it locks, publishes and records nothing."""
    is_past: bool = False
    """Whether an event of the past is being applied: it sets state, and calls nobody."""
    waits_for_accounts: bool = True
    """Whether it waits for accounts that others hold, or passes them over."""
    passed_over: set[str] = field(default_factory=set)
    _session: AsyncSession | None = None
    _sequences: dict[str, int] = field(default_factory=dict)
    _outbox: list[outbox.OutboxRow] = field(default_factory=list)
    _wakes: set[str] = field(default_factory=set)
    audit: Audit = field(default_factory=Audit)
    _answers: list[KeptAnswer] = field(default_factory=list)

    @property
    def session(self) -> AsyncSession:
        """A SQLModel session in this transaction, for ordinary reads and writes."""
        if self._session is None:
            self._session = AsyncSession(bind=self._sa, expire_on_commit=False)
        return self._session

    async def lock_subjects(self, *subjects: object) -> None:
        """Lock the streams of these subjects (accounts) in order; whoever publishes about one holds it."""
        self._check_writes()
        wanted = [subject for subject in map(str, subjects) if subject not in self._sequences]
        if wanted:
            self._sequences |= await subject_streams.lock_subject_streams(self.connection, wanted)

    def _check_writes(self) -> None:
        assert not self.is_reading, "what only reads has no transaction in which it could hold or write anything"

    def has_locked(self, subject: object, sequence: int) -> None:
        """A use case's own statement has locked the stream of a subject, and found this sequence."""
        self._sequences.setdefault(str(subject), sequence)

    def note_passed_over(self, subjects: Iterable[object]) -> None:
        """Note subjects that a use case did nothing about, since others hold them and this unit does not wait."""
        self.passed_over.update(map(str, subjects))

    async def claim_due_accounts(self, due: str, limit: int, passed_over: Collection[str] = ()) -> list[str]:
        """Lock up to `limit` accounts that `due` finds at $1 = now, but for those passed over or in others' hands."""
        self._check_writes()
        claimed = await subject_streams.claim_due_subjects(self.connection, due, self.now, limit, passed_over)
        self._sequences |= claimed
        return list(claimed)

    def get_last_sequence(self, subject: object) -> int:
        """The last sequence number of a subject that this unit has locked, its own events included."""
        return self._sequences[str(subject)]

    def publish(self, event: Event) -> int:
        """Announce a fact together with it; returns its sequence number. The subject must be locked."""
        subject = event.subject()
        sequence = self._sequences[subject] + 1
        cause = self.causes.get(subject, self.cause)
        self._outbox.append(outbox.build_outbox_row(event, sequence=sequence, unit_now=self.now, cause=cause))
        self._sequences[subject] = sequence
        self.wake_after_commit("relay")
        return sequence

    def record(self, change: AuditedChange) -> None:
        """Record what the request at hand changed, once, for the audit; a machine's own change leaves no entry."""
        self._check_writes()
        cause = self.causes.get(str(change.account_id), self.cause)
        self.audit.record(cause, self.now, change)

    def record_nothing(self) -> None:
        """Record that the request at hand is accepted and changes nothing."""
        self.audit.record(self.cause, self.now, None)

    async def publish_for_each_subject(self, event: type[Event], payload_query: str, *arguments: object) -> None:
        """Announce one fact of a kind about each of many subjects, set-based; all of them must be locked.

        `payload_query` is a query of (subject, data) with parameters from $3 on: see `outbox.write_event_for_each`.
        """
        await self.write_pending()  # what was published before comes before
        self._sequences |= await outbox.write_event_for_each(
            self.connection, event, payload_query, arguments, unit_now=self.now, cause=self.cause
        )
        self.wake_after_commit("relay")

    async def write_pending(self) -> None:
        """Write what was changed in the session and published so far; it is committed with all else."""
        if self._session is not None:
            await self._session.flush()
        if self._outbox:
            await outbox.write_outbox_rows(self.connection, self._outbox, self._sequences)
            self._outbox.clear()

    def keep_answers(self, answers: Iterable[KeptAnswer]) -> None:
        """Keep what keys that this unit has taken are answered, together with all else."""
        self._answers += answers

    async def write_ending(self) -> None:
        """Write what is left to be written: changes of the session, events, entries of the audit, answers."""
        if self.is_reading:
            if self._session is not None and (self._session.new or self._session.dirty):
                self._check_writes()
            return
        if not self._answers and not self.audit.entries():
            await self.write_pending()
            return
        if self._session is not None:
            await self._session.flush()
        await write_unit_ending(self.connection, self._outbox, self._sequences, self.audit.entries(), self._answers)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what is written and published within when it breaks, so that the unit can go on."""
        await self.write_pending()
        sequences, recorded, answered = dict(self._sequences), self.audit.count_entries(), len(self._answers)
        try:
            async with self.connection.transaction():
                yield
                await self.write_pending()
        except BaseException:
            self._sequences = sequences
            self.audit.undo_entries_since(recorded)
            del self._answers[answered:]
            self._outbox.clear()
            if self._session is not None:
                self._session.expunge_all()
            raise

    @contextmanager
    def applying_events(self, *, is_past: bool) -> Iterator[None]:
        """Apply events within; those of the past set state, open no case, send no mail, call nobody."""
        self.is_past = is_past
        try:
            yield
        finally:
            self.is_past = False

    def wake_after_commit(self, *names: str) -> None:
        """Wake these loops of the process (relay, sweeps, intents) once the unit is committed."""
        self._wakes.update(names)


class Units:
    """Runs units on a pool of connections that log in with the service's own role."""

    def __init__(self, settings: Settings, wakeups: LoopWakeups) -> None:
        self._engine = build_database_pool(settings)
        process.POOL_SIZE.set(settings.pool_size)
        self._sandbox = settings.clock == "sandbox"
        self._wakeups = wakeups
        self._queues = UnitQueues()

    async def run(
        self, action: Callable[[Unit], Awaitable[T]], cause: Cause | None = None, subject: object | None = None
    ) -> T:
        """Run `action` in a unit and commit it; again from the start on a transient error.

        Units of the same `subject` (an account's id, say) take turns before they take a connection. Raises what the
        action refuses, and `Unavailable` when the database stays away or locked.
        """
        unit_cause = cause or Cause(id=str(new_id()))
        with translate_transient_errors():
            async with self._queues.wait_turn(subject):
                unit, result = await self._attempts(action, partial(self._unit, unit_cause))
        # While the sandbox's clock holds the sweeps they are not woken: its release does that.
        self._wakeups.wake_loops(*(unit._wakes - {"sweeps"} if unit.sweeps_held else unit._wakes))
        return result

    async def read(self, action: Callable[[Unit], Awaitable[T]]) -> T:
        """Run `action`, which only reads, without a transaction; again from the start on a transient error.

        Raises what the action refuses, and `Unavailable` as `run` does.
        """
        with translate_transient_errors():
            _, result = await self._attempts(action, self._reading_unit)
        return result

    async def _attempts(
        self, action: Callable[[Unit], Awaitable[T]], begin: Callable[[], AbstractAsyncContextManager[Unit]]
    ) -> tuple[Unit, T]:
        try:
            return await self._attempt(action, begin)
        except Exception as error:
            if not is_transient_error(error):
                raise
        await wait_before_retry()
        async for attempt in retry_briefly(is_transient_error, QUICK_ATTEMPTS - 1, 2 * QUICK_WAIT_SECONDS):
            with attempt:
                done = await self._attempt(action, begin)
        return done

    async def _attempt(
        self, action: Callable[[Unit], Awaitable[T]], begin: Callable[[], AbstractAsyncContextManager[Unit]]
    ) -> tuple[Unit, T]:
        with count_unit_attempt():
            async with begin() as unit:
                result = await action(unit)
                await unit.write_ending()
        return unit, result

    @asynccontextmanager
    async def _unit(self, cause: Cause) -> AsyncIterator[Unit]:
        async with self._connection() as (connection, raw), open_transaction(raw):
            yield Unit(raw, *await self._read_clock(raw), cause, connection)

    @asynccontextmanager
    async def _reading_unit(self) -> AsyncIterator[Unit]:
        async with self._connection() as (connection, raw):
            yield Unit(raw, *await self._read_clock(raw), _NO_CAUSE, connection, is_reading=True)

    async def _read_clock(self, raw: asyncpg.Connection) -> tuple[datetime, bool]:
        """Read the business time, and whether the sandbox's clock holds the sweeps."""
        return await clock.read_sandbox_clock(raw) if self._sandbox else (clock.read_system_clock(), False)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
        """A connection of the pool with the driver's own; one that dies meanwhile does not go back into the pool."""
        async with AsyncExitStack() as stack:
            with process.POOL_WAITING.track_inprogress():
                connection = await stack.enter_async_context(self._engine.connect())
            with process.POOL_IN_USE.track_inprogress():
                raw = await find_living_connection(connection)
                try:
                    yield connection, raw
                finally:
                    if raw.is_closed():
                        await connection.invalidate()

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()
