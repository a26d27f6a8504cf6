"""Commands: what one request changes, done in one unit, with the entry of the audit that it leaves.

A POST is done once for its `Idempotency-Key`, by itself or with others that came at once. A PUT or a PATCH comes to
the same when it is sent again, and has no key. Each route says by which action its entries are known.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared.base.telemetry import get_traceparent
from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause, Unit
from shared.pure.errors import Refusal
from shared.pure.fields import NEEDED
from shared.pure.ids import new_id
from shared.web import idempotency
from shared.web.auth import Caller
from shared.web.idempotency import IdempotencyKey, KeptFirstAnswer
from shared.web.request_batching import BatchHandler, Order, PendingRequest

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class IdempotencyKeyMissing(Refusal):
    """A POST that changes something needs an Idempotency-Key."""

    code = "idempotency_key_missing"
    status = 400


class RequestRunner:
    """Whoever calls, and the causes of what they ask for by one action."""

    def __init__(self, request: Request, action: str) -> None:
        self.caller: Caller = request.state.caller
        self.runtime = request.app.state.runtime
        self.action = action

    def build_request_cause(self, reason: str | None = None) -> Cause:
        """Build what events and the audit say about this request."""
        act = AuditedAct(self.caller.subject, self.action, reason)
        return Cause(id=str(new_id()), traceparent=get_traceparent(), act=act)


class ChangeRunner(RequestRunner):
    """Runs what one PUT or PATCH asks for."""

    async def run(
        self, action: Callable[[Unit], Awaitable[T]], *, reason: str | None = None, subject: UUID | None = None
    ) -> T:
        """Do it in one unit; the result of `action`. Those of one subject take turns. Raises what it refuses."""

        async def change(unit: Unit) -> T:
            result = await action(unit)
            unit.audit.check(unit.cause)
            return result

        result: T = await self.runtime.units.run(change, self.build_request_cause(reason), subject)
        return result


class CommandRunner(RequestRunner):
    """Runs what one POST asks for, once for its key. What the body of an upload was says `bind_file`."""

    def __init__(self, request: Request, action: str, key: str | None, body: bytes | None) -> None:
        super().__init__(request, action)
        if key is None:
            raise IdempotencyKeyMissing("send an Idempotency-Key of up to 255 characters with this request")
        scope = request.scope
        self._query: bytes = scope["query_string"]
        self._key = IdempotencyKey(self.caller.subject, f"{scope['method']} {scope['path']}", key, "", "")
        if body is not None:
            self._stands_for(idempotency.normalise_json_body(body), body)

    def bind_file(self, sha256: str) -> Self:
        """Build the same runner for a file that was received, which has this digest."""
        self._stands_for(sha256.encode(), sha256.encode())
        return self

    def bind_content(self, content: bytes) -> Self:
        """Let the command stand for this content of a file, which is no JSON."""
        self._stands_for(content, content)
        return self

    def _stands_for(self, body: bytes, sent: bytes) -> None:
        body_hash, sent_hash = (hashlib.sha256(content + self._query).hexdigest() for content in (body, sent))
        self._key = self._key._replace(body_hash=body_hash, sent_hash=sent_hash)

    async def run(
        self,
        action: Callable[[Unit], Awaitable[BaseModel]],
        *,
        status: int | Callable[[Any], int] = 201,
        reason: str | None = None,
        subject: UUID | None = None,
        locked_first: bool = False,
    ) -> Response:
        """Do it in one unit and answer with the model that `action` returns; or answer as the first time.

        `status` may hang on what the answer says. `subject` is what it changes, as far as the request says so: requests
        about the same take turns. With `locked_first` its lock is waited for before the key is taken, so that whoever
        waits for the key does not wait for that lock too.
        """

        async def once(unit: Unit) -> KeptFirstAnswer:
            assert self._key.body_hash, "a key without the body that it stands for would hide another one"
            if locked_first:
                await unit.lock_subjects(subject)
            stored = (await idempotency.take_idempotency_keys(unit, [self._key])).get(self._key)
            if isinstance(stored, Refusal):
                raise stored
            if stored is not None:
                return stored
            model = await action(unit)
            unit.audit.check(unit.cause)
            return self._store(unit, status(model) if callable(status) else status, model)

        return _response(await self.runtime.units.run(once, self.build_request_cause(reason), subject))

    async def run_batched(self, many: BatchHandler[Order], order: Order, subject: UUID) -> Response:
        """Do it in one unit with others of the kind that came at once; or answer as the first time.

        `subject` is the account that it changes. `many` does what it is given as if one came after the other, and
        returns a refusal in the place of what it refuses.
        """

        async def alone(unit: Unit) -> BaseModel:
            (outcome,) = await many(unit, [order])
            if isinstance(outcome, Refusal):
                raise outcome
            return outcome

        answer = await self.runtime.batchers.find_batcher(many).submit_request(
            PendingRequest(str(subject), self._key, self.build_request_cause(), order)
        )
        return await self.run(alone, subject=subject, locked_first=True) if answer is None else _response(answer)

    async def run_with_call(
        self,
        commit: Callable[[Unit], Awaitable[M]],
        call: Callable[[M], Awaitable[None]],
        read: Callable[[Unit, M], Awaitable[tuple[int, M]]],
        model: type[M],
        *,
        reason: str | None = None,
        subject: UUID | None = None,
    ) -> tuple[Response, M]:
        """Commit what is wanted in one unit, make a call outside of any, and answer what `read` finds then.

        Until `read` has answered otherwise the answer is 202, and the same request sent again comes to `call` again.
        """
        answer = await self.run(commit, status=202, reason=reason, subject=subject)
        result = model.model_validate_json(bytes(answer.body))
        if answer.status_code == 202:
            await call(result)
            answer = await self._amend(lambda unit: read(unit, result))
            result = model.model_validate_json(bytes(answer.body))
        return answer, result

    async def _amend(self, action: Callable[[Unit], Awaitable[tuple[int, BaseModel]]]) -> Response:
        """A second unit of the same request: what it answers takes the place of the stored answer."""

        async def again(unit: Unit) -> KeptFirstAnswer:
            return self._store(unit, *await action(unit))

        cause = replace(self.build_request_cause(), act=None)  # the first unit has left its entry
        return _response(await self.runtime.units.run(again, cause))

    def _store(self, unit: Unit, status: int, model: BaseModel) -> KeptFirstAnswer:
        answer = KeptFirstAnswer(status, model.model_dump_json())
        idempotency.store_first_answers(unit, {self._key: answer})
        return answer


def _response(answer: KeptFirstAnswer) -> Response:
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
        json_schema_extra=NEEDED,
    ),
]


@dataclass(frozen=True, slots=True)
class CommandDependency:
    """The dependency of a route that changes something by a POST, and the action of its entries."""

    action: str

    async def __call__(self, request: Request, idempotency_key: GivenKey = None) -> CommandRunner:
        """Read the request."""
        return CommandRunner(request, self.action, idempotency_key, await request.body())


@dataclass(frozen=True, slots=True)
class UploadDependency:
    """The dependency of a route that changes something by a file, which is received as a stream."""

    action: str

    async def __call__(self, request: Request, idempotency_key: GivenKey = None) -> CommandRunner:
        """Leave the body to the route."""
        return CommandRunner(request, self.action, idempotency_key, None)


@dataclass(frozen=True, slots=True)
class ChangeDependency:
    """The dependency of a route that changes something by a PUT or a PATCH."""

    action: str

    async def __call__(self, request: Request) -> ChangeRunner:
        """See who calls."""
        return ChangeRunner(request, self.action)


def perform_command(action: str) -> Any:
    """Declare the parameter of a POST (a `CommandRunner`) by the action of its audit entries."""
    return Depends(CommandDependency(action))


def perform_upload(action: str) -> Any:
    """Declare the parameter of a POST that takes a file (a `CommandRunner`) by the action of its audit entries."""
    return Depends(UploadDependency(action))


def perform_change(action: str) -> Any:
    """Declare the parameter of a PUT or PATCH (a `ChangeRunner`) by the action of its audit entries."""
    return Depends(ChangeDependency(action))
