"""Clocks of cases: begun, paused, stopped and computed anew as the case moves; announced by sweeps, each once."""

from collections.abc import Callable, Sequence
from uuid import UUID

from services.escalation.domain.cases import CaseState
from services.escalation.domain.clocks import (
    DEFAULT_TARGETS,
    ResponseClock,
    ResponseTarget,
    pause_response_clock,
    recompute_response_clock,
    resume_response_clock,
    stop_response_clock,
)
from services.escalation.repository import clock_queries
from services.escalation.repository.clock_queries import AccountSupportTerms, ClockOfCase
from services.escalation.tables import CaseRow, ResponseTargetRow
from shared.events.escalation import ClockName, ResponseDeadlineMissed, ResponseDeadlineNear
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit

NEVER_OWED = frozenset({"task"})
"""Kinds of cases in which no customer waits for an answer."""


async def begin_case_clocks(unit: Unit, row: CaseRow, names: Sequence[ClockName]) -> None:
    """Begin a run of clocks that are not running, each where an answer is promised."""
    if row.account_id is None or row.kind in NEVER_OWED:
        return
    support = await _get_support(unit, row.account_id)
    items = await clock_queries.list_clocks_of_case(unit, row.id)
    begun = []
    for name in names:
        runs = [item.clock for item in items if item.clock.which == name and item.clock.whose == "ours"]
        target = await _find_target(unit, support, row, name)
        if target is None or any(clock.stopped_at is None for clock in runs):
            continue
        clock = recompute_response_clock(ResponseClock("ours", name, len(runs) + 1, target, unit.now), support.calendar)
        begun.append(ClockOfCase(row.id, row.account_id, clock))
    await _save_clocks(unit, row, begun)


async def update_clocks_by_state(unit: Unit, row: CaseRow, former: CaseState) -> None:
    """Let the clocks of a case follow its move: they stand while the customer is waited for, and end with it."""
    if row.account_id is None:
        return
    state = CaseState(row.state)
    calendar = (await _get_support(unit, row.account_id)).calendar
    if former is CaseState.WAITING_FOR_CUSTOMER:
        await _change_clocks(unit, row, lambda clock: resume_response_clock(clock, calendar, unit.now))
    if state is CaseState.WAITING_FOR_CUSTOMER:
        await _change_clocks(unit, row, lambda clock: pause_response_clock(clock, calendar, unit.now))
    elif state is CaseState.RESOLVED:
        await _change_clocks(
            unit, row, lambda clock: clock if clock.which == "first" else stop_response_clock(clock, unit.now)
        )
    elif state in (CaseState.CLOSED, CaseState.MERGED):
        await _change_clocks(unit, row, lambda clock: stop_response_clock(clock, unit.now))
    elif former in (CaseState.RESOLVED, CaseState.CLOSED):
        await begin_case_clocks(unit, row, ("update", "resolution"))


async def stop_first_answer_clock(unit: Unit, row: CaseRow) -> None:
    """Note that the customer was spoken to: the first answer is given, and the next word is due anew."""
    await _change_clocks(
        unit, row, lambda clock: clock if clock.which == "resolution" else stop_response_clock(clock, unit.now)
    )
    if CaseState(row.state) not in (CaseState.RESOLVED, CaseState.CLOSED):
        await begin_case_clocks(unit, row, ("update",))
        if row.state == CaseState.WAITING_FOR_CUSTOMER and row.account_id is not None:
            calendar = (await _get_support(unit, row.account_id)).calendar
            await _change_clocks(unit, row, lambda clock: pause_response_clock(clock, calendar, unit.now))


async def update_clocks_by_severity(unit: Unit, row: CaseRow) -> None:
    """Compute the clocks of a case anew by the targets of its severity, as from their beginning."""
    if row.account_id is None:
        return
    support = await _get_support(unit, row.account_id)
    targets = {
        item.clock.which: await _find_target(unit, support, row, item.clock.which)
        for item in await clock_queries.list_clocks_of_case(unit, row.id)
        if item.clock.whose == "ours"
    }
    await _change_clocks(
        unit, row, lambda clock: recompute_response_clock(clock, support.calendar, targets.get(clock.which))
    )


