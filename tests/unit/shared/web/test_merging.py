"""A merge patch has each field of the whole, and none more; null is taken where the whole may be empty."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, create_model

from shared.pure.fields import Country, Name, RequestBody
from shared.web.merge_patches import create_patch_model, is_emptied_by_null, merge_patch


class Whole(RequestBody):
    """Something with a field of each kind."""

    name: Name
    days: int = Field(ge=0, le=365, strict=True)
    country: Country | None = None
    kind: Literal["a", "b"] = "a"
    codes: list[Annotated[str, Field(max_length=3)]] = Field(default=["x"], max_length=2)


PATCH = create_patch_model(Whole)


@pytest.mark.parametrize(
    ("sent", "merged"),
    [
        ({}, {}),
        ({"name": " A "}, {"name": "A"}),
        ({"days": 7, "kind": "b"}, {"days": 7, "kind": "b"}),
        ({"country": None}, {"country": None}),
        ({"country": "DE"}, {"country": "DE"}),
        ({"codes": None}, {"codes": []}),
        ({"codes": []}, {"codes": []}),
        ({"codes": ["y"]}, {"codes": ["y"]}),
    ],
)
def test_what_is_set(sent: dict[str, Any], merged: dict[str, Any]) -> None:
    assert merge_patch(Whole, PATCH.model_validate(sent)) == merged


@pytest.mark.parametrize(
    "sent",
    [
        {"name": None},
        {"name": ""},
        {"days": None},
        {"days": "7"},
        {"days": 366},
        {"kind": None},
        {"kind": "c"},
        {"country": "XX"},
        {"codes": ["long"]},
        {"codes": ["a", "b", "c"]},
        {"codes": [None]},
        {"more": 1},
    ],
)
def test_what_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PATCH.model_validate(sent)


def test_its_schema_needs_nothing_and_names_no_defaults() -> None:
    schema = PATCH.model_json_schema()
    assert (schema["properties"].keys(), schema.get("required")) == (Whole.model_fields.keys(), None)
    assert not [name for name, field in schema["properties"].items() if "default" in field]


def test_a_new_field_is_in_it() -> None:
    wider = create_model("Wider", __base__=Whole, colour=(str | None, None))
    assert merge_patch(wider, create_patch_model(wider).model_validate({"colour": None})) == {"colour": None}
    assert {name for name, field in wider.model_fields.items() if is_emptied_by_null(field)} == {
        "country",
        "codes",
        "colour",
    }
