"""A month of the ledger is closed: what it has earned is released, and nothing is posted into it any more."""

from datetime import UTC, date, datetime, time, timedelta

from services.invoicing.domain.cycles import Anchor
from services.invoicing.repository import ledger as repository
from services.invoicing.repository import legal_entities
from shared.audit import Change
from shared.database import Unit
from shared.errors import Refusal
from shared.events.invoicing import LedgerPeriodClosed
from shared.ids import new_id

LAST_ZONE = timedelta(hours=12)
"""How long after midnight UTC a date ends where it ends last (UTC-12)."""


class MonthNotOver(Refusal):
    """The month is not over in every time zone, so documents may still have a date in it."""

    code = "month_not_over"


class AlreadyClosed(Refusal):
    """The month was closed before, by itself or with a later one."""

    code = "already_closed"


async def close(unit: Unit, legal_entity: str, month: date, actor: str, reason: str) -> None:
    """Release what was billed in advance and is earned by the month's end, and close it, in one transaction.

    `month` is its first day. Months before it that are open are closed with it. Raises NotFound, MonthNotOver,
    AlreadyClosed.
    """
    await legal_entities.require_legal_entity(unit, legal_entity)
    following = Anchor(month, 1).start(1)
    over_at = datetime.combine(following, time(0), UTC) + LAST_ZONE
    if unit.now < over_at:
        raise MonthNotOver(f"{month:%Y-%m} is not over everywhere before {over_at:%Y-%m-%d %H:%M} UTC")
    await unit.lock(f"ledger {legal_entity}")
    await legal_entities.lock_to_close(unit, legal_entity)
    if await repository.is_closed(unit, legal_entity, month):
        raise AlreadyClosed(f"{month:%Y-%m} was closed before")
    await repository.release(unit, legal_entity, following, new_id())
    await repository.close(unit, legal_entity, month, actor, reason)
    unit.publish(LedgerPeriodClosed(legal_entity=legal_entity, month=month))
    unit.record(Change("ledger_period", f"{legal_entity}/{month:%Y-%m}"))
