"""The facts of accounts with their times, as they are loaded for a judgement."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.collections.domain.dunning_item import (
    Balance,
    Effect,
    ItemFacts,
    LineBalance,
    Overdue,
    Promise,
    Release,
    TakenStep,
)
from services.collections.repository.suspension_queries import SuspensionRecord, list_standing_suspensions
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

T = TypeVar("T")


@dataclass(slots=True)
class DunningFacts:
    """Everything about one account that a judgement needs."""

    account_id: UUID
    zone: ZoneInfo
    items: list[ItemFacts] = field(default_factory=list)
    suspensions: list[SuspensionRecord] = field(default_factory=list)
    case_id: UUID | None = None
    stage: str | None = None
    oldest_due_date: date | None = None
    """Due date of the oldest overdue invoice of its open case, as it was last saved."""
    deferrals: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    """By invoice: the step that waits and what for, as it was last said."""


class DunningItemKey(NamedTuple):
    """Account of an invoice with its zone, and the instant at which it was recorded, which choose its policy."""

    account_id: UUID
    recorded_at: datetime
    zone: ZoneInfo


_ACCOUNTS = """
SELECT a.account_id, a.time_zone, c.id AS case_id, c.stage, c.oldest_due_date
FROM accounts a LEFT JOIN cases c ON c.account_id = a.account_id AND c.closed_at IS NULL
WHERE a.account_id = ANY($1::uuid[])
"""
_DEFERRALS = "SELECT account_id, invoice_id, step, cause FROM deferrals WHERE account_id = ANY($1::uuid[])"
_ITEMS = """
SELECT invoice_id, account_id, number, currency, due_date, recorded_at FROM items
WHERE account_id = ANY($1::uuid[]) AND (open_minor > 0 OR due_at IS NOT NULL) OR invoice_id = ANY($2::uuid[])
ORDER BY number
"""
_BALANCES = "SELECT invoice_id, sequence, at, lines FROM balances WHERE invoice_id = ANY($1::uuid[])"
_OVERDUES = "SELECT invoice_id, sequence, judged_at FROM overdues WHERE invoice_id = ANY($1::uuid[])"
_PROMISES = """
SELECT invoice_id, amount_minor, active_from, active_until FROM promises WHERE invoice_id = ANY($1::uuid[])
"""
_STEPS = """
SELECT s.invoice_id, s.step, s.round, s.taken_at, s.outcome, s.replaced_by, n.state, n.delivered_at
FROM steps_taken s LEFT JOIN notices n ON n.id = s.notice_id WHERE s.invoice_id = ANY($1::uuid[])
"""
_SUSPENSIONS = """
SELECT c.invoice_id, s.step, c.round, c.caused_at, CASE WHEN c.ended_at IS NOT NULL THEN 'over'
    WHEN s.state = 'requested' THEN 'awaited' WHEN s.state = 'effective' THEN 'in_effect' ELSE 'over' END AS effect
