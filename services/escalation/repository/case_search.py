"""Cases by what people ask for: lists, counts and words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.escalation.domain.cases import WAITING_SIDES
from services.escalation.repository.case_queries import SHOWN, SHOWN_COLUMNS
from shared.persistence.database import Unit
from shared.pure.errors import Refusal

SEARCH_SECONDS = 5.0
"""How long a search for words may take the database."""
MAX_HITS = 1000
"""How many cases with the words are ranked: the newest ones."""


class CaseSearchTooWide(Refusal):
    """So much has these words that finding the cases takes too long."""

    code = "search_too_wide"
    status = 422


@dataclass(frozen=True, slots=True)
class CaseCriteria:
    """Criteria of the cases that are wanted; None is any. `waiting_for` is the side that acts next."""

    account_id: UUID | None = None
    number: int | None = None
    state: str | None = None
    kind: str | None = None
    severity: str | None = None
    queue: str | None = None
    assignee: str | None = None
    is_assigned: bool | None = None
    waiting_for: str | None = None
    product: str | None = None
    linked_to: UUID | None = None
    due_before: datetime | None = None
    has_unread: bool | None = None
    inform_before: datetime | None = None

    def build_case_condition(self, arguments: list[Any]) -> str:
        """Build the condition, which names only what is asked for; its values are added to the arguments."""
        clauses = ["true"]

        def add(clause: str, value: Any) -> None:
            if value is not None:
                arguments.append(value)
                clauses.append(clause.format(f"${len(arguments)}"))

        for column in ("account_id", "number", "state", "kind", "severity", "queue", "assignee", "product"):
            add(f"c.{column} = {{}}", getattr(self, column))
        if self.waiting_for is not None:
            states = sorted(state for state, side in WAITING_SIDES.items() if side == self.waiting_for)
            add("c.state = ANY ({})", states)
        if self.is_assigned is not None:
            clauses.append(f"c.assignee IS {'NOT ' if self.is_assigned else ''}NULL")
        if self.has_unread is not None:
            clauses.append("c.unread_answers > 0" if self.has_unread else "c.unread_answers = 0")
        add("EXISTS (SELECT FROM case_links l WHERE l.case_id = c.id AND l.target_id = {})", self.linked_to)
        add("c.next_deadline_at < {}", self.due_before)
        add("c.inform_by < {}", self.inform_before)
        return " AND ".join(clauses)


def build_case_list_query(criteria: CaseCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of ids, and its arguments."""
    arguments: list[Any] = []
    where = criteria.build_case_condition(arguments)
    if after is not None:
        arguments.append(after)
        where = f"{where} AND c.id > ${len(arguments)}"
    arguments.append(limit)
    return f"SELECT {SHOWN} FROM cases c WHERE {where} ORDER BY c.id LIMIT ${len(arguments)}", arguments


async def list_cases(unit: Unit, criteria: CaseCriteria, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """List cases in the order of their ids, after this one."""
    query, arguments = build_case_list_query(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def list_cases_by_deadline(
    unit: Unit, criteria: CaseCriteria, after: tuple[datetime, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """List the cases that owe the customer an answer, the most urgent first, after this one."""
    arguments: list[Any] = []
    where = f"{criteria.build_case_condition(arguments)} AND c.next_deadline_at IS NOT NULL"
    if after is not None:
        arguments += after
        where = f"{where} AND (c.next_deadline_at, c.id) > (${len(arguments) - 1}, ${len(arguments)})"
    arguments.append(limit)
    query = f"SELECT {SHOWN} FROM cases c WHERE {where} ORDER BY c.next_deadline_at, c.id LIMIT ${len(arguments)}"
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def list_open_cases(unit: Unit, account_id: UUID, limit: int) -> list[asyncpg.Record]:
    """List the cases of an account on which somebody is to act, the newest first."""
    query = f"""
        SELECT {SHOWN} FROM cases c WHERE account_id = $1 AND (state = ANY ($2) OR unread_answers > 0)
        ORDER BY id DESC LIMIT $3
    """
    return await unit.connection.fetch(query, account_id, sorted(WAITING_SIDES), limit)  # type: ignore[no-any-return]


async def count_cases(unit: Unit, criteria: CaseCriteria) -> list[asyncpg.Record]:
    """Count cases by queue and state."""
    arguments: list[Any] = []
    where = criteria.build_case_condition(arguments)
    query = f"SELECT queue, state, count(*) AS cases FROM cases c WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2"
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def search_cases(unit: Unit, words: str, criteria: CaseCriteria, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Find the cases that have all words in their subject and description or in one of their entries.

    The best first; whether all that have the words were ranked, and not only the newest of them. Raises
    CaseSearchTooWide, which running it again does not help.
    """
    arguments: list[Any] = [words, MAX_HITS + 1]
    where = criteria.build_case_condition(arguments)
    joined = "" if criteria == CaseCriteria() else f"JOIN cases c ON c.id = w.case_id AND {where}"
    arguments.append(limit)
    asked = "websearch_to_tsquery('simple', $1)"
    query = f"""
        WITH hits AS MATERIALIZED (
            SELECT w.case_id, max(ts_rank(w.words, {asked})) AS rank FROM case_words w {joined}
            WHERE w.words @@ {asked} GROUP BY w.case_id ORDER BY w.case_id DESC LIMIT $2
        ), ranked AS MATERIALIZED (
            SELECT case_id, rank FROM hits ORDER BY rank DESC, case_id DESC LIMIT ${len(arguments)}
        )
        SELECT {SHOWN}, (SELECT count(*) FROM hits) AS hit_count
        FROM ranked r JOIN cases c ON c.id = r.case_id ORDER BY r.rank DESC, c.id DESC
    """
    try:
        # prepared each time, since how rare the words are decides which index serves
        statement = await unit.connection.prepare(query, timeout=SEARCH_SECONDS)
        rows = await statement.fetch(*arguments, timeout=SEARCH_SECONDS)
    except TimeoutError as error:
        raise CaseSearchTooWide(
            "too much has these words: give other ones, or more of them; a phrase takes most"
        ) from error
    is_complete = not rows or rows[0]["hit_count"] <= MAX_HITS
    return [{name: row[name] for name in SHOWN_COLUMNS} for row in rows], is_complete
