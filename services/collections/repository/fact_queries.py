"""The facts of accounts with their times, as they are loaded for a decision."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.collections.domain.dunning_account import AnnouncedDeferral, DunningAccount, OpenDunningCase
from services.collections.domain.dunning_item import (
    Effect,
    ItemBalance,
    ItemFacts,
    LineBalance,
    OverdueJudgement,
    PaymentPromise,
    SuspensionRelease,
    TakenDunningStep,
)
from services.collections.domain.suspension_record import SuspensionRecord
from services.collections.repository.suspension_queries import list_standing_suspensions
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

T = TypeVar("T")


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
_DEFERRALS = """
SELECT account_id, invoice_id, step, cause, until, waits_for FROM deferrals WHERE account_id = ANY($1::uuid[])
"""
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
SELECT c.invoice_id, s.id, s.step, c.round, c.caused_at, CASE WHEN c.ended_at IS NOT NULL THEN 'over'
    WHEN s.state = 'requested' THEN 'awaited' WHEN s.state = 'effective' THEN 'in_effect' ELSE 'over' END AS effect
FROM suspension_causes c JOIN suspensions s ON s.id = c.suspension_id
WHERE s.state <> 'withdrawn' AND c.invoice_id = ANY($1::uuid[])
"""
_RELEASES = "SELECT invoice_id, released_at, until FROM releases WHERE invoice_id = ANY($1::uuid[])"


async def load_dunning_accounts(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, DunningAccount]:
    """Load the facts of accounts that are known, with items that are open, to be judged, or cause a suspension."""
    rows = await unit.connection.fetch(_ACCOUNTS, account_ids)
    known_ids = [row["account_id"] for row in rows]
    suspensions: defaultdict[UUID, list[SuspensionRecord]] = defaultdict(list)
    for suspension in await list_standing_suspensions(unit, known_ids):
        suspensions[suspension.account_id].append(suspension)
    deferrals: defaultdict[UUID, dict[UUID, AnnouncedDeferral]] = defaultdict(dict)
    for row in await unit.connection.fetch(_DEFERRALS, known_ids):
        deferrals[row["account_id"]][row["invoice_id"]] = AnnouncedDeferral(*row[2:])
    zones = {row["account_id"]: ZoneInfo(row["time_zone"]) for row in rows}
    causes = {id_ for records in suspensions.values() for record in records for id_ in record.causes}
    waiting = {invoice_id for deferrals_of_account in deferrals.values() for invoice_id in deferrals_of_account}
    items = await _load_items(unit, zones, causes | waiting)
    return {
        row["account_id"]: DunningAccount(
            row["account_id"],
            zones[row["account_id"]],
            tuple(items[row["account_id"]]),
            tuple(suspensions[row["account_id"]]),
            OpenDunningCase(row["case_id"], row["stage"], row["oldest_due_date"]) if row["case_id"] else None,
            deferrals[row["account_id"]],
        )
        for row in rows
    }


async def _load_items(
    unit: Unit, zones: Mapping[UUID, ZoneInfo], invoice_ids: Collection[UUID]
) -> Mapping[UUID, list[ItemFacts]]:
    """Load by account the items that are open or to be judged, and these."""
    items: defaultdict[UUID, list[ItemFacts]] = defaultdict(list)
    rows = await unit.connection.fetch(_ITEMS, list(zones), list(invoice_ids))
    ids = [row["invoice_id"] for row in rows]
    if not ids:
        return items
    balances = await _group_by_item(unit, _BALANCES, _balance, ids)
    overdues = await _group_by_item(unit, _OVERDUES, _overdue, ids)
    promises = await _group_by_item(unit, _PROMISES, _promise, ids)
    steps = await _group_by_item(unit, _STEPS, _step, ids)
    suspensions = await _group_by_item(unit, _SUSPENSIONS, _suspension_step, ids)
    releases = await _group_by_item(unit, _RELEASES, _release, ids)
    for row in rows:
        id_ = row["invoice_id"]
        items[row["account_id"]].append(
            ItemFacts(
                invoice_id=id_,
                number=row["number"],
                due_date=row["due_date"],
                currency=row["currency"],
                zone=zones[row["account_id"]],
                recorded_at=row["recorded_at"],
                balances=balances.get(id_, ()),
                overdue=overdues.get(id_, ()),
                promises=promises.get(id_, ()),
                taken=steps.get(id_, ()) + suspensions.get(id_, ()),
                releases=releases.get(id_, ()),
            )
        )
    return items


async def _group_by_item(
    unit: Unit, query: str, made: Callable[[asyncpg.Record], T], ids: Sequence[UUID]
) -> dict[UUID, tuple[T, ...]]:
    """Group the rows of a query by item."""
    parts: dict[UUID, tuple[T, ...]] = {}
    for row in await unit.connection.fetch(query, ids):
        parts[row["invoice_id"]] = (*parts.get(row["invoice_id"], ()), made(row))
    return parts


def _balance(row: asyncpg.Record) -> ItemBalance:
    return ItemBalance(row["sequence"], row["at"], _lines(row["lines"]))


def _overdue(row: asyncpg.Record) -> OverdueJudgement:
    return OverdueJudgement(row["sequence"], row["judged_at"])


def _promise(row: asyncpg.Record) -> PaymentPromise:
    return PaymentPromise(row["amount_minor"], row["active_from"], row["active_until"])


def _step(row: asyncpg.Record) -> TakenDunningStep:
    outcome = {"notice": row["state"], "requested": "requested"}.get(row["outcome"], "skipped")
    effect: Effect = "over" if outcome == "requested" else "in_effect"  # a suspension that never happened
    times = (row["taken_at"], outcome, row["delivered_at"], row["replaced_by"])
    return TakenDunningStep(row["step"], row["round"], *times, effect)


def _suspension_step(row: asyncpg.Record) -> TakenDunningStep:
    effect, suspension_id = row["effect"], row["id"]
    return TakenDunningStep(
        row["step"], row["round"], row["caused_at"], "requested", effect=effect, suspension_id=suspension_id
    )


def _release(row: asyncpg.Record) -> SuspensionRelease:
    return SuspensionRelease(row["released_at"], row["until"])


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
