"""Notices, the steps that were taken with them, deferrals, and the dunning case."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlmodel import col, select

from services.collections.tables import NoticeRow
from shared.events.collections import WaitsFor
from shared.persistence.bulk_rows import Integer, RowParameters, split_into_columns
from shared.persistence.database import Unit
from shared.pure.bounces import compute_bounce_id
from shared.pure.errors import NotFound

"""Reasons for which a step that is due waits."""


async def insert_notice(unit: Unit, row: NoticeRow) -> None:
    """Write a notice that is to be sent."""
    await unit.connection.execute(
        "INSERT INTO notices (id, account_id, kind, template, items, subscription_ids, state, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7)",
        row.id,
        row.account_id,
        row.kind,
        row.template,
        orjson.dumps(row.items).decode(),
        row.subscription_ids,
        row.created_at,
    )


_GATHERING = """
SELECT n.id, n.items, n.subscription_ids FROM notices n
JOIN intents i ON i.kind = $3 AND i.key = n.id::text AND i.state = 'pending' AND i.attempts = 0
WHERE n.account_id = $1 AND n.kind = $2 AND n.state = 'pending' ORDER BY n.id LIMIT 1 FOR UPDATE OF i
"""
"""The lock keeps the worker from it, which passes over what is locked."""


class UnsentNotice(NamedTuple):
    """A notice that nobody has begun to send, with what it states so far."""

    id: UUID
    items: list[dict[str, Any]]
    subscription_ids: list[UUID]


async def find_unsent_notice(unit: Unit, account_id: UUID, kind: str, intent_kind: str) -> UnsentNotice | None:
    """Find the notice of a kind that nobody has begun to send, and keep it from being sent until the unit ends."""
    row = await unit.connection.fetchrow(_GATHERING, account_id, kind, intent_kind)
    return UnsentNotice(*row) if row else None


async def save_unsent_notice(
    unit: Unit, notice_id: UUID, items: Sequence[dict[str, Any]], subscription_ids: Sequence[UUID]
) -> None:
    """Save what a notice that is not sent yet states."""
    await unit.connection.execute(
        "UPDATE notices SET items = $2, subscription_ids = $3 WHERE id = $1",
        notice_id,
        orjson.dumps(items).decode(),
        list(subscription_ids),
    )


async def get_notice(unit: Unit, notice_id: UUID) -> NoticeRow:
    """The notice. Raises NotFound."""
    row = await unit.session.get(NoticeRow, notice_id)
    if row is None:
        raise NotFound(f"there is no notice {notice_id}")
    return row


async def list_notices(unit: Unit, account_id: UUID, limit: int) -> Sequence[NoticeRow]:
    """The notices of an account, newest first."""
    query = select(NoticeRow).where(NoticeRow.account_id == account_id).order_by(col(NoticeRow.id).desc()).limit(limit)
    return (await unit.session.exec(query)).all()


async def save_notice_secret(unit: Unit, notice_id: UUID, secret: str) -> None:
    """Save the secret of a notice, unless it has one."""
    await unit.connection.execute(
        "UPDATE notices SET secret = $2, bounce_id = $3 WHERE id = $1 AND secret IS NULL",
        notice_id,
        secret,
        compute_bounce_id(secret),
    )


async def find_bounced_notice(unit: Unit, bounce_id: UUID) -> tuple[UUID, UUID] | None:
    """Find the notice that a bounce names, and its account."""
    row = await unit.connection.fetchrow("SELECT id, account_id FROM notices WHERE bounce_id = $1", bounce_id)
    return (row["id"], row["account_id"]) if row else None


async def save_notice_result(unit: Unit, notice_id: UUID, state: str, failure: str | None) -> None:
    """Save that a notice was sent now, failed or was withdrawn and why, or waits again, with another secret to come."""
    await unit.connection.execute(
        "UPDATE notices SET state = $2, failure = $3, delivered_at = CASE WHEN $2 = 'sent' THEN $4::timestamptz END,"
        " secret = CASE WHEN $2 <> 'pending' THEN secret END,"
        " bounce_id = CASE WHEN $2 <> 'pending' THEN bounce_id END WHERE id = $1",
        notice_id,
        state,
        failure,
        unit.now,
    )


class NewDunningStep(NamedTuple):
    """A step that is taken, or that another one stood for."""

    invoice_id: UUID
    round: Integer
    step: str
    outcome: str
    instant: datetime
    policy_version: Integer
    dunnable_minor: int
    notice_id: UUID | None
    replaced_by: str | None
    attempt: Integer


_STEPS = RowParameters(NewDunningStep, first=3)
_ADD_STEPS = f"""
INSERT INTO steps_taken (invoice_id, round, step, account_id, outcome, taken_at, instant, policy_version,
    dunnable_minor, notice_id, replaced_by, attempt)
