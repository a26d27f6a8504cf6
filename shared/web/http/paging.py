"""Lists come in pages; a cursor is one that a list gave out."""

import base64
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeVar, get_args
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from shared.pure.errors import Refusal
from shared.pure.fields import get_model_example, set_model_example
from shared.web.http.row_answers import Fields, write_json_answer

T = TypeVar("T")
K = TypeVar("K")

_OF_THE_PAGE = frozenset({"after", "limit"})
_MARK_DIGITS = 16


def _of_one(schema: dict[str, Any], page: type[BaseModel]) -> None:
    """Show a page of one item, as the page of its model shows it."""
    (item,) = get_args(page.model_fields["items"].annotation)
    schema |= set_model_example(items=[get_model_example(item)], next=None)["json_schema_extra"]  # type: ignore[arg-type]


class Page(BaseModel, Generic[T]):
    """A page of a list; `next` is the cursor of the following one, or null at the end."""

    model_config = ConfigDict(json_schema_extra=_of_one)

    items: list[T]
    next: str | None


class PageCursorRefused(Refusal):
    """The cursor is not one that this list gave out."""

    code = "bad_cursor"
    status = 422


class KeysetPaging(Generic[K]):
    """Paging in the order of a key: rows after the last one seen, in the list that the caller began with."""

    write_key: Callable[[K], str]

    def __init__(self, limit: int, after: K | None, mark: str) -> None:
        self.limit = limit
        self.after = after
        """The key of the last row of the page before, or None for the first page."""
        self._mark = mark

    def page(self, items: Sequence[T], key: Callable[[T], K]) -> Page[T]:
        """Build the page of `items`, of which one more than `limit` was read if there are more."""
        return Page(items=list(items[: self.limit]), next=self._find_next(items, key))

    def answer(self, items: Sequence[Fields], key: Callable[[Fields], K]) -> Response:
        """Write the page of `items` as `page` builds it, without a model of each."""
        return write_json_answer({"items": items[: self.limit], "next": self._find_next(items, key)})

    def _find_next(self, items: Sequence[T], key: Callable[[T], K]) -> str | None:
        if len(items) <= self.limit:
            return None
        return _write_cursor(type(self).write_key(key(items[self.limit - 1])), self._mark)


class PagingById(KeysetPaging[UUID]):
    """Paging in the order of ids."""

    write_key = staticmethod(str)

    def get_last_id(self) -> UUID | None:
        """The id of the last row of the page before, or None for the first page."""
        return self.after


class PagingByText(KeysetPaging[str]):
    """Paging in the order of a key that is a text of codes."""

    write_key = staticmethod("text:{}".format)


_CURSOR = re.compile(f"(.+) ([0-9a-f]{{{_MARK_DIGITS}}})")
_TEXT_KEY = re.compile("text:([A-Za-z0-9._/-]{1,100})")


def _mark_list(request: Request) -> str:
    """Mark a list by its path and by what is asked of it, but for the page: a cursor is of this list only."""
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _OF_THE_PAGE)
    return sha256(repr((request.scope["path"], asked)).encode()).hexdigest()[:_MARK_DIGITS]


def _write_cursor(key: str, mark: str) -> str:
    return base64.urlsafe_b64encode(f"{key} {mark}".encode()).decode()


def _read_cursor(cursor: str, mark: str) -> str:
    """Read the key in a cursor; what is read must come out the same. Raises PageCursorRefused."""
    try:
        parts = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor).decode())
    except ValueError as error:
        raise PageCursorRefused("`after` is not a cursor of this list") from error
    if parts is None or _write_cursor(parts[1], parts[2]) != cursor:
        raise PageCursorRefused("`after` is not a cursor of this list")
    if parts[2] != mark:
        raise PageCursorRefused(
            "`after` is a cursor of another list, or of this one with other parameters: begin without it"
        )
    return parts[1]


def _parse_text_key(key: str) -> str:
    text = _TEXT_KEY.fullmatch(key)
    if text is None:
        raise PageCursorRefused("`after` is not a cursor of this list")
    return text[1]


def _parse_id(key: str) -> UUID:
    """Parse an id, which must be written as it is written here. Raises PageCursorRefused."""
    try:
        id_ = UUID(key)
    except ValueError as error:
        raise PageCursorRefused("`after` is not a cursor of this list") from error
    if str(id_) != key:
        raise PageCursorRefused("`after` is not a cursor of this list")
    return id_


_Limit = Annotated[int, Query(ge=1, le=500, description="items on a page")]
_After = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before, with all other parameters as they were")
]


async def _paging(request: Request, limit: _Limit = 100, after: _After = None) -> PagingById:
    mark = _mark_list(request)
    return PagingById(limit, None if after is None else _parse_id(_read_cursor(after, mark)), mark)


async def _text_paging(request: Request, limit: _Limit = 100, after: _After = None) -> PagingByText:
    mark = _mark_list(request)
    return PagingByText(limit, None if after is None else _parse_text_key(_read_cursor(after, mark)), mark)


Paging = Annotated[PagingById, Depends(_paging)]
"""The parameter of a route that lists. A coroutine, since a plain callable would cost a thread."""
TextPaging = Annotated[PagingByText, Depends(_text_paging)]
"""The parameter of a route that lists in the order of codes."""
