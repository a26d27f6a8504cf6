"""Changes of an event's schema that break a reader, held against what a validator says of generated messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from jsonschema import Draft202012Validator

from shared.events.compatibility import RecursiveSchema, find_breaks_by_type, find_schema_breaks

Schema = dict[str, Any]
STRING, INTEGER, NUMBER, NULL = ({"type": name} for name in ("string", "integer", "number", "null"))
UUID, DATE = ({"type": "string", "format": name} for name in ("uuid", "date"))
MAP: Schema = {"type": "object", "additionalProperties": True}
READERS = {"older", "newer"}


@dataclass(frozen=True)
class Optional:
    """A field that may be missing."""

    schema: Schema


Field = Schema | Optional | None
"""How a schema has the field `x`; None for one that has no such field."""


def enum(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, NULL]}


def record(field: Field) -> Schema:
    """An object with a field `id`, and `x` as it is told."""
    properties: Schema = {"id": UUID}
    if field is not None:
        properties["x"] = field.schema if isinstance(field, Optional) else field
    required = ["id", "x"] if isinstance(field, dict) else ["id"]
    return {"type": "object", "properties": properties, "required": required}


def within(schema: Schema) -> Schema:
    """An object that has another in a field, by reference."""
    return record({"$ref": "#/$defs/Inner"}) | {"$defs": {"Inner": schema}}


DEPTHS: dict[str, Callable[[Schema], Schema]] = {
    "top": lambda schema: schema,
    "referred": within,
    "nullable": lambda schema: record(nullable(schema)),
    "item": lambda schema: record(array(schema)),
    "value": lambda schema: record({"type": "object", "additionalProperties": schema}),
}


@dataclass(frozen=True)
class Change:
    """A change of one field, whom it breaks, and for whom of these a validator can tell."""

    old: Field
    new: Field
    broken: Iterable[str] = ()
    hidden: Iterable[str] = ()


CHANGES = {
    "nothing": Change(STRING, STRING),
    "optional field added": Change(None, Optional(STRING)),
    "required field added": Change(None, STRING, {"newer"}),
    "required field removed": Change(STRING, None, {"older"}),
    "optional field removed": Change(Optional(STRING), None, {"older"}, {"older"}),
    "required becomes optional": Change(STRING, Optional(STRING), {"older"}),
    "optional becomes required": Change(Optional(STRING), STRING, {"newer"}),
    "another type": Change(INTEGER, STRING, READERS),
    "another kind of container": Change(MAP, array(STRING), READERS),
    "integer becomes number": Change(INTEGER, NUMBER, {"older"}),
    "number becomes integer": Change(NUMBER, INTEGER, {"newer"}),
    "another type beside": Change(INTEGER, {"anyOf": [INTEGER, STRING]}, {"older"}),
    "enumeration widened": Change(enum("a", "b"), enum("a", "b", "c"), {"older"}),
    "enumeration narrowed": Change(enum("a", "b"), enum("a"), {"newer"}),
    "enumeration reordered": Change(enum("a", "b"), enum("b", "a")),
    "value renamed": Change(enum("a", "b"), enum("a", "c"), READERS),
    "one value becomes two": Change({"type": "string", "const": "a"}, enum("a", "b"), {"older"}),
    "one value told otherwise": Change({"type": "string", "const": "a"}, enum("a")),
    "enumeration opened": Change(enum("a", "b"), STRING, {"older"}),
    "string becomes enumeration": Change(STRING, enum("a", "b"), {"newer"}),
    "true is not one": Change({"enum": [True]}, {"enum": [1]}, READERS),
    "nullable enumeration widened": Change(nullable(enum("a")), nullable(enum("a", "b")), {"older"}),
    "becomes nullable": Change(STRING, nullable(STRING), {"older"}),
    "no longer nullable": Change(nullable(STRING), STRING, {"newer"}),
    "alternatives reordered": Change(nullable(STRING), {"anyOf": [NULL, STRING]}),
    "alternatives told otherwise": Change(nullable(STRING), {"type": ["string", "null"]}),
    "another format": Change(UUID, DATE, READERS),
    "format dropped": Change(DATE, STRING, {"older"}),
    "format added": Change(STRING, DATE, {"newer"}),
    "items of another type": Change(array(STRING), array(INTEGER), READERS),
    "items become nullable": Change(array(STRING), array(nullable(STRING)), {"older"}),
    "items' enumeration narrowed": Change(array(enum("a", "b")), array(enum("a")), {"newer"}),
    "items untold": Change(array(STRING), {"type": "array"}, {"older"}),
    "map's values limited": Change(MAP, MAP | {"additionalProperties": INTEGER}, {"newer"}),
    "map's values freed": Change(MAP | {"additionalProperties": INTEGER}, MAP, {"older"}),
    "map gets a named field": Change(MAP, MAP | {"properties": {"p": INTEGER}}, {"newer"}),
    "map becomes closed": Change(MAP, {"type": "object", "additionalProperties": False}, {"newer"}),
    "closed object gets a field": Change(
        record(None) | {"additionalProperties": False},
        record(Optional(STRING)) | {"additionalProperties": False},
        {"older"},
    ),
    "bound added": Change(INTEGER, INTEGER | {"minimum": 0}, {"newer"}),
    "bound dropped": Change(INTEGER | {"minimum": 0}, INTEGER, {"older"}),
    "bound moved": Change(INTEGER | {"minimum": 0}, INTEGER | {"minimum": 1}, READERS, {"older"}),
    "another default": Change(Optional(STRING | {"default": "a"}), Optional(STRING), READERS, READERS),
    "told in other words": Change(STRING | {"title": "X", "description": "x"}, STRING | {"title": "Y"}),
}


@pytest.mark.parametrize("depth", DEPTHS.values(), ids=DEPTHS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_readers_that_a_change_breaks_are_named(change: Change, depth: Callable[[Schema], Schema]) -> None:
    breaks = find_schema_breaks(depth(record(change.old)), depth(record(change.new)))
    assert {each_break.reader for each_break in breaks} == set(change.broken)
    assert all(each_break.where.startswith("x") and each_break.what for each_break in breaks)


def instances(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    """Messages that a schema's writer may send: its own fields, and no others."""
    if "$ref" in schema:
        return instances(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([instances(alternative, root) for alternative in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if isinstance(schema.get("type"), list):
        return st.one_of([instances(schema | {"type": kind}, root) for kind in schema["type"]])
    return {
        "string": st.text(max_size=2),
        "integer": st.integers(schema.get("minimum"), 9),
        "number": st.sampled_from([0, 0.5, 1]),
        "null": st.none(),
        "array": st.deferred(lambda: st.lists(instances(schema.get("items", {}), root), max_size=2)),
        "object": st.deferred(lambda: objects(schema, root)),
        None: st.sampled_from(["a", 1, None]),
        "uuid": st.uuids().map(str),
        "date": st.dates().map(str),
    }[schema.get("format") or schema.get("type")]


def objects(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    fields = {name: instances(field, root) for name, field in schema.get("properties", {}).items()}
    required = {name: strategy for name, strategy in fields.items() if name in schema.get("required", ())}
    own = st.fixed_dictionaries(required, optional={name: fields[name] for name in fields.keys() - required.keys()})
    if not (others := schema.get("additionalProperties", False)):
        return own
    values = instances({} if others is True else others, root)
    more = st.dictionaries(st.sampled_from(["p", "q"]), values)
    return st.tuples(more, own).map(lambda both: {k: v for k, v in both[0].items() if k not in fields} | both[1])


QUICK = settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
SEARCH = settings(max_examples=500, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)


def refused_by(reader: Schema, written: Schema) -> Callable[[Any], bool]:
    """Whether a reader refuses a message that its writer may send."""
    readers_own, theirs = (
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER) for schema in (reader, written)
    )

    def is_refused(message: Any) -> bool:
        assert theirs.is_valid(message)
        return not readers_own.is_valid(message)

    return is_refused


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_validator_refuses_messages_for_these_readers_and_for_no_others(change: Change) -> None:
    old, new = record(change.old), record(change.new)
    for reader, schema, written in (("older", old, new), ("newer", new, old)):
        messages, refused = instances(written, written), refused_by(schema, written)
        if reader in set(change.broken) - set(change.hidden):
            find(messages, refused, settings=SEARCH)
        else:
            with pytest.raises(NoSuchExample):
                find(messages, refused, settings=settings(SEARCH, max_examples=25))


FIELDS: list[Field] = [
    None,
    *(
        wrap(field)
        for wrap in (dict, Optional)
        for field in (
            STRING,
            INTEGER,
            UUID,
            enum("a"),
            enum("a", "b"),
            nullable(enum("a")),
            nullable(STRING),
            array(STRING),
        )
    ),
]


@QUICK
@given(
    draws=st.data(), old=st.sampled_from(FIELDS), new=st.sampled_from(FIELDS), deep=st.sampled_from([*DEPTHS.values()])
)
def test_what_is_judged_compatible_validates_both_ways(
    draws: st.DataObject, old: Field, new: Field, deep: Callable[[Schema], Schema]
) -> None:
    older, newer = deep(record(old)), deep(record(new))
    broken = {each_break.reader for each_break in find_schema_breaks(older, newer)}
    for reader, schema, written in (("older", older, newer), ("newer", newer, older)):
        if reader not in broken:
            assert not refused_by(schema, written)(draws.draw(instances(written, written)))


def test_a_field_may_have_the_name_of_a_keyword() -> None:
    old = {"type": "object", "properties": {"title": STRING, "$defs": STRING}, "required": ["title", "$defs"]}
    new = {"type": "object", "properties": {"title": INTEGER}, "required": ["title"]}
    assert {each_break.where for each_break in find_schema_breaks(old, new) if each_break.reader == "older"} == {
        "title",
        "$defs",
    }


def test_a_definition_may_have_another_name() -> None:
    old = record({"$ref": "#/$defs/A"}) | {"$defs": {"A": record(STRING)}}
    new = record({"$ref": "#/$defs/B"}) | {"$defs": {"A": STRING, "B": record(STRING)}}
    assert find_schema_breaks(old, new) == []


def test_what_contains_itself_is_not_judged() -> None:
    endless = {"$ref": "#/$defs/A", "$defs": {"A": record(array({"$ref": "#/$defs/A"}))}}
    with pytest.raises(RecursiveSchema):
        find_schema_breaks(endless, endless)


def test_a_type_may_come_and_none_may_go() -> None:
    released = {"goodstanding.a.B.v1": record(STRING), "goodstanding.a.C.v1": record(STRING)}
    assert (
        find_breaks_by_type(
            released, released | {"goodstanding.a.B.v2": record(INTEGER), "goodstanding.a.D.v1": STRING}
        )
        == {}
    )
    breaks_by_type = find_breaks_by_type(
        released, {"goodstanding.a.B.v2": record(INTEGER), "goodstanding.a.C.v1": record(None)}
    )
    assert {name: [str(each_break) for each_break in some] for name, some in breaks_by_type.items()} == {
        "goodstanding.a.B.v1": ["goodstanding.a.B.v1: the type is gone, for a reader of the older schema"],
        "goodstanding.a.C.v1": ["x: may be missing, for a reader of the older schema"],
    }
