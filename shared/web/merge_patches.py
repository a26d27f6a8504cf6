"""Merge patches (RFC 7396): what is left out stays, and null empties what may be empty."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from shared.pure.fields import RequestBody


def create_patch_model(model: type[BaseModel]) -> type[RequestBody]:
    """Create the model of a patch of `model`: each of its fields may be left out, and be null if it may be empty.

    It refuses fields that `model` does not have. What may be empty is what may be null in it, and a list.
    """
    fields: dict[str, Any] = {name: _build_patch_field(field) for name, field in model.model_fields.items()}
    return cast("type[RequestBody]", create_model(f"{model.__name__}Fields", __base__=RequestBody, **fields))


def _build_patch_field(field: FieldInfo) -> tuple[Any, Any]:
    kind: Any = field.annotation
    for constraint in field.metadata:
        kind = Annotated[kind, constraint]
    if _is_list(field):
        kind = kind | None
    # Left out is not the default of the whole: a factory, so that the API page shows none.
    return kind, Field(default_factory=NoneType, description=field.description, examples=field.examples)


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def is_emptied_by_null(field: FieldInfo) -> bool:
    """Say whether null empties a field of the whole."""
    kinds = get_args(field.annotation) if get_origin(field.annotation) in (Union, UnionType) else ()
    return _is_list(field) or NoneType in kinds


def merge_patch(model: type[BaseModel], patch: RequestBody) -> Mapping[str, Any]:
    """Merge a patch of `model`: the fields that it sets, by name; an emptied list is the empty one."""
    fields = patch.model_dump(exclude_unset=True)
    return {
        name: [] if value is None and _is_list(model.model_fields[name]) else value for name, value in fields.items()
    }
