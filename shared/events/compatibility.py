"""Whether a schema can take the place of a released one under the same type.

Two readers must be served. A reader of the older schema reads new messages; a reader of the newer one
reads old messages, because topics keep everything. So fields may be added as optional, and nothing else.
A message has the fields that its schema declares, and no others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

Schema = dict[str, Any]
Find = tuple[str, str]
"""Where in the payload, and what is wrong there."""

ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "examples"}
"""Keywords that say nothing about which messages are valid."""
UNDERSTOOD = {"type", "format", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"}
"""Keywords that are compared by what they mean; of any other that a reader relies on, the value must stay as it is."""


@dataclass(frozen=True, slots=True)
class SchemaBreak:
    """A change that one of the two readers does not survive."""

    reader: str
    """`older` reads new messages, `newer` reads old ones."""
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}, for a reader of the {self.reader} schema"


class RecursiveSchema(Exception):
    """A schema that contains itself cannot be compared; no event needs one."""


def find_schema_breaks(old: Schema, new: Schema) -> list[SchemaBreak]:
    """Find what a reader of either schema cannot read in messages of the other. Raises RecursiveSchema."""
    older, newer = _plain(old, old), _plain(new, new)
    breaks = [SchemaBreak("older", *find) for find in (*_unreadable(older, newer, ""), *_find_dropped(older, newer))]
    return breaks + [SchemaBreak("newer", *find) for find in _unreadable(newer, older, "")]


def find_breaks_by_type(released: Mapping[str, Schema], declared: Mapping[str, Schema]) -> dict[str, list[SchemaBreak]]:
    """The breaks by type; that a released type is gone is one. New types, and new versions beside old, are fine."""
    breaks_by_type = {
        name: find_schema_breaks(old, declared[name])
        if name in declared
        else [SchemaBreak("older", name, "the type is gone")]
        for name, old in released.items()
    }
    return {name: some for name, some in breaks_by_type.items() if some}


def _plain(schema: Any, root: Schema, inside: tuple[str, ...] = ()) -> Any:
    """The schema without annotations, and with each reference replaced by what it refers to."""
    if isinstance(schema, list):
        return [_plain(part, root, inside) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if (name := schema.get("$ref")) is not None:
        if name in inside:
            raise RecursiveSchema(name)
        target = root["$defs"][name.removeprefix("#/$defs/")]
        return _plain(target | {key: value for key, value in schema.items() if key != "$ref"}, root, (*inside, name))
    return {key: _part(key, value, root, inside) for key, value in schema.items() if key not in ANNOTATIONS}


def _part(keyword: str, value: Any, root: Schema, inside: tuple[str, ...]) -> Any:
    """The value of a keyword: names of fields are no keywords, and values of fields no schemas."""
    if keyword == "properties":
        return {name: _plain(field, root, inside) for name, field in value.items()}
    return value if keyword in ("enum", "const", "default") else _plain(value, root, inside)


def _alternatives(schema: Schema) -> list[Schema]:
    """The schemas of which one must hold."""
    if "anyOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return [alternative for branch in schema["anyOf"] for alternative in _alternatives(rest | branch)]
    if isinstance(schema.get("type"), list):
        return [schema | {"type": kind} for kind in schema["type"]]
    return [schema]


def _unreadable(reader: Schema, written: Schema, where: str) -> Iterator[Find]:
    """Find what a reader of one schema cannot read in messages that are written by the other."""
    alternatives = _alternatives(reader)
    for alternative in _alternatives(written):
        misfits = [list(_unfit(each, alternative, where)) for each in alternatives]
        if all(misfits):
            yield from min(misfits, key=len)


def _unfit(reader: Schema, written: Schema, where: str) -> Iterator[Find]:
    """Find what does not fit between two schemas without alternatives."""
    expected, got = reader.get("type"), written.get("type")
    if expected not in (None, got, "number" if got == "integer" else got):
        yield where, f"{got or 'anything'} is no {expected}"
        return
    if reader.get("format") not in (None, written.get("format")):
        yield where, f"the format {reader['format']} need not be kept"
    yield from _unknown_values(reader, written, where)
    for keyword in sorted(reader.keys() - UNDERSTOOD - {"default"}):
        if reader[keyword] != written.get(keyword):
            yield where, f"{keyword} need not be kept"
    if "object" in (expected, got):
        yield from _unfit_fields(reader, written, where)
    if "items" in reader:
        yield from _unreadable(reader["items"], written.get("items", {}), f"{where}[]")


def _unknown_values(reader: Schema, written: Schema, where: str) -> Iterator[Find]:
    allowed, used = _values(reader), _values(written)
    if allowed is None:
        return
    if used is None:
        yield where, "may be any value"
    elif extra := used - allowed:
        yield where, f"may be {', '.join(sorted(value.decode() for value in extra))}"


def _values(schema: Schema) -> set[bytes] | None:
    """The only values that are allowed, as JSON (in which `true` is not 1); None if that is not limited."""
    if "const" in schema:
        return {orjson.dumps(schema["const"])}
    return {orjson.dumps(value) for value in schema["enum"]} if "enum" in schema else None


def _unfit_fields(reader: Schema, written: Schema, where: str) -> Iterator[Find]:
    readable, used = reader.get("properties", {}), written.get("properties", {})
    required, always = set(reader.get("required", ())), set(written.get("required", ()))
    others_known, others_used = reader.get("additionalProperties", True), written.get("additionalProperties", False)
    for name in sorted(required - always):
        yield _field(where, name), "may be missing"
    for name in sorted(readable.keys() & used.keys()):
        yield from _unreadable(readable[name], used[name], _field(where, name))
        if readable[name].get("default") != used[name].get("default") and name not in required & always:
            yield _field(where, name), "is read as something else where it is missing"
    for name in sorted(used.keys() - readable.keys()):
        yield from _unfit_others(others_known, used[name], _field(where, name))
    for name in sorted(readable.keys() - used.keys()):
        if others_used is not False:
            yield from _unreadable(readable[name], _schema(others_used), _field(where, name))
    if others_used is not False:
        yield from _unfit_others(others_known, _schema(others_used), _field(where, "*"))


def _unfit_others(additional: Any, used: Schema, where: str) -> Iterator[Find]:
    """Find what is wrong with a field that the reader does not know by its name."""
    if additional is False:
        yield where, "must not be there"
    else:
        yield from _unreadable(_schema(additional), used, where)


def _find_dropped(old: Schema, new: Schema) -> Iterator[Find]:
    """Optional fields that nobody writes any more: their readers get no error, and no answer either."""
    for where in sorted(_fields(old, "", optional=True) - _fields(new, "")):
        yield where, "is never there"


def _fields(schema: Schema, where: str, *, optional: bool = False) -> set[str]:
    """Every field that may be written, however deep; or those that are optional."""
    names: set[str] = set()
    for alternative in _alternatives(schema):
        left_out = set(alternative.get("required", ())) if optional else ()
        for name, field in alternative.get("properties", {}).items():
            names |= {_field(where, name)} - {_field(where, each) for each in left_out}
            names |= _fields(field, _field(where, name), optional=optional)
        for keyword, mark in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(below := alternative.get(keyword), dict):
                names |= _fields(below, where + mark, optional=optional)
    return names


def _schema(value: Any) -> Schema:
    """`true` allows anything."""
    return {} if value is True else dict(value)


def _field(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
