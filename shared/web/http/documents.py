"""The OpenAPI document of a service."""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from shared.pure.fields import NEEDED
from shared.web.http.problems import PROBLEM, Problem, example_problem

_KEY = "idempotency-key"
_COMMON_CODES = (
    (400, "", "malformed", "the body is not JSON"),
    (400, _KEY, "idempotency_key_missing", "send an Idempotency-Key of up to 255 characters with this request"),
    (408, "", "body_too_slow", "a body comes at 16384 bytes a second or faster, after 20 s"),
    (413, "", "body_too_large", "this route takes a body of at most 262144 bytes"),
    (403, "", "not_allowed", "the token lacks the scope that this route needs"),
    (404, "", "not_found", "there is no such thing"),
    (410, _KEY, "answer_removed", "this request was done; what it was answered was removed"),
    (422, "", "invalid", "the request has wrong fields"),
    (422, _KEY, "idempotency_key_reused", "this key was used with another body"),
    (422, _KEY, "event_too_large", "the event about it would be larger than a message may be"),
    (422, "after", "bad_cursor", "no list has given out this cursor"),
    (503, "", "unavailable", "the database is away or busy; try again"),
)
"""Codes of refusals that many routes share: status, the parameter that a route must have for it, code, detail."""
_TEXT = {"type": "string"}
_SCHEMAS = "#/components/schemas/"
_RESPONSE_HEADERS = (
    ("2", _KEY, "Idempotency-Replayed", "`true` where this is the first answer to the key, given again"),
    ("401", "", "WWW-Authenticate", "`Bearer`"),
    ("503", "", "Retry-After", "after how many seconds to try again"),
)
"""Headers of answers: how the status begins, the parameter that the route must have, name, meaning."""
ETAG: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "the version, for `If-Match` of a change", "schema": _TEXT}}}
}
"""The answer of a route that says which version it shows."""


def build_openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. FastAPI knows one media type for a route's models, and a problem has its own."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        _add_problem(document["components"])
        for schema in document["components"]["schemas"].values():
            if "examples" in schema:
                schema["examples"] = [orjson.loads(text) for text in schema["examples"]]
        for operations in document["paths"].values():
            for operation in operations.values():
                _require_needed(operation)
                _add_refusals_of_bodies(operation)
                _add_common_codes(operation)
                _add_headers(operation)
                for answer in operation["responses"].values():
                    _only_as_problem(answer.get("content", {}))
    assert app.openapi_schema is not None
    return app.openapi_schema


def _add_problem(components: dict[str, Any]) -> None:
    """Add the schemas of a problem, to which every refusal refers."""
    _, generated = models_json_schema([(Problem, "serialization")], ref_template=_SCHEMAS + "{model}")
    components["schemas"] = dict(sorted((components["schemas"] | generated["$defs"]).items()))


def build_operation_id(route: APIRoute) -> str:
    """Build the id of a route's operation, which generated clients name their methods by: `recordPayment`.

    It is the name of the route's function, or the `name` of the route where a use case has that name already.
    """
    verb, *words = route.name.split("_")
    return verb + "".join(word.capitalize() for word in words)


def _require_needed(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["schema"].pop(next(iter(NEEDED)), False):
            parameter["required"] = True
            text, _null = parameter["schema"].pop("anyOf")
            parameter["schema"] |= text


def _add_refusals_of_bodies(operation: dict[str, Any]) -> None:
    """Declare how a body is refused before it is read, or while it is."""
    if "requestBody" in operation:
        for status, meaning in (("408", "the body did not come in time"), ("413", "the body is too large")):
            operation["responses"][status] = {"description": meaning, "content": {PROBLEM: {}}}


def _names(operation: dict[str, Any]) -> set[str]:
    return {"", *(parameter["name"] for parameter in operation.get("parameters", []))}


def _add_common_codes(operation: dict[str, Any]) -> None:
    """Add to the refusals of an operation those that many have, and name in each description all codes there are."""
    names = _names(operation)
    for status, answer in operation["responses"].items():
        if PROBLEM not in answer.get("content", {}):
            continue
        examples = {
            code: {"value": example_problem(int(status), code, detail)}
            for shared_status, parameter, code, detail in _COMMON_CODES
            if str(shared_status) == status and parameter in names
        } | answer["content"][PROBLEM].get("examples", {})
        answer["content"][PROBLEM]["examples"] = examples
        answer["description"] += f": {', '.join(f'`{code}`' for code in examples)}"


def _add_headers(operation: dict[str, Any]) -> None:
    """Declare the headers that answers have."""
    names = _names(operation)
    for status, answer in operation["responses"].items():
        for beginning, parameter, name, meaning in _RESPONSE_HEADERS:
            if status.startswith(beginning) and parameter in names:
                answer.setdefault("headers", {})[name] = {"description": meaning, "schema": _TEXT}


def _only_as_problem(content: dict[str, Any]) -> None:
    if PROBLEM in content:
        content.pop("application/json", None)
        content[PROBLEM] = content[PROBLEM] | {"schema": {"$ref": f"{_SCHEMAS}{Problem.__name__}"}}
