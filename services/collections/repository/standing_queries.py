"""Rows that a standing shows beside its evaluations: what was sent, what was suspended, and the events behind it."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def get_account_copy(unit: Unit, account_id: UUID) -> asyncpg.Record:
    """The account as collections knows it. Raises NotFound."""
    row = await unit.connection.fetchrow("SELECT account_id, time_zone FROM accounts WHERE account_id = $1", account_id)
    if row is None:
        raise NotFound(f"collections knows no account {account_id}")
    return row


async def list_account_suspensions(unit: Unit, account_id: UUID) -> list[asyncpg.Record]:
    """The suspensions of an account, newest first."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        "SELECT s.id, s.subscription_id, s.state, s.policy_version, s.step, s.requested_at, s.effective_at, s.ended_at,"
        " s.ended_because, s.vendor_bills_on, s.vendor_refusal,"
        " (SELECT max(r.until) FROM releases r WHERE r.suspension_id = s.id) AS released_until,"
        " array_agg(c.invoice_id ORDER BY c.invoice_id) AS invoice_ids"
        " FROM suspensions s JOIN suspension_causes c ON c.suspension_id = s.id"
        " WHERE s.account_id = $1 GROUP BY s.id ORDER BY s.id DESC LIMIT 50",
        account_id,
    )


async def list_dunning_cases(unit: Unit, account_id: UUID) -> list[asyncpg.Record]:
    """The dunning cases of an account, newest first."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        "SELECT id, opened_at, closed_at, stage FROM cases WHERE account_id = $1 ORDER BY id DESC LIMIT 50", account_id
    )


async def list_step_deferrals(unit: Unit, account_id: UUID) -> list[asyncpg.Record]:
    """The steps that are due and wait."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        "SELECT invoice_id, step, cause, until, since FROM deferrals WHERE account_id = $1 ORDER BY invoice_id",
        account_id,
    )


async def list_fact_events(unit: Unit, invoice_ids: Sequence[UUID]) -> dict[UUID, list[asyncpg.Record]]:
    """The balances and overdue judgements behind each item, with the ids of the events that told them."""
    rows = await unit.connection.fetch(
        "SELECT invoice_id, sequence, at, 'balance' AS fact, event_id FROM balances WHERE invoice_id = ANY($1::uuid[])"
        " UNION ALL"
        " SELECT invoice_id, sequence, judged_at, 'overdue', event_id FROM overdues WHERE invoice_id = ANY($1::uuid[])"
        " ORDER BY sequence, fact",
        list(invoice_ids),
    )
    by_invoice: dict[UUID, list[asyncpg.Record]] = {}
    for row in rows:
        by_invoice.setdefault(row["invoice_id"], []).append(row)
    return by_invoice
