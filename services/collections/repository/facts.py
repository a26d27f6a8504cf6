"""The facts of accounts, as they were told, with their times."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from services.collections.domain.item import Balance, Item, LineBalance, Overdue, Promise, StepTaken
from services.collections.repository.suspensions import Suspension, standing_suspensions
from shared.database import Unit, columns
from shared.events.values import LineBalance as EventLine


@dataclass(slots=True)
class Facts:
    """Everything about one account that a judgement needs."""

    account_id: UUID
    zone: ZoneInfo
    items: list[Item] = field(default_factory=list)
    suspensions: list[Suspension] = field(default_factory=list)
    case_id: UUID | None = None
    stage: str | None = None
    deferrals: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    """By invoice: the step that waits and what for, as it was last said."""


@dataclass(frozen=True, slots=True)
class ToldBalance:
    """A balance that was heard or asked for."""

    invoice_id: UUID
    account_id: UUID
    number: str
    currency: str
    due_date: date
    sequence: int
    at: datetime
    lines: Sequence[EventLine]
    event_id: str | None


async def save_account(unit: Unit, account_id: UUID, legal_entity: str, time_zone: str) -> None:
    """Keep what collections needs of an account."""
    await unit.connection.execute(
        "INSERT INTO accounts (account_id, legal_entity, time_zone, registered_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (account_id) DO UPDATE SET legal_entity = excluded.legal_entity",
        account_id,
        legal_entity,
        time_zone,
        unit.now,
    )


_SAVE_BALANCES = """
INSERT INTO balances (invoice_id, sequence, account_id, at, lines, event_id)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::jsonb[], $6::text[])
ON CONFLICT DO NOTHING
"""
_SAVE_ITEMS = """
INSERT INTO items (invoice_id, account_id, number, currency, due_date, recorded_at, open_minor, due_at)
SELECT invoice_id, account_id, number, currency, due_date, at, 0, NULL
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::date[], $6::timestamptz[])
    AS told (invoice_id, account_id, number, currency, due_date, at)
ON CONFLICT (invoice_id) DO UPDATE SET recorded_at = least(items.recorded_at, excluded.recorded_at)
"""
_LAST_WORD = """
UPDATE items SET open_minor = (
    SELECT coalesce(sum((line->>'open_minor')::bigint), 0) FROM jsonb_array_elements(last.lines) AS line
)
FROM (
    SELECT DISTINCT ON (invoice_id) invoice_id, lines FROM balances
    WHERE invoice_id = ANY($1::uuid[]) ORDER BY invoice_id, sequence DESC
) AS last
WHERE items.invoice_id = last.invoice_id
"""


async def save_balances(unit: Unit, told: Sequence[ToldBalance]) -> None:
    """Keep balances; of one invoice, that with the highest sequence is the last word, in whatever order they come."""
    items = [(one.invoice_id, one.account_id, one.number, one.currency, one.due_date, one.at) for one in told]
    await unit.connection.execute(_SAVE_ITEMS, *columns(items, 6))
    balances = [
        (one.invoice_id, one.sequence, one.account_id, one.at, _lines_json(one.lines), one.event_id) for one in told
    ]
    await unit.connection.execute(_SAVE_BALANCES, *columns(balances, 6))
    await unit.connection.execute(_LAST_WORD, [one.invoice_id for one in told])


def _lines_json(lines: Iterable[EventLine]) -> str:
    return orjson.dumps([line.model_dump(mode="json") for line in lines]).decode()


async def save_overdue(
    unit: Unit, account_id: UUID, invoice_id: UUID, sequence: int, judged_at: datetime, event_id: str
) -> None:
    """Keep invoicing's judgement that an invoice is overdue."""
    await unit.connection.execute(
        "INSERT INTO overdues (invoice_id, sequence, account_id, judged_at, event_id) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        invoice_id,
        sequence,
        account_id,
        judged_at,
        event_id,
    )


