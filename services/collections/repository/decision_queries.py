"""Changes that decisions about accounts want, written for all accounts of a batch: one statement for each kind.

Each does to the tables what the change's `apply_to` does to the facts.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.collections.domain.account_changes import (
    AccountChange,
    DunningCaseEnd,
    DunningCaseUpdate,
    EndedStepDeferrals,
    EndedSuspensionCauses,
    NewDunningCase,
    NewDunningStep,
    NewNotice,
    NewSuspension,
    NewSuspensionCauses,
    NewSuspensionRelease,
    StepDeferral,
    SuspensionMove,
)
from services.collections.repository.suspension_queries import save_suspension_moves
from shared.persistence.bulk_rows import RowParameters, split_into_columns
from shared.persistence.database import Unit


class WantedChange(NamedTuple):
    """A change, and the account whose it is."""

    account_id: UUID
    change: AccountChange


async def save_account_changes(unit: Unit, wanted: Iterable[WantedChange]) -> None:
    """Write changes of accounts, in the order in which one kind needs another; intents are not written here."""
    changes = list(wanted)
    for kinds, save in _SAVERS.items():
        if concerned := [(account_id, change) for account_id, change in changes if isinstance(change, kinds)]:
            await save(unit, concerned)


async def _insert_notices(unit: Unit, notices: Sequence[tuple[UUID, NewNotice]]) -> None:
    rows = (
        (notice.id, account_id, notice.template, orjson.dumps(notice.items).decode()) for account_id, notice in notices
    )
    await unit.connection.execute(
        "INSERT INTO notices (id, account_id, kind, template, items, subscription_ids, state, created_at)"
        " SELECT id, account_id, 'steps', template, items, '{}', 'pending', $1"
        " FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::jsonb[]) AS n (id, account_id, template, items)",
        unit.now,
        *split_into_columns(rows, 4),
    )


_STEPS = RowParameters(NewDunningStep, first=2)
_ADD_STEPS = f"""
INSERT INTO steps_taken (account_id, {_STEPS.columns}) SELECT * FROM unnest($1::uuid[], {_STEPS.typed_arrays})
"""


async def _insert_steps(unit: Unit, steps: Sequence[tuple[UUID, NewDunningStep]]) -> None:
    account_ids, rows = zip(*steps, strict=True)
    await unit.connection.execute(_ADD_STEPS, account_ids, *_STEPS.split_columns(rows))


async def _insert_suspensions(unit: Unit, suspensions: Sequence[tuple[UUID, NewSuspension]]) -> None:
    rows = (
        (new.id, new.account_id, new.subscription_id, new.state.value, new.policy_version, new.step, new.requested_at)
        for _, (new,) in suspensions
    )
    await unit.connection.execute(
        "INSERT INTO suspensions (id, account_id, subscription_id, state, policy_version, step, requested_at)"
        " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::text[],"
        " $7::timestamptz[])",
        *split_into_columns(rows, 7),
    )


async def _insert_causes(unit: Unit, wanted: Sequence[tuple[UUID, NewSuspensionCauses]]) -> None:
    rows = (
        (
            change.suspension_id,
            account_id,
            change.at,
            cause.invoice_id,
            cause.round,
            cause.dunnable_minor,
            cause.currency,
        )
        for account_id, change in wanted
        for cause in change.causes
    )
    await unit.connection.execute(
        "INSERT INTO suspension_causes"
        " (suspension_id, account_id, caused_at, invoice_id, round, dunnable_minor, currency)"
        " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::int[], $6::bigint[],"
        " $7::text[]) ON CONFLICT (suspension_id, invoice_id, round) DO UPDATE SET ended_at = NULL,"
        " caused_at = excluded.caused_at, dunnable_minor = excluded.dunnable_minor"
        " WHERE suspension_causes.ended_at IS NOT NULL",
        *split_into_columns(rows, 7),
    )


async def _end_causes(unit: Unit, wanted: Sequence[tuple[UUID, EndedSuspensionCauses]]) -> None:
    rows = ((change.suspension_id, invoice_id) for _, change in wanted for invoice_id in change.invoice_ids)
    await unit.connection.execute(
        "UPDATE suspension_causes c SET ended_at = $1"
        " FROM unnest($2::uuid[], $3::uuid[]) AS n (suspension_id, invoice_id)"
        " WHERE (c.suspension_id, c.invoice_id) = (n.suspension_id, n.invoice_id) AND c.ended_at IS NULL",
        unit.now,
        *split_into_columns(rows, 2),
    )


async def _insert_releases(unit: Unit, wanted: Sequence[tuple[UUID, NewSuspensionRelease]]) -> None:
    rows = (
        (release.suspension_id, account_id, invoice_id, release.at, release.until)
        for account_id, release in wanted
        for invoice_id in release.invoice_ids
    )
    await unit.connection.execute(
        "INSERT INTO releases (suspension_id, account_id, invoice_id, released_at, until)"
        " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::date[])",
        *split_into_columns(rows, 5),
    )


async def _move_suspensions(unit: Unit, wanted: Sequence[tuple[UUID, SuspensionMove]]) -> None:
    await save_suspension_moves(unit, (move for _, move in wanted))


async def _open_cases(unit: Unit, wanted: Sequence[tuple[UUID, NewDunningCase]]) -> None:
    rows = ((case.id, account_id, case.stage, case.oldest_due_date) for account_id, (case,) in wanted)
    await unit.connection.execute(
        "INSERT INTO cases (id, account_id, stage, oldest_due_date, opened_at)"
        " SELECT *, $1 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::date[])",
        unit.now,
        *split_into_columns(rows, 4),
    )


async def _update_cases(unit: Unit, wanted: Sequence[tuple[UUID, DunningCaseUpdate]]) -> None:
    await unit.connection.execute(
        "UPDATE cases SET stage = n.stage, oldest_due_date = n.due_date"
        " FROM unnest($1::uuid[], $2::text[], $3::date[]) AS n (id, stage, due_date) WHERE cases.id = n.id",
        *split_into_columns((change.case for _, change in wanted), 3),
    )


async def _close_cases(unit: Unit, wanted: Sequence[tuple[UUID, DunningCaseEnd]]) -> None:
    await unit.connection.execute(
        "UPDATE cases SET closed_at = $1 WHERE id = ANY($2::uuid[])", unit.now, [change.case_id for _, change in wanted]
    )


_SAVE_DEFERRALS = """
INSERT INTO deferrals (account_id, invoice_id, step, cause, until, waits_for, since)
SELECT *, $1 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
ON CONFLICT (invoice_id) DO UPDATE SET step = excluded.step, cause = excluded.cause, until = excluded.until,
    waits_for = excluded.waits_for,
    since = CASE WHEN (deferrals.step, deferrals.cause) = (excluded.step, excluded.cause)
        THEN deferrals.since ELSE excluded.since END
