"""Clocks of cases, the targets that people set, and the calendars by which both are measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import orjson
from sqlmodel import col, select

from services.escalation.domain.clocks import DEFAULT_CALENDAR, ClockPause, ResponseClock, ResponseTarget
from services.escalation.tables import CaseClockRow, ResponseTargetRow
from shared.events.invoicing import BusinessCalendarChanged
from shared.persistence.database import Unit
from shared.pure.business_time import BusinessCalendar

NO_SEVERITY = "none"
STANDARD = "standard"
"""The support level of an account that has no other."""


@dataclass(frozen=True, slots=True)
class ClockOfCase:
    """A clock with the case that it is of."""

    case_id: UUID
    account_id: UUID
    clock: ResponseClock


@dataclass(frozen=True, slots=True)
class AccountSupportTerms:
    """How an account is supported: its legal entity's calendar, and its level."""

    legal_entity: str | None
    support_level: str
    calendar: BusinessCalendar


def _read_clock(row: Mapping[str, Any]) -> ClockOfCase:
    target = ResponseTarget(row["minutes"], row["business_days"], row["is_round_the_clock"], row["warn_minutes"])
    pauses = tuple(ClockPause(_parse(begin), None if end is None else _parse(end)) for begin, end in row["pauses"])
    names = ("whose", "which", "run", "began_at", "due_at", "warn_at", "warned_at", "missed_at", "stopped_at")
    clock = ResponseClock(target=target, pauses=pauses, **{name: row[name] for name in names})
    return ClockOfCase(row["case_id"], row["account_id"], clock)


