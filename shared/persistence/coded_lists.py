"""Lists that people keep by a code of their own: a row is changed in its place, and what has its code keeps it."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sqlmodel import SQLModel, select

from shared.persistence.database import Unit

R = TypeVar("R", bound=SQLModel)


async def list_coded_rows(unit: Unit, row: type[R]) -> Sequence[R]:
    """List all rows by their codes."""
    return (await unit.session.exec(select(row).order_by(cast(Any, row).code))).all()


async def find_coded_row(unit: Unit, row: type[R], code: str) -> R | None:
    """Find the row of a code as it is now."""
    return await unit.session.get(row, code, populate_existing=True)


async def put_coded_row(unit: Unit, row: R) -> dict[str, Any] | None:
    """Write a row, new or changed; return the values of the one that it replaces."""
    former = await find_coded_row(unit, type(row), cast(Any, row).code)
    before = former.model_dump() if former else None
    await unit.session.merge(row)
    await unit.session.flush()
    return before
