"""What one POST asks for: done once for its `Idempotency-Key`, by itself or with others that came at once."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared import idempotency
from shared.auth import Caller
from shared.database import Cause, Unit
from shared.errors import Refusal
from shared.gathering import Asked, Many, Order
from shared.idempotency import Answer, Key
from shared.ids import new_id
from shared.telemetry import traceparent


class KeyMissing(Refusal):
    """A POST that changes something needs an Idempotency-Key."""

    code = "idempotency_key_missing"
    status = 400


class CommandRunner:
    """Runs what one POST asks for, once for its key. What the body of an upload was says `with_file`."""

    def __init__(self, request: Request, key: str | None, body: bytes | None) -> None:
        self.caller: Caller = request.state.caller
        self.runtime = request.app.state.runtime
        if key is None:
            raise KeyMissing("send an Idempotency-Key of up to 255 characters with this request")
        self._query = request.url.query.encode()
        self._key = Key(self.caller.subject, f"{request.method} {request.url.path}", key, "")
        if body is not None:
            self._stands_for(body)

    def with_file(self, sha256: str) -> Self:
        """The same once the file was received, which has this digest."""
        self._stands_for(sha256.encode())
        return self

    def _stands_for(self, body: bytes) -> None:
        self._key = self._key._replace(body_hash=hashlib.sha256(body + self._query).hexdigest())

    def cause(self, reason: str | None = None) -> Cause:
        """What events say about this request; with a reason, the caller acted as a person."""
        actor = self.caller.subject if reason else None
        return Cause(id=str(new_id()), actor=actor, reason=reason, traceparent=traceparent())

    async def run(
        self,
        action: Callable[[Unit], Awaitable[BaseModel]],
        *,
        status: int = 201,
        reason: str | None = None,
        about: UUID | None = None,
        locked_first: bool = False,
    ) -> Response:
        """Do it in one unit and answer with the model that `action` returns; or answer as the first time.

        `about` is what it changes, as far as the request says so: requests about the same take turns. With
        `locked_first` its lock is waited for before the key is taken, so that whoever waits for the key does not
        wait for that lock too.
        """

        async def once(unit: Unit) -> Answer:
            assert self._key.body_hash, "a key without the body that it stands for would hide another one"
            if locked_first:
                await unit.lock(about)
            stored = (await idempotency.begin(unit, [self._key])).get(self._key)
            if isinstance(stored, Refusal):
                raise stored
            return stored or await self._store(unit, status, await action(unit))

        return _response(await self.runtime.units.run(once, self.cause(reason), about))

    async def run_with_others(self, many: Many[Order], order: Order, about: UUID) -> Response:
        """Do it in one unit with others of the kind that came at once; or answer as the first time.

        `about` is the account that it changes. `many` does what it is given as if one came after the other, and
        returns a refusal in the place of what it refuses.
        """

        async def alone(unit: Unit) -> BaseModel:
            (outcome,) = await many(unit, [order])
            if isinstance(outcome, Refusal):
                raise outcome
            return outcome

        answer = await self.runtime.gatherings.of(many).ask(Asked(str(about), self._key, self.cause(), order))
        return await self.run(alone, about=about, locked_first=True) if answer is None else _response(answer)

    async def amend(
        self, action: Callable[[Unit], Awaitable[tuple[int, BaseModel]]], reason: str | None = None
    ) -> Response:
        """A second unit of the same request: what it answers takes the place of the stored answer."""

        async def again(unit: Unit) -> Answer:
            return await self._store(unit, *await action(unit))

        return _response(await self.runtime.units.run(again, self.cause(reason)))

    async def _store(self, unit: Unit, status: int, model: BaseModel) -> Answer:
        answer = Answer(status, model.model_dump_json())
        await idempotency.store(unit, {self._key: answer})
        return answer


def _response(answer: Answer) -> Response:
    headers = {"Idempotency-Replayed": "true"} if answer.is_repeated else {}
    return Response(answer.body, answer.status, headers, media_type="application/json")


GivenKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="needed: a value of your own for this change; sent again, it gets the first answer again",
        examples=["3f0c1f4e-8a55-4f64-9d0b-2f64d1f0a9b7"],
    ),
]


async def _command(request: Request, idempotency_key: GivenKey = None) -> Any:
    return CommandRunner(request, idempotency_key, await request.body())


async def _upload(request: Request, idempotency_key: GivenKey = None) -> Any:
    return CommandRunner(request, idempotency_key, None)


Command = Annotated[CommandRunner, Depends(_command)]
"""The parameter of a route that changes something."""

Upload = Annotated[CommandRunner, Depends(_upload)]
"""The parameter of a route that changes something by a file, which is received as a stream."""