_ACCOUNTS = """
SELECT a.account_id, a.time_zone, c.id AS case_id, c.stage
FROM accounts a LEFT JOIN cases c ON c.account_id = a.account_id AND c.closed_at IS NULL
WHERE a.account_id = ANY($1::uuid[])
"""
_ITEMS = """
SELECT invoice_id, account_id, number, currency, due_date, recorded_at FROM items
WHERE account_id = ANY($1::uuid[]) AND (open_minor > 0 OR due_at IS NOT NULL OR invoice_id = ANY($2::uuid[]))
ORDER BY number
"""
_DETAILS = {
    "balances": "SELECT invoice_id, sequence, at, lines FROM balances WHERE invoice_id = ANY($1::uuid[])",
    "overdues": "SELECT invoice_id, sequence, judged_at FROM overdues WHERE invoice_id = ANY($1::uuid[])",
    "promises": "SELECT invoice_id, amount_minor, active_from, active_until FROM promises"
    " WHERE invoice_id = ANY($1::uuid[])",
    "steps": "SELECT s.invoice_id, s.step, s.round, s.taken_at, s.outcome, s.replaced_by, n.state, n.delivered_at"
    " FROM steps_taken s LEFT JOIN notices n ON n.id = s.notice_id WHERE s.invoice_id = ANY($1::uuid[])",
    "suspensions": "SELECT c.invoice_id, s.step, c.round, c.caused_at FROM suspension_causes c"
    " JOIN suspensions s ON s.id = c.suspension_id WHERE s.state <> 'withdrawn' AND c.invoice_id = ANY($1::uuid[])",
    "deferrals": "SELECT invoice_id, step, cause FROM deferrals WHERE invoice_id = ANY($1::uuid[])",
}


async def facts(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """The facts of these accounts; one that is not known yet is left out."""
    rows = await unit.connection.fetch(_ACCOUNTS, account_ids)
    found = {
        row["account_id"]: Facts(
            row["account_id"], ZoneInfo(row["time_zone"]), case_id=row["case_id"], stage=row["stage"]
        )
        for row in rows
    }
    for suspension in await standing_suspensions(unit, list(found)):
        found[suspension.account_id].suspensions.append(suspension)
    causes = {cause for one in found.values() for suspension in one.suspensions for cause in suspension.causes}
    items = await unit.connection.fetch(_ITEMS, list(found), list(causes))
    await _fill(unit, found, items)
    return found


async def _fill(unit: Unit, found: dict[UUID, Facts], items: Sequence[asyncpg.Record]) -> None:
    ids = [row["invoice_id"] for row in items]
    details: dict[str, dict[UUID, list[asyncpg.Record]]] = {}
    for name, query in _DETAILS.items():
        grouped: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
        for row in await unit.connection.fetch(query, ids) if ids else []:
            grouped[row["invoice_id"]].append(row)
        details[name] = grouped
    for row in items:
        account = found[row["account_id"]]
        account.items.append(
            _item(row, account, {name: grouped[row["invoice_id"]] for name, grouped in details.items()})
        )
        for waiting in details["deferrals"][row["invoice_id"]]:
            account.deferrals[row["invoice_id"]] = (waiting["step"], waiting["cause"])


def _item(row: asyncpg.Record, account: Facts, details: dict[str, list[asyncpg.Record]]) -> Item:
    return Item(
        invoice_id=row["invoice_id"],
        number=row["number"],
        due_date=row["due_date"],
        currency=row["currency"],
        zone=account.zone,
        recorded_at=row["recorded_at"],
        balances=tuple(Balance(one["sequence"], one["at"], _lines(one["lines"])) for one in details["balances"]),
        overdue=tuple(Overdue(one["sequence"], one["judged_at"]) for one in details["overdues"]),
        promises=tuple(
            Promise(one["amount_minor"], one["active_from"], one["active_until"]) for one in details["promises"]
        ),
        taken=(
            *(_step(one) for one in details["steps"]),
            *(StepTaken(one["step"], one["round"], one["caused_at"], "requested") for one in details["suspensions"]),
        ),
    )


def _step(row: asyncpg.Record) -> StepTaken:
    outcome = {"notice": row["state"], "requested": "requested"}.get(row["outcome"], "skipped")
    return StepTaken(row["step"], row["round"], row["taken_at"], outcome, row["delivered_at"], row["replaced_by"])


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


async def open_invoices(unit: Unit, account_id: UUID) -> list[UUID]:
    """The invoices of an account that have something open, as far as is known here."""
    rows = await unit.connection.fetch(
        "SELECT invoice_id FROM items WHERE account_id = $1 AND open_minor > 0 ORDER BY number", account_id
    )
    return [row["invoice_id"] for row in rows]


async def save_due(unit: Unit, due: Iterable[tuple[UUID, datetime | None]]) -> None:
    """When each item must be judged next."""
    await unit.connection.execute(
        "UPDATE items SET due_at = n.due_at FROM unnest($1::uuid[], $2::timestamptz[]) AS n (invoice_id, due_at)"
        " WHERE items.invoice_id = n.invoice_id AND items.due_at IS DISTINCT FROM n.due_at",
        *columns(due, 2),
    )
    unit.wake("sweeps")
