"""The short way of a command: a POST with a key and one JSON body comes to its function without FastAPI's detours.

FastAPI declares the route, and documents it. To answer it, it walks through what the route depends on anew for each
request, which costs more than all that a payment costs us in Python beside it. What such a command depends on is
always the same: the token, the key, the body. Here they are read at once; whatever is not just as it should be takes
the long way, which says what is wrong with it. So does what is recorded by a trace, for which FastAPI keeps its spans.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute, APIRouter
from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.pure.errors import Refusal
from shared.web.auth import (
    RequestNotAuthenticated,
    ScopeMissing,
    authorise_token,
    find_required_scopes,
    is_scope_dependency,
)
from shared.web.commands import CommandDependency, CommandRunner
from shared.web.http.body_receiving import BodyTooLarge, BodyTooSlow, BoundedReceive, find_body_limit
from shared.web.http.problems import answer_refusal
from shared.web.http.strict_bodies import UnstorableCharacter, parse_json_body

_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
_AUTHORIZATION, _CONTENT_TYPE, _IDEMPOTENCY_KEY = b"authorization", b"content-type", b"idempotency-key"
_READ_HEADERS = frozenset({_AUTHORIZATION, _CONTENT_TYPE, _IDEMPOTENCY_KEY})


@dataclass(frozen=True, slots=True)
class FastCommandShape:
    """A route that takes the short way: its function, and the names and rules of what it is given."""

    route: APIRoute
    endpoint: Callable[..., Awaitable[Response]]
    scopes: tuple[str, ...]
    action: str
    command_name: str
    body_name: str
    body_field: Any
    """As FastAPI keeps it: it validates."""
    max_body_bytes: int


def find_fast_command(route: APIRoute) -> FastCommandShape | None:
    """Find the shape of a route that needs a token, a key and one JSON body, and nothing else; None of any other."""
    dependant, field = route.dependant, route.body_field
    others = (dependant.path_params, dependant.query_params, dependant.header_params, dependant.cookie_params)
    names = (dependant.request_param_name, dependant.response_param_name, dependant.background_tasks_param_name)
    if any(others) or any(names) or field is None or route._embed_body_fields or len(dependant.dependencies) != 2:
        return None
    authorisation, command = dependant.dependencies
    if (
        not is_scope_dependency(authorisation.call)
        or not isinstance(command.call, CommandDependency)
        or command.name is None
    ):
        return None
    scopes = find_required_scopes(route.dependencies) or ()
    max_body_bytes = find_body_limit(dependant).max_bytes
    return FastCommandShape(
        route, route.endpoint, scopes, command.call.action, command.name, field.name, field, max_body_bytes
    )


def list_fast_commands(routers: Iterable[APIRouter]) -> dict[str, FastCommandShape]:
    """List the shapes of all routes of these routers that have one, by path."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    shapes = {route.path: find_fast_command(route) for route in routes if route.methods == {"POST"}}
    return {path: shape for path, shape in shapes.items() if shape is not None}


class FastCommandApp:
    """An ASGI application before another one, which takes from it what may go the short way."""

    def __init__(self, app: ASGIApp, shapes: dict[str, FastCommandShape]) -> None:
        self._app = app
        self._shapes = shapes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a command; or let the long way do it, with what was read of the body."""
        shape = self._shapes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        token, key = (None, b"") if shape is None else _read_headers(scope)
        if shape is None or token is None or trace.get_current_span().is_recording():
            await self._app(scope, receive, send)
            return
        read_messages: list[Message] = []
        request = Request(scope, BoundedReceive(scope, receive, shape.max_body_bytes))
        try:
            arguments = await _read_arguments(request, shape, token, key, read_messages)
        except (BodyTooLarge, BodyTooSlow) as refusal:
            await answer_refusal(refusal)(scope, receive, send)
            return
        if arguments is None:
            await self._app(scope, _receive_again(read_messages, receive), send)
            return
        scope["route"] = shape.route
        try:
            response = await shape.endpoint(**arguments)
        except Refusal as refusal:
            response = answer_refusal(refusal)
        await response(scope, receive, send)


def _read_headers(scope: Scope) -> tuple[str | None, bytes]:
    """Read the token and the key of a request whose head is as it should be; no token where it is not."""
    sent = [pair for pair in scope["headers"] if pair[0] in _READ_HEADERS]
    headers = dict(sent)
    if len(sent) != len(_READ_HEADERS) or len(headers) != len(sent) or headers[_CONTENT_TYPE] != b"application/json":
        return None, b""
    key, (scheme, _, token) = headers[_IDEMPOTENCY_KEY], headers[_AUTHORIZATION].partition(b" ")
    if scheme != b"Bearer" or not token or scope["query_string"] or not _KEY.fullmatch(key):
        return None, b""
    return token.decode("latin-1"), key


async def _read_arguments(
    request: Request, shape: FastCommandShape, token: str, key: bytes, messages: list[Message]
) -> dict[str, Any] | None:
    """Read what the function of the route takes; None if anything is not as it should be.

    What comes of the body is kept among `messages`.
    """
    try:
        authorise_token(request, shape.scopes, token)
        body = await _read_body(request, messages)
        if body is None:
            return None
        model, errors = shape.body_field.validate(parse_json_body(body), {}, loc=("body",))
    except (RequestNotAuthenticated, ScopeMissing, UnstorableCharacter, json.JSONDecodeError):
        return None
    if errors:
        return None
    command = CommandRunner(request, shape.action, key.decode("latin-1"), body)
    return {shape.body_name: model, shape.command_name: command}


async def _read_body(request: Request, messages: list[Message]) -> bytes | None:
    """Read the whole body; None if the caller goes away before its end."""
    while not messages or messages[-1].get("more_body", False):
        messages.append(await request.receive())
        if messages[-1]["type"] != "http.request":
            return None
    return b"".join(message.get("body", b"") for message in messages)


def _receive_again(messages: list[Message], receive: Receive) -> Receive:
    """Receive what was received before, and then what comes."""
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return again
