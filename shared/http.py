"""The HTTP edge of every service: problem details (RFC 9457), health, paging, telemetry."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar, get_args
from uuid import UUID

import orjson
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from shared import parked
from shared.database import Unit
from shared.errors import Refusal, Unavailable
from shared.fields import example, shown
from shared.runtime import Runtime
from shared.telemetry import log

T = TypeVar("T")
PROBLEM = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field of the input."""

    field: str = Field(examples=["lines.0.amount_minor"])
    message: str = Field(examples=["Input should be greater than 0"])


class Problem(BaseModel):
    """A problem document (RFC 9457). `code` is stable; `detail` is for people."""

    type: str = "about:blank"
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    code: str = Field(examples=["payment_refused"])
    detail: str
    errors: list[FieldError] = []


def declared(status: int, code: str, meaning: str, detail: str) -> dict[str, Any]:
    """How an API page shows a problem: what it means, and an example of it."""
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [],
    }
    return {"description": meaning, "model": Problem, "content": {PROBLEM: {"example": example}}}


_MEANINGS = {
    400: ("malformed", "the request is malformed, or lacks its Idempotency-Key", "the body is not JSON"),
    401: ("not_authenticated", "no valid bearer token", "this route needs a bearer token"),
    403: ("not_allowed", "the token lacks the scope", "the token lacks the scope that this route needs"),
    404: ("not_found", "no such thing", "there is no such thing"),
    409: ("refused", "refused in the present state", "this cannot be done in the present state"),
    422: (
        "invalid",
        "a field is wrong (`errors` names it), or the Idempotency-Key was used with another body",
        "the request has wrong fields",
    ),
    503: (
        "unavailable",
        "something this needs is away for the moment; see Retry-After",
        "the database is away or busy; try again",
    ),
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: declared(status, code, meaning, detail) for status, (code, meaning, detail) in _MEANINGS.items()
}


def _of_one(schema: dict[str, Any], page: type[BaseModel]) -> None:
    """Show a page of one item, as the page of its model shows it."""
    (item,) = get_args(page.model_fields["items"].annotation)
    schema |= example(items=[shown(item)], next=None)["json_schema_extra"]  # type: ignore[arg-type]


class Page(BaseModel, Generic[T]):
    """A page of a list; `next` is the cursor of the following one, or null at the end."""

    model_config = ConfigDict(json_schema_extra=_of_one)

    items: list[T]
    next: str | None


class BadCursor(Refusal):
    """The cursor is not one that this list gave out."""

    code = "bad_cursor"
    status = 422


class PageOf:
    """Keyset paging: rows after the last one seen, in a stable order."""

    def __init__(self, limit: int, after: str | None) -> None:
        self.limit = limit
        self._after = after

    def after(self) -> str | None:
        """The key of the last row of the page before, or None for the first page. Raises BadCursor."""
        if self._after is None:
            return None
        try:
            return base64.urlsafe_b64decode(self._after.encode()).decode()
        except ValueError as error:
            raise BadCursor("`after` is not a cursor of this list") from error

    def after_id(self) -> UUID | None:
        """The same, for lists in the order of ids."""
        key = self.after()
        try:
            return UUID(key) if key else None
        except ValueError as error:
            raise BadCursor("`after` is not a cursor of this list") from error

    def page(self, items: Sequence[T], key: Callable[[T], object]) -> Page[T]:
        """The page of `items`, of which one more than `limit` was read if there are more."""
        shown = list(items[: self.limit])
        more = len(items) > self.limit
        cursor = base64.urlsafe_b64encode(str(key(shown[-1])).encode()).decode() if more else None
        return Page(items=shown, next=cursor)


async def _paging(
    limit: Annotated[int, Query(ge=1, le=500, description="items on a page")] = 100,
    after: Annotated[str | None, Query(max_length=500, description="`next` of the page before")] = None,
) -> PageOf:
    return PageOf(limit, after)