def _parse(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def _write_clock(item: ClockOfCase) -> CaseClockRow:
    clock, target = item.clock, item.clock.target
    return CaseClockRow(
        case_id=item.case_id,
        account_id=item.account_id,
        whose=clock.whose,
        which=clock.which,
        run=clock.run,
        minutes=target.minutes,
        business_days=target.business_days,
        is_round_the_clock=target.is_round_the_clock,
        warn_minutes=target.warn_minutes,
        began_at=clock.began_at,
        pauses=[
            [pause.begin.isoformat(), None if pause.end is None else pause.end.isoformat()] for pause in clock.pauses
        ],
        due_at=clock.due_at,
        warn_at=clock.warn_at,
        wake_at=clock.next_announcement_at,
        warned_at=clock.warned_at,
        missed_at=clock.missed_at,
        stopped_at=clock.stopped_at,
    )


async def list_clocks_of_case(unit: Unit, case_id: UUID) -> list[ClockOfCase]:
    """List all runs of the clocks of a case, in the order in which they began."""
    query = select(CaseClockRow).where(CaseClockRow.case_id == case_id)
    rows = await unit.session.exec(
        query.order_by(*map(col, (CaseClockRow.began_at, CaseClockRow.which, CaseClockRow.run)))
    )
    return [_read_clock(row.model_dump()) for row in rows.all()]


async def list_running_clocks(unit: Unit, account_ids: Sequence[UUID]) -> list[ClockOfCase]:
    """List the clocks of these accounts that are not stopped."""
    query = select(CaseClockRow).where(
        col(CaseClockRow.account_id).in_(account_ids), col(CaseClockRow.stopped_at).is_(None)
    )
    return [_read_clock(row.model_dump()) for row in (await unit.session.exec(query)).all()]


async def save_response_clocks(unit: Unit, items: Iterable[ClockOfCase]) -> None:
    """Write clocks, new or changed."""
    for item in items:
        await unit.session.merge(_write_clock(item))
    await unit.session.flush()


async def save_next_case_deadlines(unit: Unit, case_ids: Sequence[UUID]) -> None:
    """Write when the customers of cases whose clocks have changed are owed the next answer; null if none is."""
    await unit.connection.execute(
        """
        UPDATE cases SET next_deadline_at = (
            SELECT min(due_at) FROM case_clocks k
            WHERE k.case_id = cases.id AND k.whose = 'ours' AND k.stopped_at IS NULL)
        WHERE id = ANY ($1)
        """,
        case_ids,
    )


async def list_due_clocks(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List the clocks of these accounts of which something is to be announced now."""
    query = """
        SELECT k.case_id, k.account_id, k.whose, k.which, k.run, k.due_at,
            k.due_at <= $2 AS is_missed FROM case_clocks k
        WHERE k.account_id = ANY ($1) AND k.wake_at <= $2 ORDER BY k.due_at, k.case_id, k.which
    """
    return await unit.connection.fetch(query, account_ids, unit.now)  # type: ignore[no-any-return]


async def mark_clocks_announced(unit: Unit, account_ids: Sequence[UUID]) -> None:
    """Note of due clocks that they were announced, as `evaluate_response_clock` of the domain does to one."""
    query = """
        UPDATE case_clocks SET
            missed_at = CASE WHEN due_at <= $2 THEN $2 ELSE missed_at END,
            warned_at = CASE WHEN due_at <= $2 THEN warned_at ELSE $2 END,
            wake_at = CASE WHEN due_at <= $2 THEN NULL ELSE due_at END
        WHERE account_id = ANY ($1) AND wake_at <= $2
    """
    await unit.connection.execute(query, account_ids, unit.now)


async def list_response_targets(unit: Unit) -> Sequence[ResponseTargetRow]:
    """List the targets that people have set."""
    table = ResponseTargetRow
    order = map(col, (table.support_level, table.kind, table.severity, table.which))
    return (await unit.session.exec(select(table).order_by(*order))).all()


async def find_response_target_row(unit: Unit, row: ResponseTargetRow) -> ResponseTargetRow | None:
    """Find the target that stands in the place of another one."""
    key = (row.support_level, row.kind, row.severity, row.which)
    return await unit.session.get(ResponseTargetRow, key, populate_existing=True)


async def save_response_target(unit: Unit, row: ResponseTargetRow) -> None:
    """Write a target, in the place of a former one."""
    await unit.session.merge(row)
    await unit.session.flush()


async def find_response_target(
    unit: Unit, support_level: str, kind: str, severity: str | None, which: str
) -> ResponseTarget | None:
    """Find the target that was set for a support level, else for the standard one."""
    row = await unit.connection.fetchrow(
        """
        SELECT minutes, business_days, is_round_the_clock, warn_minutes FROM response_targets
        WHERE support_level = ANY ($1) AND kind = $2 AND severity = $3 AND which = $4
        ORDER BY support_level = $5 LIMIT 1
        """,
        [support_level, STANDARD],
        kind,
        severity or NO_SEVERITY,
        which,
        STANDARD,
    )
    return None if row is None else ResponseTarget(**row)


async def get_support_of_accounts(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, AccountSupportTerms]:
    """Get how accounts are supported; by default hours where nothing is known of one, or of its legal entity."""
    rows = await unit.connection.fetch(
        """
        SELECT id AS account_id, a.legal_entity, coalesce(a.support_level, $2) AS support_level, c.time_zone, c.hours,
            c.closed_days
        FROM unnest($1::uuid[]) AS id LEFT JOIN accounts a ON a.account_id = id
        LEFT JOIN calendars c ON c.legal_entity = a.legal_entity
        """,
        account_ids,
        STANDARD,
    )
    return {
        row["account_id"]: AccountSupportTerms(row["legal_entity"], row["support_level"], _read_calendar(row))
        for row in rows
    }


def _read_calendar(row: Mapping[str, Any]) -> BusinessCalendar:
    if row["time_zone"] is None:
        return DEFAULT_CALENDAR
    hours = tuple(tuple((begin, end) for begin, end in openings) for openings in row["hours"])
    closed_days = frozenset(date.fromisoformat(day) for day in row["closed_days"])
    return BusinessCalendar(ZoneInfo(row["time_zone"]), hours, closed_days)


async def find_calendar_of_account(unit: Unit, account_id: UUID) -> BusinessCalendar | None:
    """Find the calendar of the legal entity that an account is a customer of."""
    query = """
        SELECT c.time_zone, c.hours, c.closed_days FROM accounts a JOIN calendars c USING (legal_entity)
        WHERE a.account_id = $1
    """
    row = await unit.connection.fetchrow(query, account_id)
    return None if row is None else _read_calendar(row)


async def save_business_calendar(unit: Unit, event: BusinessCalendarChanged) -> None:
    """Save the calendar of a legal entity, and have the clocks of its accounts computed anew."""
    await unit.connection.execute(
        """
        INSERT INTO calendars (legal_entity, time_zone, hours, closed_days, covers_until) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (legal_entity) DO UPDATE SET time_zone = EXCLUDED.time_zone, hours = EXCLUDED.hours,
            closed_days = EXCLUDED.closed_days, covers_until = EXCLUDED.covers_until
        """,
        event.legal_entity,
        event.time_zone,
        orjson.dumps(event.hours).decode(),
        orjson.dumps(event.closed_days).decode(),
        event.covers_until,
    )
    await unit.connection.execute(
        """
        INSERT INTO moved_calendars (account_id, due_at) SELECT account_id, $2 FROM accounts WHERE legal_entity = $1
        ON CONFLICT (account_id) DO NOTHING
        """,
        event.legal_entity,
        unit.now,
    )


async def forget_moved_calendars(unit: Unit, account_ids: Sequence[UUID]) -> None:
    """Forget that the clocks of these accounts are to be computed anew."""
    await unit.connection.execute("DELETE FROM moved_calendars WHERE account_id = ANY ($1)", account_ids)
