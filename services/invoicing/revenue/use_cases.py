"""A month of the ledger is closed: what it has earned is released, and nothing is posted into it any more."""

from datetime import UTC, date, datetime, time, timedelta

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.catalog.domain.billing_cycles import CycleAnchor
from services.invoicing.revenue.repository import release_queries
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.tables import SettingChangeRow
from services.invoicing.settings.use_cases import (
    WantedSettingChange,
    is_setting_change_applied,
    lock_setting_to_change,
    propose_setting_change,
)
from shared.events.invoicing import LedgerPeriodClosed
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.web.auth import Caller

LAST_ZONE = timedelta(hours=12)
"""How long after midnight UTC a date ends where it ends last (UTC-12)."""


class LedgerMonthNotOver(Refusal):
    """The month is not over in every time zone, so documents may still have a date in it."""

    code = "month_not_over"


class LedgerMonthAlreadyClosed(Refusal):
    """The month was closed before, by itself or with a later one."""

    code = "already_closed"


async def close_ledger_month(
    unit: Unit, caller: Caller, legal_entity: str, month: date, reason: str
) -> SettingChangeRow:
    """Close a month, or propose that. `month` is its first day.

    Raises NotFound, LedgerMonthNotOver, LedgerMonthAlreadyClosed, ChangeAlreadyProposed.
    """
    await legal_entity_queries.check_addressed_legal_entity(unit, legal_entity)
    over_at = datetime.combine(_start_next(month), time(0), UTC) + LAST_ZONE
    if unit.now < over_at:
        raise LedgerMonthNotOver(f"{month:%Y-%m} is not over everywhere before {over_at:%Y-%m-%d %H:%M} UTC")
    key = f"{legal_entity}/{month:%Y-%m}"
    await lock_setting_to_change(unit, SettingKind.LEDGER_PERIOD, key)
    await _check_open(unit, legal_entity, month)
    wish = WantedSettingChange(SettingKind.LEDGER_PERIOD, key, legal_entity, {"state": "open"}, {"state": "closed"})
    row = await propose_setting_change(unit, caller, wish, reason)
    if is_setting_change_applied(row):
        await release_and_close_month(unit, row)
    return row


async def release_and_close_month(unit: Unit, row: SettingChangeRow) -> None:
    """Release what was billed in advance and is earned by a month's end, and close it, in one transaction.

    Months before it that are open are closed with it. Raises LedgerMonthAlreadyClosed.
    """
    legal_entity, _, month_name = row.key.rpartition("/")
    month = date.fromisoformat(f"{month_name}-01")
    await unit.lock_subjects(f"ledger {legal_entity}")
    await legal_entity_queries.lock_entity_against_postings(unit, legal_entity)
    await _check_open(unit, legal_entity, month)
    await release_queries.release_earned_revenue(unit, legal_entity, _start_next(month), new_id())
    await release_queries.insert_closed_ledger_month(unit, legal_entity, month, row.proposed_by, row.reason or "")
    unit.publish(LedgerPeriodClosed(legal_entity=legal_entity, month=month))
    unit.record(AuditedChange("ledger_period", row.key))


def _start_next(month: date) -> date:
    return CycleAnchor(month, 1).get_billing_cycle_start(1)


async def _check_open(unit: Unit, legal_entity: str, month: date) -> None:
    if await release_queries.is_ledger_month_closed(unit, legal_entity, month):
        raise LedgerMonthAlreadyClosed(f"{month:%Y-%m} was closed before")
