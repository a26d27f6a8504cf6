"""`Idempotency-Key`: the same key and body from the same caller gets the same answer, and one effect.

The key is inserted first and locked until the unit ends, so of two requests at once the second waits and
gets the first's answer. A refusal rolls back and is not stored: the same key may be tried again.
A key is kept for `KEPT`; whoever repeats a request later than that asks for something new.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared.auth import Caller
from shared.database import Cause, Unit
from shared.errors import Refusal
from shared.ids import new_id


class KeyMissing(Refusal):
    """A POST that changes something needs an Idempotency-Key."""

    code = "idempotency_key_missing"
    status = 400


class KeyReused(Refusal):
    """The key was used for another body."""

    code = "idempotency_key_reused"
    status = 422


KEPT = timedelta(days=30)
"""For how long (business time) a key gets the first answer again, at least."""
CHUNK = 1000
"""How many keys one unit prunes at most."""

_PRUNE = """
WITH old AS (
    SELECT caller, route, key FROM idempotency WHERE created_at < $1
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency USING old
WHERE (idempotency.caller, idempotency.route, idempotency.key) = (old.caller, old.route, old.key)
RETURNING 1
"""
_BEGIN = """
INSERT INTO idempotency (caller, route, key, body_hash, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING key
"""
_STORED = "SELECT body_hash, status, answer FROM idempotency WHERE caller = $1 AND route = $2 AND key = $3"
_STORE = "UPDATE idempotency SET status = $4, answer = $5 WHERE caller = $1 AND route = $2 AND key = $3"


class CommandRunner:
    """Runs what one POST asks for, once for its key. What the body of an upload was says `with_file`."""

    def __init__(self, request: Request, key: str | None, body: bytes | None) -> None:
        self.caller: Caller = request.state.caller
        self.runtime = request.app.state.runtime
        if key is None:
            raise KeyMissing("send an Idempotency-Key of up to 255 characters with this request")
        self._place = (self.caller.subject, f"{request.method} {request.url.path}", key)
        self._query = request.url.query.encode()
        self._hash = None if body is None else self._hashed(body)

    def with_file(self, sha256: str) -> Self:
        """The same once the file was received, which has this digest."""
        self._hash = self._hashed(sha256.encode())
        return self

    def _hashed(self, body: bytes) -> str:
        return hashlib.sha256(body + self._query).hexdigest()

    def cause(self, reason: str | None = None) -> Cause:
        """What events say about this request; with a reason, the caller acted as a person."""
        actor = self.caller.subject if reason else None
        return Cause(id=str(new_id()), actor=actor, reason=reason)

    async def run(
        self,
        action: Callable[[Unit], Awaitable[BaseModel]],
        *,
        status: int = 201,
        reason: str | None = None,
        about: UUID | None = None,
    ) -> Response:
        """Do it in one unit and answer with the model that `action` returns; or answer as the first time.

        `about` is what it changes, as far as the request says so: requests about the same take turns.
        """

        async def once(unit: Unit) -> tuple[int, str, bool]:
            stored = await self._begin(unit)
            if stored:
                return *stored, True
            answer = (await action(unit)).model_dump_json()
            await unit.connection.execute(_STORE, *self._place, status, answer)
            return status, answer, False

        return _response(*await self.runtime.units.run(once, self.cause(reason), about))

    async def amend(
        self, action: Callable[[Unit], Awaitable[tuple[int, BaseModel]]], reason: str | None = None
    ) -> Response:
        """A second unit of the same request: what it answers takes the place of the stored answer."""

        async def again(unit: Unit) -> tuple[int, str, bool]:
            status, model = await action(unit)
            await unit.connection.execute(_STORE, *self._place, status, model.model_dump_json())
            return status, model.model_dump_json(), False

        return _response(*await self.runtime.units.run(again, self.cause(reason)))

    async def _begin(self, unit: Unit) -> tuple[int, str] | None:
        assert self._hash is not None, "a key without the body that it stands for would hide another one"
        while not await unit.connection.fetchval(_BEGIN, *self._place, self._hash, unit.now):
            row = await unit.connection.fetchrow(_STORED, *self._place)
            if row is None:  # pruned between the two statements
                continue
            if row["body_hash"] != self._hash:
                raise KeyReused("this Idempotency-Key was used with another body")
            return row["status"], row["answer"]
        return None


async def prune(unit: Unit) -> bool:
    """Forget keys that are older than `KEPT`, a chunk of them; whether there may be more."""
    return len(await unit.connection.fetch(_PRUNE, unit.now - KEPT, CHUNK)) == CHUNK


def _response(status: int, answer: str, repeated: bool) -> Response:
    headers = {"Idempotency-Replayed": "true"} if repeated else {}
    return Response(answer, status, headers, media_type="application/json")


Key = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="needed: a value of your own for this change; sent again, it gets the first answer again",
        examples=["3f0c1f4e-8a55-4f64-9d0b-2f64d1f0a9b7"],
    ),
]


async def _command(request: Request, idempotency_key: Key = None) -> Any:
    return CommandRunner(request, idempotency_key, await request.body())


async def _upload(request: Request, idempotency_key: Key = None) -> Any:
    return CommandRunner(request, idempotency_key, None)


Command = Annotated[CommandRunner, Depends(_command)]
"""The parameter of a route that changes something."""

Upload = Annotated[CommandRunner, Depends(_upload)]
"""The parameter of a route that changes something by a file, which is received as a stream."""
