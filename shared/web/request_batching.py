"""Requests that come at once are done at once: what came while one unit ran is done together in the next.

Nobody waits for others to come: who comes alone is done alone. One unit takes one request about an account, and
only of those accounts that nobody else has locked; who is left over is done by itself, and may wait for its lock
without holding up the others.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shared.base.retries import is_task_cancelled
from shared.base.telemetry import log
from shared.base.unit_queues import WAIT
from shared.persistence.database import Cause, Unit, Units
from shared.pure.errors import Refusal, Unavailable
from shared.web import idempotency
from shared.web.idempotency import IdempotencyKey, KeptFirstAnswer

Order = TypeVar("Order")
BatchHandler = Callable[[Unit, Sequence[Order]], Awaitable[Sequence[BaseModel | Refusal]]]
"""Does what some requests ask for, each about another account; the answer of each, or its refusal.

An account that others hold it passes over if the unit does not wait (`Unit.note_passed_over`); what it returns in
its place does not count.
"""
Outcome = KeptFirstAnswer | Refusal | None
"""None: it was not done with the others, and is to be done by itself."""

MAX_BATCH = 64
"""Requests that one unit takes at most."""
AT_ONCE = 2
"""Units of a kind at a time: one computes while the database works for the other."""
CREATED = 201


def _future() -> asyncio.Future[Outcome]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True, eq=False)
class PendingRequest(Generic[Order]):
    """One request that waits, with what it asks for and its account."""

    subject: str
    key: IdempotencyKey
    cause: Cause
    order: Order
    outcome: asyncio.Future[Outcome] = field(default_factory=_future)
    since: float = field(default_factory=time.monotonic)

    def list_locks(self) -> set[Hashable]:
        """List the names that no other may have that is done at the same time."""
        return {self.subject, self.key[:3]}

    def answer_request(self, outcome: Outcome) -> None:
        """Let whoever asked go on, if they are still there."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class RequestBatcher(Generic[Order]):
    """Requests of one kind in one process."""

    def __init__(self, units: Units, many: BatchHandler[Order]) -> None:
        self._units = units
        self._many = many
        self._waiting: deque[PendingRequest[Order]] = deque()
        self._busy: set[Hashable] = set()
        self._working: set[asyncio.Task[None]] = set()

    async def submit_request(self, request: PendingRequest[Order]) -> KeptFirstAnswer | None:
        """Have it done with the others; its answer, or None if it is to be done by itself. Raises its refusal."""
        self._waiting.append(request)
        if len(self._working) < AT_ONCE:
            task = asyncio.create_task(self._work())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        outcome = await request.outcome
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def _work(self) -> None:
        while batch := self._take_batch():
            try:
                outcomes = await self._run_batch(batch)
            finally:
                self._busy -= {name for request in batch for name in request.list_locks()}
            for request, outcome in zip(batch, outcomes, strict=True):
                request.answer_request(outcome)

    def _take_batch(self) -> list[PendingRequest[Order]]:
        """The next that can be done together; those stay that are about what is in work."""
        batch: list[PendingRequest[Order]] = []
        postponed: list[PendingRequest[Order]] = []
        while self._waiting and len(batch) < MAX_BATCH:
            request = self._waiting.popleft()
            if time.monotonic() - request.since > WAIT:
                request.answer_request(Unavailable("too many act on this at once; try again"))
            elif request.list_locks() & self._busy:
                postponed.append(request)
            else:
                batch.append(request)
                self._busy |= request.list_locks()
        self._waiting.extendleft(reversed(postponed))
        return batch

    async def _run_batch(self, batch: Sequence[PendingRequest[Order]]) -> list[Outcome]:
        try:
            return await self._units.run(partial(self._handle_batch, batch))
        except Unavailable as error:
            return [error for _ in batch]
        except (Exception, asyncio.CancelledError) as error:  # whose fault it is shows when each is done by itself
            if is_task_cancelled(error):
                raise
            log.warning("requests are done one by one", requests=len(batch), error=type(error).__qualname__)
            return [None for _ in batch]

    async def _handle_batch(self, batch: Sequence[PendingRequest[Order]], unit: Unit) -> list[Outcome]:
        answered = await idempotency.take_idempotency_keys(unit, [request.key for request in batch])
        new = [request for request in batch if request.key not in answered]
        unit.causes, unit.waits_for_accounts = {request.subject: request.cause for request in new}, False
        models = await self._many(unit, [request.order for request in new]) if new else []
        outcomes: dict[IdempotencyKey, Outcome] = dict(answered)
        for request, model in zip(new, models, strict=True):
            if request.subject in unit.passed_over:
                continue
            if not isinstance(model, Refusal):
                unit.audit.check(request.cause)
            outcomes[request.key] = (
                model if isinstance(model, Refusal) else KeptFirstAnswer(CREATED, model.model_dump_json())
            )
        answers = {request.key: outcomes.get(request.key) for request in new}
        idempotency.store_first_answers(
            unit, {key: answer for key, answer in answers.items() if isinstance(answer, KeptFirstAnswer)}
        )
        await idempotency.forget_idempotency_keys(
            unit, [key for key, answer in answers.items() if not isinstance(answer, KeptFirstAnswer)]
        )
        return [outcomes.get(request.key) for request in batch]


class RequestBatchers:
    """The batchers of a process, one for each kind of request."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._of: dict[Callable[..., Any], RequestBatcher[Any]] = {}

    def find_batcher(self, many: BatchHandler[Order]) -> RequestBatcher[Order]:
        """That of requests which this function does."""
        if many not in self._of:
            self._of[many] = RequestBatcher(self._units, many)
        return self._of[many]