"""


async def _write_deferrals(unit: Unit, wanted: Sequence[tuple[UUID, StepDeferral | EndedStepDeferrals]]) -> None:
    """Write what waits of each invoice after all changes, and what does no more."""
    latest = dict[UUID, tuple[Any, ...] | None]()
    for account_id, change in wanted:
        if isinstance(change, StepDeferral):
            latest[change.invoice_id] = (account_id, change.invoice_id, *change.deferral)
        else:
            latest |= dict.fromkeys(change.invoice_ids)
    if rows := [row for row in latest.values() if row]:
        await unit.connection.execute(_SAVE_DEFERRALS, unit.now, *split_into_columns(rows, 6))
    if ended := [invoice_id for invoice_id, row in latest.items() if row is None]:
        await unit.connection.execute("DELETE FROM deferrals WHERE invoice_id = ANY($1::uuid[])", ended)


_SAVERS: Mapping[tuple[type, ...], Callable[[Unit, Sequence[Any]], Awaitable[None]]] = {
    (NewNotice,): _insert_notices,
    (NewDunningStep,): _insert_steps,
    (NewSuspension,): _insert_suspensions,
    (NewSuspensionCauses,): _insert_causes,
    (EndedSuspensionCauses,): _end_causes,
    (SuspensionMove,): _move_suspensions,
    (NewSuspensionRelease,): _insert_releases,
    (NewDunningCase,): _open_cases,
    (DunningCaseUpdate,): _update_cases,
    (DunningCaseEnd,): _close_cases,
    (StepDeferral, EndedStepDeferrals): _write_deferrals,
}
"""The statement of each kind of change, or of two that undo each other, in the order in which they are written."""
