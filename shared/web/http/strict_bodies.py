"""Requests are read strictly. JSON bodies: UTF-8 and nothing else, no field twice, only what JSON has.

Python's reader takes UTF-16, `NaN`, and the last of two fields of one name. Another reader on the way here
(a proxy, a log, the caller's own library) may take the first: then two people have read different orders.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import cached_property
from types import MappingProxyType
from typing import Any, NoReturn

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from shared.pure.errors import Refusal
from shared.pure.hidden_characters import has_lone_surrogate
from shared.web.auth import authorise_request, find_required_scopes
from shared.web.http.body_receiving import MAX_BODY_BYTES, MEMORY, BoundedReceive, find_body_limit, receive_whole_body
from shared.web.http.documents import build_operation_id
from shared.web.http.problems import COMMON_PROBLEMS, MOST_ERRORS

SHOWN = 60
"""How much of a field's name a refusal repeats (characters)."""
_WITH_BODIES = frozenset({"POST", "PUT", "PATCH"})


class MalformedBody(json.JSONDecodeError):
    """The body cannot be read; FastAPI takes no other error for that. `msg` is for the caller."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise MalformedBody(f"an object of the body has the field {twice[:SHOWN]!r} twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise MalformedBody(f"the body is not JSON: there is no {name} in it")


_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""The only way in which JSON in UTF-8 writes a NUL character, or half of a pair (RFC 8259, 7 and 8.2)."""


def _check_kept(content: Any) -> None:
    """Refuse what cannot be kept anywhere in a body, names of fields included. Raises UnstorableCharacter."""
    if isinstance(content, str):
        if "\0" in content or has_lone_surrogate(content):
            raise UnstorableCharacter("a text of the body has a NUL character, or half of a surrogate pair")
    elif isinstance(content, dict):
        for name, value in content.items():
            _check_kept(name)
            _check_kept(value)
    elif isinstance(content, list):
        for value in content:
            _check_kept(value)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def parse_json_body(body: bytes) -> Any:
    """A JSON body as data. Raises MalformedBody, UnstorableCharacter."""
    try:
        content = _DECODER.decode(body.decode("utf-8-sig"))
        if _ESCAPED.search(body):
            _check_kept(content)
    except MalformedBody:
        raise
    except UnicodeDecodeError as error:
        raise MalformedBody("the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise MalformedBody("the body is not JSON") from error
    except RecursionError as error:
        raise MalformedBody("the body is nested too deep") from error
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise MalformedBody("a number of the body has too many digits") from error
    return content


class UnstorableCharacter(Refusal):
    """A NUL character or half of a pair: no database and no encoding keeps them, so nothing has one in its name."""

    code = "invalid"
    status = 422


class _StrictRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            # to read a large one takes long enough that others would notice
            self._json = (
                parse_json_body(body) if len(body) <= MAX_BODY_BYTES else await asyncio.to_thread(parse_json_body, body)
            )
        return self._json


class _StrictRoute(APIRoute):
    """A route that knows who asks before it looks at what is asked, and reads no body that it does not take."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare how the path begins before its whole pattern: most routes are not the one."""
        if not scope["path"].startswith(self._path_start):
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _path_start(self) -> str:
        return self.path.partition("{")[0]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        parameters = frozenset(list_query_parameters(self.dependant))
        scopes = find_required_scopes(self.dependencies)
        has_body = not _WITH_BODIES.isdisjoint(self.methods or ())
        limit = find_body_limit(self.dependant)

        async def strictly(request: Request) -> Response:
            if scopes is not None:
                authorise_request(request, scopes)
            if b"%00" in request.scope["query_string"] or "\0" in request.scope["path"]:
                raise UnstorableCharacter("the address has a NUL character")
            if request.scope["query_string"]:
                _check_query(request.query_params.multi_items(), parameters)
            if not has_body:
                return await handle(_StrictRequest(request.scope, request.receive))
            memory = None if limit.is_on_disk else MEMORY
            bounded = BoundedReceive(request.scope, request.receive, limit.max_bytes, memory)
            strict = _StrictRequest(request.scope, bounded)
            try:
                if not limit.is_streamed:
                    await _read_body(strict)
                return await handle(strict)
            finally:
                bounded.release_taken_memory()

        return strictly


async def _read_body(request: Request) -> None:
    """Receive and read the body, which the request keeps: FastAPI would answer each refusal of it alike."""
    body = await receive_whole_body(request)
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        with suppress(MalformedBody):  # FastAPI meets it again, and answers it
            await request.json()


def list_query_parameters(dependant: Dependant) -> Iterator[str]:
    """List the query parameters of a route and of all that it depends on, as callers write them."""
    yield from (field.alias for field in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from list_query_parameters(dependency)


def _check_query(pairs: Sequence[tuple[str, str]], parameters: Set[str]) -> None:
    """Refuse a parameter that the route does not have, and one that is there twice. Raises RequestValidationError."""
    counts = Counter(name for name, _ in pairs)
    there_are = f"there are {', '.join(sorted(parameters))}" if parameters else "this route has none"
    errors = [
        {"type": "extra_forbidden", "loc": ("query", name[:SHOWN]), "msg": f"there is no such parameter; {there_are}"}
        for name in counts
        if name not in parameters
    ] + [
        {"type": "repeated", "loc": ("query", name), "msg": "the parameter is there more than once"}
        for name, count in counts.items()
        if name in parameters and count > 1
    ]
    if errors:
        raise RequestValidationError(errors[:MOST_ERRORS])


class Router(APIRouter):
    """A service's routes, which read what they are asked strictly."""

    def __init__(self, *, responses: Mapping[int | str, dict[str, Any]] = MappingProxyType({}), **more: Any) -> None:
        super().__init__(
            route_class=_StrictRoute,
            generate_unique_id_function=build_operation_id,
            responses=COMMON_PROBLEMS | dict(responses),
            **more,
        )
