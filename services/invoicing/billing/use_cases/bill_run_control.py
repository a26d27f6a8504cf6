"""Bill runs are started, approved or discarded, and finish by themselves."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.billing.domain.run_states import RUN_ALLOWED, BillRunState
from services.invoicing.billing.repository import bill_run_queries, outside_tax_queries
from services.invoicing.billing.tables import BillRunRow
from services.invoicing.settings.domain.approval_states import StateMoveRefused, check_state_move
from shared.events.invoicing import BilledTotal, BillRunFinished, BillRunStarted
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.pure.calendar import get_local_date
from shared.pure.errors import Refusal
from shared.pure.ids import new_id

TURNSTILE = "bill runs"
"""The subject that starting locks: of two at once the second does not take the first one's accounts."""


class BillRunDateRefused(Refusal):
    """A run bills what is due, so its date is not in the future."""

    code = "date_refused"
    status = 422


def _move(row: BillRunRow, wanted: BillRunState) -> None:
    row.state = check_state_move(RUN_ALLOWED, BillRunState(row.state), wanted)


def build_bill_run_row(unit: Unit, day: date, *, at_once: bool, actor: str) -> BillRunRow:
    """A run that has just begun."""
    return BillRunRow(
        id=new_id(),
        run_date=day,
        state=BillRunState.ISSUING if at_once else BillRunState.DRAFTING,
        at_once=at_once,
        started_by=actor,
        started_at=unit.now,
        decided_by=actor if at_once else None,
        reason=None,
        finished_at=None,
    )


async def start_bill_run(unit: Unit, day: date, *, at_once: bool, actor: str) -> tuple[BillRunRow, int]:
    """Start a run for a date with every account that has something due and is in no other run.

    Workers do it from then on, in chunks.
    Raises BillRunDateRefused.
    """
    if day > get_local_date(unit.now, ZoneInfo("UTC")) + timedelta(days=1):
        raise BillRunDateRefused(f"run_date: {day} is in the future")
    row = build_bill_run_row(unit, day, at_once=at_once, actor=actor)
    unit.session.add(row)
    await unit.session.flush()
    await unit.lock_subjects(row.id, TURNSTILE)
    included = await bill_run_queries.include_accounts_in_run(unit, row.id, day)
    unit.publish(BillRunStarted(run_id=row.id, run_date=day, at_once=at_once, accounts=included))
    unit.wake_after_commit("sweeps")
    unit.record(AuditedChange("bill_run", row.id))
    return row, included


async def approve_bill_run(unit: Unit, run_id: UUID, actor: str, reason: str) -> BillRunRow:
    """Let the drafts of a run be issued. Raises NotFound, StateMoveRefused."""
    row = await _lock_run(unit, run_id)
    before = row.model_dump()
    _move(row, BillRunState.ISSUING)
    row.decided_by, row.reason = actor, reason
    await bill_run_queries.move_bill_run_accounts(unit, run_id, "drafted", "approved", due=True)
    return await _save_and_record(unit, row, before)


async def discard_bill_run(unit: Unit, run_id: UUID, actor: str, reason: str) -> BillRunRow:
    """Give the drafts of a run up; what they would have billed waits for another run.

    One that is still drafting can be given up if nothing but the outside tax calculator, or the beginning of local
    days, is waited for.
    Raises NotFound, StateMoveRefused.
    """
    row = await _lock_run(unit, run_id)
    before = row.model_dump()
    _move(row, BillRunState.DISCARDED)
    await _wait_for_no_tax(unit, run_id)
    row.decided_by, row.reason, row.finished_at = actor, reason, unit.now
    await bill_run_queries.discard_bill_run_drafts(unit, run_id)
    for state in ("waiting", "to_be_taxed", "drafted"):
        await bill_run_queries.move_bill_run_accounts(unit, run_id, state, "nothing", due=False)
    return await _save_and_record(unit, row, before)


async def _wait_for_no_tax(unit: Unit, run_id: UUID) -> None:
    """No answer of the tax calculator has an effect on this run any more.

    Raises StateMoveRefused while workers draft.
    """
    for _ in range(2):  # once they are locked, no worker records an answer that lets one of them be drafted again
        under_way = await bill_run_queries.map_undrafted_accounts(unit, run_id)
        if "waiting" in under_way.values():
            raise StateMoveRefused("accounts are being drafted; the run can be discarded when that is done")
        await unit.lock_subjects(*under_way)
    await intents.cancel_intents(
        unit, outside_tax_queries.CALCULATE_TAX, await outside_tax_queries.list_tax_intent_keys(unit, run_id)
    )


async def retry_bill_run(unit: Unit, run_id: UUID, actor: str, reason: str) -> BillRunRow:
    """Try the accounts once more that were set aside, in a run that has finished.

    Raises NotFound, StateMoveRefused.
    """
    row = await _lock_run(unit, run_id)
    before = row.model_dump()
    _move(row, BillRunState.ISSUING if row.at_once else BillRunState.DRAFTING)
    row.decided_by, row.reason, row.finished_at = actor, reason, None
    await bill_run_queries.move_bill_run_accounts(unit, run_id, "set_aside", "waiting", due=True)
    return await _save_and_record(unit, row, before)


async def _lock_run(unit: Unit, run_id: UUID) -> BillRunRow:
    await bill_run_queries.get_bill_run(unit, run_id)
    await unit.lock_subjects(run_id)
    return await bill_run_queries.get_bill_run(unit, run_id)


async def _save_and_record(unit: Unit, row: BillRunRow, before: Mapping[str, Any]) -> BillRunRow:
    unit.session.add(row)
    await unit.session.flush()
    unit.wake_after_commit("sweeps")
    unit.record(AuditedChange("bill_run", row.id, None, before, row.model_dump()))
    return row


async def finish_bill_runs(unit: Unit, run_ids: list[str]) -> None:
    """Say of these runs, whose accounts are all done, what they come to."""
    for run_id in map(UUID, run_ids):
        row = await bill_run_queries.get_bill_run(unit, run_id)
        counts = await bill_run_queries.count_bill_run_accounts(unit, run_id)
        if counts.keys() & {"waiting", "to_be_taxed", "approved"}:
            continue
        _move(row, BillRunState.DRAFTED if row.state == BillRunState.DRAFTING else BillRunState.DONE)
        row.finished_at = unit.now
        totals = await bill_run_queries.compute_bill_run_totals(unit, run_id)
        unit.publish(
            BillRunFinished(
                run_id=run_id,
                run_date=row.run_date,
                state=row.state,
                accounts=counts,
                totals=tuple(BilledTotal(**total) for total in totals),
            )
        )
        unit.session.add(row)
    await unit.session.flush()
