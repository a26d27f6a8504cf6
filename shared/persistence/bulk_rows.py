"""Rows as statements take them: the columns, numbers and types of their parameters come from a NamedTuple's fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

Integer = Annotated[int, "int"]
"""A field for a column of 32 bits; a plain `int` is one of 64."""
Jsonb = Annotated[str, "jsonb"]
"""A field that is JSON, as text."""

_POSTGRES_TYPES = {
    UUID: "uuid",
    str: "text",
    int: "bigint",
    bool: "bool",
    bytes: "bytea",
    date: "date",
    datetime: "timestamptz",
}
R = TypeVar("R", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class RowParameters(Generic[R]):
    """Parameters of a statement that carry rows of a NamedTuple: one for each field, numbered from `first` on.

    As `values` they are the fields of a single row; as `arrays`, for `unnest`, the columns of many.
    """

    kind: type[R]
    first: int = 1

    @property
    def columns(self) -> str:
        """Names of the columns."""
        return ", ".join(self._hints)

    @property
    def values(self) -> str:
        """Placeholders of a single row."""
        return ", ".join(f"${number}" for number in self._numbers)

    @property
    def typed_arrays(self) -> str:
        """Placeholders of the columns of many rows, each with its type."""
        types = map(_find_postgres_type, self._hints.values())
        return ", ".join(f"${number}::{type_}[]" for number, type_ in zip(self._numbers, types, strict=True))

    @property
    def next(self) -> int:
        """Number of the parameter that follows."""
        return self.first + len(self._hints)

    def __getitem__(self, column: str) -> str:
        """Return the placeholder of a column."""
        return f"${self.first + list(self._hints).index(column)}"

    def pick_row(self, source: object) -> R:
        """Build a row from the attributes that an object, such as a mapped row, has under the names of the columns."""
        kind = cast(Any, self.kind)
        return kind(*(getattr(source, name) for name in kind._fields))  # type: ignore[no-any-return]

    def split_columns(self, rows: Iterable[R]) -> list[tuple[object, ...]]:
        """Split rows into the values of `arrays`."""
        return split_into_columns(rows, len(self.kind._fields))  # type: ignore[attr-defined]

    @property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.kind, include_extras=True)

    @property
    def _numbers(self) -> range:
        return range(self.first, self.next)


def _find_postgres_type(hint: Any) -> str:
    """Find the type of a field's column. Raises KeyError for a type that no column has."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    (kind,) = (part for part in parts if part is not NoneType)
    if get_origin(kind) is Annotated:
        return cast(str, get_args(kind)[1])
    return _POSTGRES_TYPES[type(get_args(kind)[0]) if get_origin(kind) is Literal else kind]


def split_into_columns(rows: Iterable[Iterable[object]], width: int) -> list[tuple[object, ...]]:
    """Split rows into columns, for `unnest`; into `width` empty ones if there is no row."""
    return list(zip(*rows, strict=True)) or [()] * width
