"""Lists come in pages; a cursor is one that a list gave out."""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar, get_args
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from shared.errors import Refusal
from shared.fields import example, shown

T = TypeVar("T")
K = TypeVar("K")


def _of_one(schema: dict[str, Any], page: type[BaseModel]) -> None:
    """Show a page of one item, as the page of its model shows it."""
    (item,) = get_args(page.model_fields["items"].annotation)
    schema |= example(items=[shown(item)], next=None)["json_schema_extra"]  # type: ignore[arg-type]


class Page(BaseModel, Generic[T]):
    """A page of a list; `next` is the cursor of the following one, or null at the end."""

    model_config = ConfigDict(json_schema_extra=_of_one)

    items: list[T]
    next: str | None


class BadCursor(Refusal):
    """The cursor is not one that this list gave out."""

    code = "bad_cursor"
    status = 422


class KeysetPaging(Generic[K]):
    """Paging in the order of a key: rows after the last one seen."""

    make_cursor: Callable[[K], str]

    def __init__(self, limit: int, after: K | None) -> None:
        self.limit = limit
        self.after = after
        """The key of the last row of the page before, or None for the first page."""

    def page(self, items: Sequence[T], key: Callable[[T], K]) -> Page[T]:
        """Build the page of `items`, of which one more than `limit` was read if there are more."""
        shown = list(items[: self.limit])
        more = len(items) > self.limit
        return Page(items=shown, next=type(self).make_cursor(key(shown[-1])) if more else None)


def _cursor(key: UUID) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode()


class PageOf(KeysetPaging[UUID]):
    """Paging in the order of ids."""

    make_cursor = staticmethod(_cursor)

    def after_id(self) -> UUID | None:
        """The id of the last row of the page before, or None for the first page."""
        return self.after


_TEXT_CURSOR = re.compile("text:([A-Za-z0-9._/-]{1,100})")


def _text_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(f"text:{key}".encode()).decode()


class PageOfTexts(KeysetPaging[str]):
    """Paging in the order of a key that is a text of codes."""

    make_cursor = staticmethod(_text_cursor)


def _parse_text_cursor(cursor: str) -> str:
    """Parse the text in a cursor; what is read must come out the same. Raises BadCursor."""
    try:
        text = _TEXT_CURSOR.fullmatch(base64.urlsafe_b64decode(cursor).decode())
    except ValueError as error:
        raise BadCursor("`after` is not a cursor of this list") from error
    if text is None or _text_cursor(text[1]) != cursor:
        raise BadCursor("`after` is not a cursor of this list")
    return text[1]


def _key(cursor: str) -> UUID:
    """The id in a cursor. Raises BadCursor for one that no list gave out: it is read, and must come out the same."""
    try:
        key = UUID(base64.urlsafe_b64decode(cursor).decode())
    except ValueError as error:
        raise BadCursor("`after` is not a cursor of this list") from error
    if _cursor(key) != cursor:
        raise BadCursor("`after` is not a cursor of this list")
    return key


_Limit = Annotated[int, Query(ge=1, le=500, description="items on a page")]
_After = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]


async def _paging(limit: _Limit = 100, after: _After = None) -> PageOf:
    return PageOf(limit, None if after is None else _key(after))


async def _text_paging(limit: _Limit = 100, after: _After = None) -> PageOfTexts:
    return PageOfTexts(limit, None if after is None else _parse_text_cursor(after))


Paging = Annotated[PageOf, Depends(_paging)]
"""The parameter of a route that lists. A coroutine, since a plain callable would cost a thread."""
TextPaging = Annotated[PageOfTexts, Depends(_text_paging)]
"""The parameter of a route that lists in the order of codes."""
