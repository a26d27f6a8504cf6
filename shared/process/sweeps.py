"""Sweeps: timed work that claims the accounts that are due, and judges them. One that breaks it stops no other.

Mostly nothing is due: one statement asks for all sweeps of a service, and only those that have work open a unit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from uuid import UUID

from shared.base.metrics import jobs
from shared.base.telemetry import log
from shared.base.transient_errors import describe_error_type
from shared.persistence import failed_work
from shared.persistence.database import Unit, Units
from shared.persistence.failed_work import FailedWorkName, WorkKind
from shared.pure.errors import Unavailable

ACCOUNTS_A_UNIT = 200
"""How many accounts one unit of a sweep claims at most, unless it is set-based."""
TAKEN_PAUSE = 0.02
"""Before looking again at due accounts that are all in others' hands (seconds)."""
_STILL_DUE = "SELECT subject FROM unnest($2::text[]) AS subject WHERE subject = ANY(ARRAY({due}))"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Timed work: `due` is a query of the accounts that are due at $1, `handler` acts on those it claimed.

    Those come first that wait the longest: in that order an index serves the query, however few or many are due.
    """

    name: str
    due: str
    handler: Callable[[Unit, list[str]], Awaitable[None]]
    set_based: bool = False
    """Whether a unit takes as many accounts as the settings say, since it costs hardly more for many."""
    judges_accounts: bool = True
    """Whether its subjects are accounts, and not documents or runs."""

    @property
    def sweep_name(self) -> FailedWorkName:
        """Its name where failed work is kept."""
        return FailedWorkName(WorkKind.SWEEP, self.name)


@dataclass(slots=True)
class _Finding:
    """Finding of one unit of a sweep."""

    claimed: list[str] = field(default_factory=list)
    is_stopped: bool = False


class SweepRunner:
    """Runs the sweeps of one service."""

    def __init__(self, units: Units, sweeps: Sequence[Sweep], *, chunk: int, interval: float) -> None:
        self._units = units
        self._limits = {sweep: chunk if sweep.set_based else ACCOUNTS_A_UNIT for sweep in sweeps}
        self._interval = interval
        self._find_due = f"SELECT {', '.join(f'({sweep.due} LIMIT 1) IS NOT NULL' for sweep in sweeps)}"

    async def run_due_sweeps(self) -> bool:
        """Run each sweep for which something is due; whether anything was.

        What one made due for another is found in the next round, so go on until nothing was.
        """
        due = await self._list_due()
        numbers: list[int | None] = []
        for sweep, limit in self._limits.items():
            if sweep in due:
                numbers.append(await self._run(sweep, limit))
            else:
                jobs.record_job_run(sweep.name, self._interval, 0, 0.0, is_well=True)
        if 0 in numbers:
            await asyncio.sleep(TAKEN_PAUSE)
        return any(number is not None for number in numbers)

    async def _list_due(self) -> Collection[Sweep]:
        """List the sweeps for which something is due; all of them where one's query breaks that of all."""
        try:
            return await self._units.read(self._read_due)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # the one that is at fault is found when each asks for itself
            log.error("what is due could not be read at once", error=describe_error_type(error))
            return self._limits.keys()

    async def _read_due(self, unit: Unit) -> Collection[Sweep]:
        if unit.sweeps_held or not self._limits:
            return ()
        return set(compress(self._limits, await unit.connection.fetchrow(self._find_due, unit.now)))

    async def _run(self, sweep: Sweep, limit: int) -> int | None:
        began = time.perf_counter()
        finding = _Finding()
        is_well = True
        try:
            number = await self._units.run(partial(_judge_due, sweep, limit, finding))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one account stops neither the others nor the process
            log.error(
                "a sweep broke", sweep=sweep.name, accounts=len(finding.claimed), error=describe_error_type(error)
            )
            number, is_well = len(finding.claimed) or None, bool(finding.claimed)
            await self._judge_apart(sweep, finding.claimed, error)
        seconds = time.perf_counter() - began
        is_well = is_well and not finding.is_stopped
        jobs.record_job_run(sweep.name, self._interval, number or 0, seconds, is_well=is_well)
        return number

    async def _judge_apart(self, sweep: Sweep, subjects: Sequence[str], error: Exception) -> None:
        """Judge subjects whose unit broke by halves, until those that break it are alone: they are set aside.

        Without subjects it is the query that broke, and nobody is at fault.
        """
        if not subjects:
            return
        if len(subjects) == 1:
            jobs.FAILED.labels(WorkKind.SWEEP, sweep.name).inc()
            await self._units.run(lambda unit: _set_aside(unit, sweep, subjects[0], error))
            return
        middle = len(subjects) // 2
        for half in (subjects[:middle], subjects[middle:]):
            try:
                await self._units.run(partial(_judge_again, sweep, half))
            except Unavailable:
                raise
            except Exception as broken:  # noqa: BLE001  # it is kept with the subject that is at fault
                await self._judge_apart(sweep, half, broken)


async def _judge_due(sweep: Sweep, limit: int, finding: _Finding, unit: Unit) -> int | None:
    """Claim accounts that are due and judge them; their number, or None if there is none to judge."""
    finding.claimed.clear()
    if unit.sweeps_held or await unit.connection.fetchval(f"{sweep.due} LIMIT 1", unit.now) is None:
        return None
    failed, finding.is_stopped = await failed_work.read_work_state(unit.connection, sweep.sweep_name)
    if finding.is_stopped:
        return None
    finding.claimed[:] = await unit.claim_due_accounts(sweep.due, limit, failed)
    if finding.claimed:
        await sweep.handler(unit, list(finding.claimed))
    return len(finding.claimed) or (None if failed else 0)


async def _judge_again(sweep: Sweep, subjects: Sequence[str], unit: Unit) -> None:
    """Judge those of these accounts that are still due, unless the sweep was stopped meanwhile."""
    _, is_stopped = await failed_work.read_work_state(unit.connection, sweep.sweep_name)
    if is_stopped:
        return
    await unit.lock_subjects(*subjects)
    due = await unit.connection.fetch(_STILL_DUE.format(due=sweep.due), unit.now, subjects)
    if due:
        await sweep.handler(unit, [row["subject"] for row in due])


async def _set_aside(unit: Unit, sweep: Sweep, subject: str, error: Exception) -> None:
    account_id = UUID(subject) if sweep.judges_accounts else None
    await failed_work.keep_failed_work(unit, sweep.sweep_name, subject, account_id, error)