Paging = Annotated[PageOf, Depends(_paging)]
"""The parameter of a route that lists. A coroutine, since a plain callable would cost a thread."""


class Reader:
    """Runs reading units for the routes that only read."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def __call__(self, action: Callable[[Unit], Awaitable[T]]) -> T:
        return await self.runtime.units.run(action)


async def _reader(request: Request) -> Reader:
    return Reader(request.app.state.runtime)


Read = Annotated[Reader, Depends(_reader)]
"""The parameter of a route that only reads."""


class NulCharacter(Refusal):
    """Postgres keeps no NUL character, so nothing has one in its name."""

    code = "invalid"
    status = 422


async def _without_nul(request: Request) -> None:
    if b"%00" in request.scope["query_string"] or "\0" in request.scope["path"]:
        raise NulCharacter("the address has a NUL character")


def create_app(runtime: Runtime, *, with_routes: bool = True) -> FastAPI:
    """The application of one process: health always, the service's routes where the role serves them."""
    service = runtime.service
    app = FastAPI(
        title=f"Goodstanding {service.name}",
        summary=service.summary,
        version="1",
        telemetry={"operation_spans": False, "metrics": False, "logs": False},
        responses={status: PROBLEMS[status] for status in (400, 422, 503)},
        dependencies=[Depends(_without_nul)],
    )
    app.state.runtime = runtime
    app.openapi = lambda: _documented(app)  # type: ignore[method-assign]
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    _add_health(app, runtime)
    if with_routes:
        for router in service.routers:
            app.include_router(router)
    return app


def _documented(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. FastAPI knows one media type for a route's models, and a problem has its own."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for schema in document["components"]["schemas"].values():
            if "examples" in schema:
                schema["examples"] = [orjson.loads(text) for text in schema["examples"]]
        for operations in document["paths"].values():
            for operation in operations.values():
                for answer in operation["responses"].values():
                    _only_as_problem(answer.get("content", {}))
    assert app.openapi_schema is not None
    return app.openapi_schema


def _only_as_problem(content: dict[str, Any]) -> None:
    if PROBLEM in content:
        shown = content[PROBLEM] | {"schema": {"$ref": "#/components/schemas/Problem"}}
        content.clear()
        content[PROBLEM] = shown


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """A problem document as an answer."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return JSONResponse(body, status, media_type=PROBLEM)


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    answer = problem(refusal.status, refusal.code, refusal.detail, **refusal.more)
    if isinstance(refusal, Unavailable):
        answer.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem(400, "malformed", "the body is not JSON")
    errors = [
        {"field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]), "message": one["msg"]}
        for one in found
    ]
    return problem(422, "invalid", "the request has wrong fields", errors=errors)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, "http_error", str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _broken(_: Request, error: Exception) -> Response:
    log.error("request broke", exc_info=error)
    return problem(500, "defect", "this is our fault; it was logged")


def _add_health(app: FastAPI, runtime: Runtime) -> None:
    @app.get("/health/live", tags=["health"], summary="Whether the process lives")
    async def live() -> dict[str, str]:
        """Alive as soon as it answers; a process that hangs ends by itself."""
        return {"status": "alive"}

    @app.get(
        "/health/ready",
        tags=["health"],
        summary="Whether the process can do its work: database, broker, consumer",
        responses={503: {"description": "a part does not work; `parts` says which"}},
    )
    async def ready() -> Response:
        """503 while a part does not work; `parts` says which, and what its state is."""
        try:
            await runtime.units.run(lambda unit: parked.stopped(unit.connection))
            database = (True, "reachable")
        except Unavailable as error:
            database = (False, error.detail)
        parts = {"database": database, **runtime.health.parts}
        well = all(part[0] for part in parts.values())
        body = {name: {"ok": ok, "state": state} for name, (ok, state) in parts.items()}
        return Response(
            orjson.dumps({"ready": well, "parts": body}), 200 if well else 503, media_type="application/json"
        )
