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
    """The lines of the invoice that a run of that day would make; none, or the reason why there would be no invoice."""

    currency: str
    due_date: date | None
    lines: Sequence[asyncpg.Record]
    set_aside: str | None


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
    aside = await repository.aside(unit, run.id, None, 1)
    lines = await repository.draft_lines(unit, draft["id"]) if draft else []
    return Preview(currency, draft["due_date"] if draft else None, lines, aside[0]["reason"] if aside else None)
