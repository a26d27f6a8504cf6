"""List queries: the page of a table by what is asked for, in the order of a key."""

from collections.abc import Iterable, Sequence
from typing import Any


def build_list_query(
    select: str,
    conditions: Iterable[tuple[str, Any]],
    order: str,
    limit: int,
    always: Sequence[str] = (),
) -> tuple[str, list[Any]]:
    """Build the query of a page and its arguments; each condition has `{}` for its one value, and None leaves it out.

    It names only what is asked for: a condition that may be switched off is served by no index. The conditions of
    `always` have no value.
    """
    asked = [(condition, value) for condition, value in conditions if value is not None]
    clauses = [*always, *(condition.format(f"${place}") for place, (condition, _) in enumerate(asked, 1))]
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    return f"{select} {where}ORDER BY {order} LIMIT ${len(asked) + 1}", [*(value for _, value in asked), limit]
