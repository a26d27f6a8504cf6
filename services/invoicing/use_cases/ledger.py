"""A month of the ledger is closed: what it has earned is released, and nothing is posted into it any more."""

from datetime import UTC, date

from services.invoicing.domain.cycles import Anchor
from services.invoicing.repository import ledger as repository
from shared.audit import Change
from shared.database import Unit
from shared.errors import Refusal
from shared.events.invoicing import LedgerPeriodClosed
from shared.ids import new_id


class MonthNotOver(Refusal):
    """The month is not over (UTC), so facts are still posted into it."""

    code = "month_not_over"


class AlreadyClosed(Refusal):
    """The month was closed before."""

    code = "already_closed"


async def close(unit: Unit, legal_entity: str, month: date, actor: str, reason: str) -> None:
    """Release what was billed in advance and is earned by the month's end, and close it, in one transaction.

    `month` is its first day. Raises MonthNotOver, AlreadyClosed.
    """
    following = Anchor(month, 1).start(1)
    if unit.now.astimezone(UTC).date() < following:
        raise MonthNotOver(f"{month:%Y-%m} is not over")
    subject = f"ledger {legal_entity}"
    await unit.lock(subject)
    await repository.release(unit, legal_entity, following, new_id())
    if not await repository.close(unit, legal_entity, month, actor, reason):
        raise AlreadyClosed(f"{month:%Y-%m} was closed before")
    unit.publish(LedgerPeriodClosed(legal_entity=legal_entity, month=month))
    unit.record(Change("ledger_period", f"{legal_entity}/{month:%Y-%m}"))