SELECT invoice_id, round, step, $1, outcome, $2, instant, policy_version, dunnable_minor, notice_id, replaced_by,
    attempt
FROM unnest({_STEPS.arrays}) AS n ({_STEPS.columns})
"""


async def insert_dunning_steps(unit: Unit, account_id: UUID, steps: Iterable[NewDunningStep]) -> None:
    """Insert steps of an account that are taken now."""
    await unit.connection.execute(_ADD_STEPS, account_id, unit.now, *_STEPS.split_rows(steps))


async def undo_steps_of_notice(unit: Unit, notice_id: UUID) -> None:
    """The steps of a notice that was not sent are as if not taken, and so are those that it stood for."""
    await unit.connection.execute(
        "WITH gone AS (DELETE FROM steps_taken WHERE notice_id = $1 RETURNING invoice_id, round, step, taken_at)"
        " DELETE FROM steps_taken s USING gone"
        " WHERE (s.invoice_id, s.round, s.replaced_by, s.taken_at)"
        " = (gone.invoice_id, gone.round, gone.step, gone.taken_at)",
        notice_id,
    )


async def save_step_deferral(
    unit: Unit, account_id: UUID, invoice_id: UUID, step: str, cause: str, until: datetime | None, waits_for: WaitsFor
) -> None:
    """A step waits, and what for."""
    await unit.connection.execute(
        "INSERT INTO deferrals (invoice_id, account_id, step, cause, until, waits_for, since)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (invoice_id) DO UPDATE"
        " SET step = excluded.step, cause = excluded.cause, until = excluded.until, waits_for = excluded.waits_for,"
        " since = excluded.since",
        invoice_id,
        account_id,
        step,
        cause,
        until,
        waits_for,
        unit.now,
    )


async def end_step_deferrals(unit: Unit, invoice_ids: Sequence[UUID]) -> None:
    """Nothing of these invoices waits any more."""
    if invoice_ids:
        await unit.connection.execute("DELETE FROM deferrals WHERE invoice_id = ANY($1::uuid[])", invoice_ids)


async def open_dunning_cases(unit: Unit, cases: Sequence[tuple[UUID, UUID, str | None, date]]) -> None:
    """Open dunning cases: id, account, stage, oldest due date."""
    if cases:
        await unit.connection.execute(
            "INSERT INTO cases (id, account_id, stage, oldest_due_date, opened_at)"
            " SELECT *, $1 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::date[])",
            unit.now,
            *split_into_columns(cases, 4),
        )


async def save_oldest_due_dates(unit: Unit, due_dates: Sequence[tuple[UUID, date]]) -> None:
    """Save, for each of these cases, the due date of its oldest invoice that is overdue and open."""
    if due_dates:
        await unit.connection.execute(
            "UPDATE cases SET oldest_due_date = n.due_date FROM unnest($1::uuid[], $2::date[]) AS n (id, due_date)"
            " WHERE cases.id = n.id",
            *split_into_columns(due_dates, 2),
        )


async def save_dunning_stage(unit: Unit, case_id: UUID, stage: str) -> None:
    """The furthest step of a case."""
    await unit.connection.execute("UPDATE cases SET stage = $2 WHERE id = $1", case_id, stage)


async def close_dunning_case(unit: Unit, case_id: UUID) -> None:
    """Close a dunning case."""
    await unit.connection.execute("UPDATE cases SET closed_at = $2 WHERE id = $1", case_id, unit.now)