async def set_response_target(unit: Unit, row: ResponseTargetRow) -> None:
    """Set how long an answer may take, in the place of a former target."""
    place = f"{row.support_level}/{row.kind}/{row.severity}/{row.which}"
    await unit.lock_subjects(f"response target {place}")
    former = await clock_queries.find_response_target_row(unit, row)
    before = None if former is None else former.model_dump(mode="json")
    await clock_queries.save_response_target(unit, row)
    unit.record(AuditedChange("response_target", place, None, before, row.model_dump(mode="json")))


async def recompute_moved_clocks(unit: Unit, account_ids: list[str]) -> None:
    """Compute the clocks of these accounts anew, which are locked, by the calendars that have changed."""
    ids = [UUID(account_id) for account_id in account_ids]
    support = await clock_queries.get_support_of_accounts(unit, ids)
    items = await clock_queries.list_running_clocks(unit, ids)
    moved = [
        ClockOfCase(
            item.case_id, item.account_id, recompute_response_clock(item.clock, support[item.account_id].calendar)
        )
        for item in items
        if item.clock.whose == "ours"
    ]
    await clock_queries.save_response_clocks(unit, moved)
    await clock_queries.save_next_case_deadlines(unit, sorted({item.case_id for item in moved}))
    await clock_queries.forget_moved_calendars(unit, ids)


async def announce_due_clocks(unit: Unit, account_ids: list[str]) -> None:
    """Announce of these accounts, which are locked, which answers are due soon or were missed."""
    ids = [UUID(account_id) for account_id in account_ids]
    for row in await clock_queries.list_due_clocks(unit, ids):
        kind = ResponseDeadlineMissed if row["is_missed"] else ResponseDeadlineNear
        unit.publish(kind(**{name: row[name] for name in ("case_id", "account_id", "whose", "which", "run", "due_at")}))
    await clock_queries.mark_clocks_announced(unit, ids)


async def _change_clocks(unit: Unit, row: CaseRow, change: Callable[[ResponseClock], ResponseClock]) -> None:
    """Change our clocks of a case that are not stopped, and announce what was missed meanwhile."""
    changed = []
    for item in await clock_queries.list_clocks_of_case(unit, row.id):
        is_ours = item.clock.whose == "ours"
        clock = change(item.clock) if is_ours and item.clock.stopped_at is None else item.clock
        if clock == item.clock:
            continue
        changed.append(ClockOfCase(item.case_id, item.account_id, clock))
        publish_missed_deadline(unit, item, clock)
    await _save_clocks(unit, row, changed)


def publish_missed_deadline(unit: Unit, item: ClockOfCase, clock: ResponseClock) -> None:
    """Publish that an answer was not given in time, if a clock that has changed says so for the first time."""
    if clock.missed_at is None or item.clock.missed_at is not None:
        return
    assert clock.due_at is not None
    unit.publish(
        ResponseDeadlineMissed(
            case_id=item.case_id,
            account_id=item.account_id,
            whose=clock.whose,
            which=clock.which,
            run=clock.run,
            due_at=clock.due_at,
        )
    )


async def _save_clocks(unit: Unit, row: CaseRow, items: Sequence[ClockOfCase]) -> None:
    if items:
        await clock_queries.save_response_clocks(unit, items)
        await clock_queries.save_next_case_deadlines(unit, [row.id])
        await unit.session.refresh(row, ["next_deadline_at"])


async def _get_support(unit: Unit, account_id: UUID) -> AccountSupportTerms:
    return (await clock_queries.get_support_of_accounts(unit, [account_id]))[account_id]


async def _find_target(
    unit: Unit, support: AccountSupportTerms, row: CaseRow, name: ClockName
) -> ResponseTarget | None:
    target = await clock_queries.find_response_target(unit, support.support_level, row.kind, row.severity, name)
    return target or DEFAULT_TARGETS.get((row.kind, row.severity, name))
