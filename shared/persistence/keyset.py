"""Pages of tables, in the order of ids: keyset paging, as lists over REST want it."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import SQLModel, select

from shared.persistence.database import Unit

R = TypeVar("R", bound=SQLModel)


async def list_rows_after(
    unit: Unit, row: type[R], after: UUID | None, limit: int, *conditions: ColumnElement[bool], **only: object
) -> Sequence[R]:
    """List rows in the order of their ids, after this one, for which these conditions hold.

    Only those whose columns have the values of `only` (None: any).
    """
    table = cast(Any, row)
    query = select(row).where(*conditions).order_by(table.id).limit(limit)
    for name, value in only.items():
        if value is not None:
            query = query.where(getattr(table, name) == value)
    if after is not None:
        query = query.where(table.id > after)
    return (await unit.session.exec(query)).all()
