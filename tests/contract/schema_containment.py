"""Containment of JSON schemas: whether all that one schema describes is accepted by another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FORMATS = frozenset({"date", "date-time", "uuid"})
"""Formats of text that a reader parses, so that other text would not do."""


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """Schema, and the document in which its references are looked up."""

    schema: dict[str, Any]
    document: dict[str, Any]

    def list_alternatives(self) -> list["SchemaPart"]:
        """List the alternatives that it describes, each of one type."""
        if "$ref" in self.schema:
            target: Any = self.document
            for step in self.schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            return SchemaPart(target, self.document).list_alternatives()
        for word in ("anyOf", "oneOf", "allOf"):
            if parts := self.schema.get(word):
                assert word != "allOf" or len(parts) == 1, "schemas that are joined are not compared"
                return [one_type for part in parts for one_type in self.get_part(part).list_alternatives()]
        return [self]

    def get_part(self, schema: dict[str, Any]) -> "SchemaPart":
        """Take a part of it, with the same document."""
        return SchemaPart(schema, self.document)

    @property
    def choices(self) -> list[Any] | None:
        """The values of an enumeration; None where it is none."""
        return [self.schema["const"]] if "const" in self.schema else self.schema.get("enum")


def list_mismatches(produced: SchemaPart, accepted: SchemaPart, place: str = "") -> list[str]:
    """List what is produced and not accepted, by its place."""
    mismatches = []
    for alternative in produced.list_alternatives():
        candidates = [candidate for candidate in accepted.list_alternatives() if _is_of_type(alternative, candidate)]
        results = [list(_compare_alternatives(alternative, candidate, place)) for candidate in candidates]
        refused = f"{place or 'all'}: {alternative.schema.get('type', 'anything')} is not accepted"
        nearest = min(results, key=len) if results else [refused]
        mismatches += nearest
    return mismatches


def _is_of_type(produced: SchemaPart, accepted: SchemaPart) -> bool:
    kind, wanted = produced.schema.get("type"), accepted.schema.get("type")
    return wanted is None or kind == wanted or (kind, wanted) == ("integer", "number")


def _compare_alternatives(produced: SchemaPart, accepted: SchemaPart, place: str) -> Iterator[str]:
    if accepted.choices is not None:
        others = [choice for choice in produced.choices or ["any"] if choice not in accepted.choices]
        yield from (f"{place}: {choice} is no choice" for choice in others)
    if (text_format := accepted.schema.get("format")) in FORMATS and produced.schema.get("format") != text_format:
        yield f"{place}: no {text_format}"
    if "items" in accepted.schema:
        items = produced.get_part(produced.schema.get("items", {}))
        yield from list_mismatches(items, accepted.get_part(accepted.schema["items"]), f"{place}[]")
    if "properties" in accepted.schema:
        yield from _compare_objects(produced, accepted, place)


def _compare_objects(produced: SchemaPart, accepted: SchemaPart, place: str) -> Iterator[str]:
    fields, wanted = produced.schema.get("properties", {}), accepted.schema.get("properties", {})
    always, needed = produced.schema.get("required", ()), accepted.schema.get("required", ())
    yield from (f"{place}.{name}: not always there" for name in needed if name not in always)
    if accepted.schema.get("additionalProperties") is False:
        yield from (f"{place}.{name}: unknown" for name in fields if name not in wanted)
    for name in wanted.keys() & fields.keys():
        yield from list_mismatches(produced.get_part(fields[name]), accepted.get_part(wanted[name]), f"{place}.{name}")
