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

from shared.base.queues import WAIT
from shared.base.retries import is_told_to_end
from shared.base.telemetry import log
from shared.persistence.database import Cause, Unit, Units
from shared.pure.errors import Refusal, Unavailable
from shared.web import idempotency
from shared.web.idempotency import Answer, Key

Order = TypeVar("Order")
Many = Callable[[Unit, Sequence[Order]], Awaitable[Sequence[BaseModel | Refusal]]]
"""Does what some requests ask for, each about another account; the answer of each, or its refusal.

An account that others hold it passes over if the unit does not wait (`Unit.pass_over`); what it returns in its place
does not count.
"""
Outcome = Answer | Refusal | None
"""None: it was not done with the others, and is to be done by itself."""

MOST = 64
"""Requests that one unit takes at most."""
AT_ONCE = 2
"""Units of a kind at a time: one computes while the database works for the other."""
CREATED = 201


def _future() -> asyncio.Future[Outcome]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True, eq=False)
class Asked(Generic[Order]):
    """What one request asks for, about which account."""

    subject: str
    key: Key
    cause: Cause
    order: Order
    outcome: asyncio.Future[Outcome] = field(default_factory=_future)
    since: float = field(default_factory=time.monotonic)

    def names(self) -> set[Hashable]:
        """What no other may have that is done at the same time."""
        return {self.subject, self.key[:3]}

    def tell(self, outcome: Outcome) -> None:
        """Let whoever asked go on, if they are still there."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class Gathering(Generic[Order]):
    """Requests of one kind in one process."""

    def __init__(self, units: Units, many: Many[Order]) -> None:
        self._units = units
        self._many = many
        self._waiting: deque[Asked[Order]] = deque()
        self._busy: set[Hashable] = set()
        self._working: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked[Order]) -> Answer | None:
        """Have it done with the others; its answer, or None if it is to be done by itself. Raises its refusal."""
        self._waiting.append(asked)
        if len(self._working) < AT_ONCE:
            task = asyncio.create_task(self._work())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        outcome = await asked.outcome
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def _work(self) -> None:
        while taken := self._take():
            try:
                outcomes = await self._done(taken)
            finally:
                self._busy -= {name for one in taken for name in one.names()}
            for one, outcome in zip(taken, outcomes, strict=True):
                one.tell(outcome)

    def _take(self) -> list[Asked[Order]]:
        """The next that can be done together; those stay that are about what is in work."""
        taken: list[Asked[Order]] = []
        left: list[Asked[Order]] = []
        while self._waiting and len(taken) < MOST:
            one = self._waiting.popleft()
            if time.monotonic() - one.since > WAIT:
                one.tell(Unavailable("too many act on this at once; try again"))
            elif one.names() & self._busy:
                left.append(one)
            else:
                taken.append(one)
                self._busy |= one.names()
        self._waiting.extendleft(reversed(left))
        return taken

    async def _done(self, taken: Sequence[Asked[Order]]) -> list[Outcome]:
        try:
            return await self._units.run(partial(self._together, taken))
        except Unavailable as error:
            return [error for _ in taken]
        except (Exception, asyncio.CancelledError) as error:  # whose fault it is shows when each is done by itself
            if is_told_to_end(error):
                raise
            log.warning("requests are done one by one", requests=len(taken), error=type(error).__qualname__)
            return [None for _ in taken]

    async def _together(self, taken: Sequence[Asked[Order]], unit: Unit) -> list[Outcome]:
        known = await idempotency.begin(unit, [one.key for one in taken])
        new = [one for one in taken if one.key not in known]
        unit.causes, unit.waits_for_accounts = {one.subject: one.cause for one in new}, False
        found = await self._many(unit, [one.order for one in new]) if new else []
        outcomes: dict[Key, Outcome] = dict(known)
        for one, model in zip(new, found, strict=True):
            if one.subject in unit.passed_over:
                continue
            if not isinstance(model, Refusal):
                unit.audit.check(one.cause)
            outcomes[one.key] = model if isinstance(model, Refusal) else Answer(CREATED, model.model_dump_json())
        answers = {one.key: outcomes.get(one.key) for one in new}
        idempotency.store(unit, {key: one for key, one in answers.items() if isinstance(one, Answer)})
        await idempotency.forget(unit, [key for key, one in answers.items() if not isinstance(one, Answer)])
        return [outcomes.get(one.key) for one in taken]


class Gatherings:
    """The gatherings of a process, one for each kind of request."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._of: dict[Callable[..., Any], Gathering[Any]] = {}

    def of(self, many: Many[Order]) -> Gathering[Order]:
        """That of requests which this function does."""
        if many not in self._of:
            self._of[many] = Gathering(self._units, many)
        return self._of[many]
