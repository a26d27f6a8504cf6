"""Suspensions and the invoices that cause them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.collections.domain.account_changes import SuspensionMove
from services.collections.domain.suspension import SuspensionState
from services.collections.domain.suspension_record import RecordedSuspensionCause, SuspensionRecord
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound

_SUSPENSIONS = (
    "SELECT id, account_id, subscription_id, state, policy_version, step, requested_at, effective_at FROM suspensions"
)

_LISTED = """
SELECT id, account_id, subscription_id, state, policy_version, step, requested_at, effective_at, ended_at,
    vendor_bills_on, vendor_refusal, ARRAY(SELECT c.invoice_id FROM suspension_causes c
        WHERE c.suspension_id = suspensions.id AND c.ended_at IS NULL ORDER BY c.invoice_id) AS invoice_ids
FROM suspensions
"""
_CAUSES = """
SELECT c.suspension_id, c.invoice_id, i.number, c.round, c.dunnable_minor, c.currency
FROM suspension_causes c JOIN items i ON i.invoice_id = c.invoice_id
WHERE c.suspension_id = ANY($1::uuid[]) AND c.ended_at IS NULL ORDER BY i.number, c.round
"""


async def list_standing_suspensions(unit: Unit, account_ids: Sequence[UUID]) -> list[SuspensionRecord]:
    """The suspensions of these accounts that are requested or effective."""
    rows = await unit.connection.fetch(
        f"{_SUSPENSIONS} WHERE account_id = ANY($1::uuid[]) AND state IN ('requested', 'effective') ORDER BY id",
        account_ids,
    )
    return await _with_causes(unit, rows)


async def get_suspension(unit: Unit, suspension_id: UUID) -> SuspensionRecord:
    """One suspension, whatever its state. Raises NotFound."""
    rows = await unit.connection.fetch(f"{_SUSPENSIONS} WHERE id = $1", suspension_id)
    if not rows:
        raise NotFound(f"there is no suspension {suspension_id}")
    return (await _with_causes(unit, rows))[0]


@dataclass(frozen=True, slots=True)
class SuspensionCriteria:
    """Criteria of the suspensions that are wanted; None is any."""

    state: SuspensionState | None = None
    account_id: UUID | None = None


def build_suspension_query(criteria: SuspensionCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of ids, and its arguments."""
    conditions = (
        ("state = {}", criteria.state and criteria.state.value),
        ("account_id = {}", criteria.account_id),
        ("id > {}", after),
    )
    return build_list_query(_LISTED, conditions, "id", limit)


async def search_suspensions(
    unit: Unit, criteria: SuspensionCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Find suspensions in the order of their ids, after this one, each with the invoices that it still rests on."""
    query, arguments = build_suspension_query(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def _with_causes(unit: Unit, rows: Sequence[asyncpg.Record]) -> list[SuspensionRecord]:
    causes: dict[UUID, dict[UUID, RecordedSuspensionCause]] = defaultdict(dict)
    for row in await unit.connection.fetch(_CAUSES, [row["id"] for row in rows]) if rows else []:
        causes[row["suspension_id"]][row["invoice_id"]] = RecordedSuspensionCause(*row[1:])
    return [
        SuspensionRecord(**{**row, "state": SuspensionState(row["state"])}, causes=causes[row["id"]]) for row in rows
    ]


_SAVE_STATES = """
UPDATE suspensions s SET state = n.state, ended_because = coalesce(n.reason, s.ended_because),
    effective_at = CASE WHEN n.state = 'effective' THEN n.at ELSE s.effective_at END,
    vendor_refusal = CASE WHEN n.state = 'effective' THEN NULL ELSE s.vendor_refusal END,
    ended_at = CASE WHEN n.state IN ('withdrawn', 'ended') THEN n.at ELSE s.ended_at END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[]) AS n (id, state, at, reason) WHERE s.id = n.id
"""


async def save_suspension_moves(unit: Unit, moves: Iterable[SuspensionMove]) -> None:
    """Save the state in which each suspension is now, since when, and why it ends if it does."""
    waiting = list(moves)
    while waiting:  # one that moves twice does so by two statements
        first = {move.suspension_id: move for move in reversed(waiting)}
        await unit.connection.execute(_SAVE_STATES, *split_into_columns(first.values(), 4))
        waiting = [move for move in waiting if move is not first[move.suspension_id]]


async def save_vendor_refusal(unit: Unit, suspension_id: UUID, code: str) -> None:
    """Note that a requested suspension was refused for good, by the vendor's code; another state knows better."""
    await unit.connection.execute(
        "UPDATE suspensions SET vendor_refusal = $2 WHERE id = $1 AND state = 'requested'", suspension_id, code
    )


async def list_suspensions_at_vendor(unit: Unit, subscription_id: UUID) -> list[SuspensionRecord]:
    """List the suspensions of a subscription that are effective at the vendor, or end there."""
    rows = await unit.connection.fetch(
        f"{_SUSPENSIONS} WHERE subscription_id = $1 AND state IN ('effective', 'ending') ORDER BY id", subscription_id
    )
    return await _with_causes(unit, rows)


async def save_vendor_bills_on(unit: Unit, suspension_id: UUID, bills_on: bool) -> None:
    """Whether the vendor bills on while it is suspended."""
    await unit.connection.execute("UPDATE suspensions SET vendor_bills_on = $2 WHERE id = $1", suspension_id, bills_on)
