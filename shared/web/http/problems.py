"""Problem details (RFC 9457): how every refusal is answered, and how the API pages show it."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared.base.telemetry import log
from shared.pure.errors import Refusal, Unavailable

PROBLEM = "application/problem+json"
MOST_ERRORS = 20
"""How many wrong fields a refusal names: whoever sends more mends the cause, not each field."""


class FieldError(BaseModel):
    """A fault in one field of the input."""

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


def describe_problem(status: int, code: str, meaning: str, detail: str) -> dict[str, Any]:
    """Describe how an API page shows a problem: what it means, and an example of it.

    It names no model: FastAPI would build one anew for each status of each route, which is most of what a start takes.
    """
    examples = {code: {"value": example_problem(status, code, detail)}}
    return {"description": meaning, "content": {PROBLEM: {"examples": examples}}}


def example_problem(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return a problem document as the API pages show it."""
    title = HTTPStatus(status).phrase
    return Problem(title=title, status=status, code=code, detail=detail).model_dump()


_MEANINGS = {
    400: ("malformed", "the request is malformed, or lacks its Idempotency-Key", "the body is not JSON"),
    401: ("not_authenticated", "no valid bearer token", "this route needs a bearer token"),
    403: ("not_allowed", "the token lacks the scope", "the token lacks the scope that this route needs"),
    404: ("not_found", "no such thing", "there is no such thing"),
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
    status: describe_problem(status, code, meaning, detail) for status, (code, meaning, detail) in _MEANINGS.items()
}
COMMON_PROBLEMS: dict[int | str, dict[str, Any]] = {status: PROBLEMS[status] for status in (400, 422, 503)}
"""Those that any route may answer."""


def refusals(*kinds: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """How the API page of a route shows what its use case refuses: for each status each code, and what it means."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        shown = by_status.setdefault(kind.status, {})
        shown[kind.code] = {"value": example_problem(kind.status, kind.code, _first_line(kind))}
    return {
        status: {
            "description": _MEANINGS[int(status)][1] if status in _MEANINGS else "refused in the present state",
            "content": {PROBLEM: {"examples": shown}},
        }
        for status, shown in by_status.items()
    }


def _first_line(kind: type[Refusal]) -> str:
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".")


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


def answer_refusal(refusal: Refusal) -> Response:
    """Answer with the problem document of a refusal."""
    answer = problem(refusal.status, refusal.code, refusal.detail, **refusal.more)
    if isinstance(refusal, Unavailable):
        answer.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _handle_refusal(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return answer_refusal(refusal)


async def _handle_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    unread = next((fault for fault in faults if fault["type"] == "json_invalid"), None)
    if unread:
        return problem(400, "malformed", unread["ctx"]["error"])
    errors = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]), "message": fault["msg"]}
        for fault in faults[:MOST_ERRORS]
    ]
    return problem(422, "invalid", "the request has wrong fields", errors=errors)


async def _handle_http_error(_: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: the code is the status in words, as in `method_not_allowed`."""
    assert isinstance(error, HTTPException)
    words = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    code = "malformed" if error.status_code == 400 else words
    answer = problem(error.status_code, code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _handle_defect(_: Request, error: Exception) -> Response:
    log.error("request broke", exc_info=error)
    return problem(500, "defect", "this is our fault; it was logged")


def register_problem_handlers(app: FastAPI) -> None:
    """Let whatever an application refuses, and whatever breaks, be answered by a problem document."""
    app.add_exception_handler(Refusal, _handle_refusal)
    app.add_exception_handler(RequestValidationError, _handle_invalid)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.add_exception_handler(Exception, _handle_defect)
