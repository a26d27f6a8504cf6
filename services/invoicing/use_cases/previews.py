"""What an account would be billed on a day: a draft that is drawn up by the code of every run, and undone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.invoicing.repository import accounts
from services.invoicing.repository import bill_runs as repository
from services.invoicing.use_cases import bill_runs, billing
from shared.calendar import local_date, local_instant
from shared.database import Unit
from shared.errors import Refusal


class PastDate(Refusal):
    """A preview is of today or later; what was due before is on the next invoice anyway."""

    code = "date_refused"
    status = 422


class _Undone(Exception):
    """The draft was seen."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run of that day would bill or, below 0, give back; without lines it would do neither.

    `set_aside`: why the account could not be billed. `unbilled`: what of a credit would stay unbilled.
    """

    currency: str
    due_date: date | None
    total_minor: int
    lines: Sequence[asyncpg.Record]
    set_aside: str | None
    unbilled: str | None


async def preview(unit: Unit, account_id: UUID, day: date) -> Preview:
    """Draw up what is due by a day, renewals until then included, and undo it. Raises NotFound, PastDate."""
    account = await accounts.account(unit, account_id)
    zone = ZoneInfo(account.time_zone)
    if day < local_date(unit.now, zone):
        raise PastDate(f"run_date: {day} is past in {account.time_zone}")
    await unit.lock(account_id)
    then = max(unit.now, local_instant(day, time(0), zone))
    try:
        async with unit.savepoint():
            # All that it publishes and writes is undone with the savepoint; the rows are read before.
            found = await _drawn_up(replace(unit, now=then), account_id, account.currency, day)
            raise _Undone
    except _Undone:
        return found


async def _drawn_up(unit: Unit, account_id: UUID, currency: str, day: date) -> Preview:
    run = bill_runs.new_run(unit, day, at_once=False, actor="preview")
    unit.session.add(run)
    await unit.session.flush()
    await repository.include_one(unit, run.id, account_id)
    await billing.draft(unit, run.id, day, [account_id])
    draft = await repository.draft_of(unit, run.id)
    lines = await repository.draft_lines(unit, draft["id"]) if draft else []
    state, reason = await repository.outcome(unit, run.id)
    return Preview(
        currency,
        due_date=draft["due_date"] if draft and draft["total_minor"] > 0 else None,
        total_minor=draft["total_minor"] if draft else 0,
        lines=lines,
        set_aside=reason if state == "set_aside" else None,
        unbilled=reason if state != "set_aside" else None,
    )