FROM suspension_causes c JOIN suspensions s ON s.id = c.suspension_id
WHERE s.state <> 'withdrawn' AND c.invoice_id = ANY($1::uuid[])
"""
_RELEASES = "SELECT invoice_id, released_at, until FROM releases WHERE invoice_id = ANY($1::uuid[])"


async def load_account_facts(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, DunningFacts]:
    """Load the facts of accounts that are known, with items that are open, to be judged, or cause a suspension."""
    rows = await unit.connection.fetch(_ACCOUNTS, account_ids)
    accounts = {
        row["account_id"]: DunningFacts(
            row["account_id"],
            ZoneInfo(row["time_zone"]),
            case_id=row["case_id"],
            stage=row["stage"],
            oldest_due_date=row["oldest_due_date"],
        )
        for row in rows
    }
    for suspension in await list_standing_suspensions(unit, list(accounts)):
        accounts[suspension.account_id].suspensions.append(suspension)
    for row in await unit.connection.fetch(_DEFERRALS, list(accounts)):
        accounts[row["account_id"]].deferrals[row["invoice_id"]] = (row["step"], row["cause"])
    await _add_items(unit, accounts)
    return accounts


async def _add_items(unit: Unit, accounts: Mapping[UUID, DunningFacts]) -> None:
    waiting = {invoice_id for account_facts in accounts.values() for invoice_id in account_facts.deferrals}
    causes = {
        cause
        for account_facts in accounts.values()
        for suspension in account_facts.suspensions
        for cause in suspension.causes
    }
    rows = await unit.connection.fetch(_ITEMS, list(accounts), list(waiting | causes))
    ids = [row["invoice_id"] for row in rows]
    if not ids:
        return
    balances = await _group_by_item(unit, _BALANCES, _balance, ids)
    overdues = await _group_by_item(unit, _OVERDUES, _overdue, ids)
    promises = await _group_by_item(unit, _PROMISES, _promise, ids)
    steps = await _group_by_item(unit, _STEPS, _step, ids)
    suspensions = await _group_by_item(unit, _SUSPENSIONS, _suspension_step, ids)
    releases = await _group_by_item(unit, _RELEASES, _release, ids)
    for row in rows:
        account, id_ = accounts[row["account_id"]], row["invoice_id"]
        account.items.append(
            ItemFacts(
                invoice_id=id_,
                number=row["number"],
                due_date=row["due_date"],
                currency=row["currency"],
                zone=account.zone,
                recorded_at=row["recorded_at"],
                balances=balances.get(id_, ()),
                overdue=overdues.get(id_, ()),
                promises=promises.get(id_, ()),
                taken=steps.get(id_, ()) + suspensions.get(id_, ()),
                releases=releases.get(id_, ()),
            )
        )


async def _group_by_item(
    unit: Unit, query: str, made: Callable[[asyncpg.Record], T], ids: Sequence[UUID]
) -> dict[UUID, tuple[T, ...]]:
    """Group the rows of a query by item."""
    parts: dict[UUID, tuple[T, ...]] = {}
    for row in await unit.connection.fetch(query, ids):
        parts[row["invoice_id"]] = (*parts.get(row["invoice_id"], ()), made(row))
    return parts


def _balance(row: asyncpg.Record) -> Balance:
    return Balance(row["sequence"], row["at"], _lines(row["lines"]))


def _overdue(row: asyncpg.Record) -> Overdue:
    return Overdue(row["sequence"], row["judged_at"])


def _promise(row: asyncpg.Record) -> Promise:
    return Promise(row["amount_minor"], row["active_from"], row["active_until"])


def _step(row: asyncpg.Record) -> TakenStep:
    outcome = {"notice": row["state"], "requested": "requested"}.get(row["outcome"], "skipped")
    effect: Effect = "over" if outcome == "requested" else "in_effect"  # a suspension that never happened
    times = (row["taken_at"], outcome, row["delivered_at"], row["replaced_by"])
    return TakenStep(row["step"], row["round"], *times, effect)


def _suspension_step(row: asyncpg.Record) -> TakenStep:
    return TakenStep(row["step"], row["round"], row["caused_at"], "requested", effect=row["effect"])


def _release(row: asyncpg.Record) -> Release:
    return Release(row["released_at"], row["until"])


def _lines(lines: list[dict[str, Any]]) -> tuple[LineBalance, ...]:
    return tuple(
        LineBalance(
            line["line"],
            UUID(line["subscription_id"]) if line["subscription_id"] else None,
            line["open_minor"],
            line["disputed_minor"],
            line["in_flight_minor"],
            line["written_off_minor"],
        )
        for line in lines
    )


async def get_dunning_item_key(unit: Unit, invoice_id: UUID) -> DunningItemKey:
    """Get of an invoice whose it is and since when it is recorded. Raises NotFound."""
    row = await unit.connection.fetchrow(
        "SELECT account_id, recorded_at, time_zone FROM items JOIN accounts USING (account_id) WHERE invoice_id = $1",
        invoice_id,
    )
    if row is None:
        raise NotFound(f"collections knows no invoice {invoice_id}")
    return DunningItemKey(row["account_id"], row["recorded_at"], ZoneInfo(row["time_zone"]))


async def list_open_invoice_ids(unit: Unit, account_id: UUID) -> list[UUID]:
    """The invoices of an account that have something open, as far as is known here."""
    rows = await unit.connection.fetch(
        "SELECT invoice_id FROM items WHERE account_id = $1 AND open_minor > 0 ORDER BY number", account_id
    )
    return [row["invoice_id"] for row in rows]


async def save_next_evaluation_times(unit: Unit, due: Iterable[tuple[UUID, datetime | None]]) -> None:
    """When each item must be judged next."""
    await unit.connection.execute(
        "UPDATE items SET due_at = n.due_at FROM unnest($1::uuid[], $2::timestamptz[]) AS n (invoice_id, due_at)"
        " WHERE items.invoice_id = n.invoice_id AND items.due_at IS DISTINCT FROM n.due_at",
        *split_into_columns(due, 2),
    )
    unit.wake_after_commit("sweeps")
