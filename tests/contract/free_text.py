"""Free text of requests: found by the OpenAPI document, and marked with what tells of a person."""

from collections.abc import Mapping
from typing import Any

MARK = "Peregrina, +49 30 901820, mumbled that"
"""A name and a telephone number, as people write them where they may write anything."""
BOUND = frozenset({"enum", "const", "format"})
"""What a schema of text has that is no free text."""
OF_TEXT = ("[^", "(?s)^[^", "\\p{L}")
"""Parts of patterns that leave text free: they exclude characters, and name none."""


def is_free(schema: Mapping[str, Any]) -> bool:
    """Say whether a schema takes whatever a person writes."""
    pattern = schema.get("pattern", "")
    is_bound = bool(BOUND & schema.keys()) or (pattern and not any(part in pattern for part in OF_TEXT))
    return schema.get("type") == "string" and not is_bound and schema.get("maxLength", 10**6) > len(MARK)


def mark(body: Any, schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Put the mark into each free text of a body."""
    resolved = _follow(schema, document)
    for choice in resolved.get("anyOf", resolved.get("oneOf", ())):
        body = mark(body, choice, document)
    if isinstance(body, str) and is_free(resolved):
        return MARK
    if isinstance(body, list) and "items" in resolved:
        return [mark(item, resolved["items"], document) for item in body]
    if isinstance(body, dict):
        properties = resolved.get("properties", {})
        return {name: mark(value, properties.get(name, {}), document) for name, value in body.items()}
    return body


def _follow(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return _follow(target, document)
