"""Chargebacks of which the network is owed an answer, or was."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from services.escalation.tables import ChargebackRow
from shared.database import Unit

CAUSE_PREFIX = "chargeback:"
"""Prefix of the cause of a case that a chargeback opened, before its id."""


async def find_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow | None:
    """Find a chargeback as it is now."""
    return await unit.session.get(ChargebackRow, chargeback_id, populate_existing=True)


async def find_of_cause(unit: Unit, cause: str | None) -> ChargebackRow | None:
    """Find the chargeback that is the cause of a case; most have none."""
    if cause is None or not cause.startswith(CAUSE_PREFIX):
        return None
    return await find_chargeback(unit, UUID(cause.removeprefix(CAUSE_PREFIX)))


async def save_chargeback(unit: Unit, row: ChargebackRow) -> None:
    """Write a chargeback, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def list_due(unit: Unit, account_ids: Sequence[UUID], until: datetime) -> Sequence[ChargebackRow]:
    """List the chargebacks of accounts of which somebody is to be warned by an instant."""
    query = select(ChargebackRow).where(
        col(ChargebackRow.wake_at) <= until, col(ChargebackRow.account_id).in_(account_ids)
    )
    return (await unit.session.exec(query.order_by(col(ChargebackRow.chargeback_id)))).all()
