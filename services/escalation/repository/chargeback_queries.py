"""Chargebacks of which the network is owed an answer, or was."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from services.escalation.tables import ChargebackEvidenceRow, ChargebackRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

CAUSE_PREFIX = "chargeback:"
"""Prefix of the cause of a case that a chargeback opened, before its id."""


async def find_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow | None:
    """Find a chargeback as it is now."""
    return await unit.session.get(ChargebackRow, chargeback_id, populate_existing=True)


async def get_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow:
    """Get a chargeback as it is now. Raises NotFound."""
    row = await find_chargeback(unit, chargeback_id)
    if row is None:
        raise NotFound(f"there is no chargeback {chargeback_id}")
    return row


async def find_chargeback_of_case(unit: Unit, cause: str | None) -> ChargebackRow | None:
    """Find the chargeback that is the cause of a case; most have none."""
    if cause is None or not cause.startswith(CAUSE_PREFIX):
        return None
    return await find_chargeback(unit, UUID(cause.removeprefix(CAUSE_PREFIX)))


async def save_chargeback(unit: Unit, row: ChargebackRow) -> None:
    """Write a chargeback, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def insert_chargeback_evidence(unit: Unit, row: ChargebackEvidenceRow) -> None:
    """Insert what was given to the network."""
    unit.session.add(row)
    await unit.session.flush()


async def list_chargeback_evidence(unit: Unit, chargeback_id: UUID) -> Sequence[ChargebackEvidenceRow]:
    """List what was given to the network in a chargeback, the oldest first; there is little of it."""
    query = select(ChargebackEvidenceRow).where(ChargebackEvidenceRow.chargeback_id == chargeback_id)
    return (await unit.session.exec(query.order_by(col(ChargebackEvidenceRow.id)))).all()


async def list_due_chargebacks(unit: Unit, account_ids: Sequence[UUID], until: datetime) -> Sequence[ChargebackRow]:
    """List the chargebacks of accounts of which somebody is to be warned by an instant."""
    query = select(ChargebackRow).where(
        col(ChargebackRow.wake_at) <= until, col(ChargebackRow.account_id).in_(account_ids)
    )
    return (await unit.session.exec(query.order_by(col(ChargebackRow.chargeback_id)))).all()
