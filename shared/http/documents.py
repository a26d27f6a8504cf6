"""The OpenAPI document of a service."""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.http.problems import PROBLEM


def documented(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. FastAPI knows one media type for a route's models, and a problem has its own."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for schema in document["components"]["schemas"].values():
            if "examples" in schema:
                schema["examples"] = [orjson.loads(text) for text in schema["examples"]]
        for operations in document["paths"].values():
            for operation in operations.values():
                _key_needed(operation)
                for answer in operation["responses"].values():
                    _only_as_problem(answer.get("content", {}))
    assert app.openapi_schema is not None
    return app.openapi_schema


def build_operation_id(route: APIRoute) -> str:
    """Build the id of a route's operation, which generated clients name their methods by: `recordPayment`."""
    verb, *words = route.name.split("_")
    return verb + "".join(word.capitalize() for word in words)


def _key_needed(operation: dict[str, Any]) -> None:
    """For FastAPI the key may be missing, since its absence has a refusal of its own; for callers it may not."""
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "idempotency-key":
            parameter["required"] = True
            text, _null = parameter["schema"].pop("anyOf")
            parameter["schema"] |= text


def _only_as_problem(content: dict[str, Any]) -> None:
    if PROBLEM in content:
        shown = content[PROBLEM] | {"schema": {"$ref": "#/components/schemas/Problem"}}
        content.clear()
        content[PROBLEM] = shown
