"""Cases and customer contacts."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.escalation.domain import CaseState
from services.escalation.tables import CaseRow, ContactRow
from shared.database import Unit
from shared.errors import NotFound
from shared.keyset import rows_after


async def case(unit: Unit, case_id: UUID) -> CaseRow:
    """The case, as it is in the database now. Raises NotFound."""
    row = await unit.session.get(CaseRow, case_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no case {case_id}")
    return row


async def add(unit: Unit, row: CaseRow) -> None:
    """Write a new case."""
    unit.session.add(row)
    await unit.session.flush()


async def open_for(unit: Unit, cause: str) -> bool:
    """Whether a case for this cause is open."""
    query = select(CaseRow.id).where(CaseRow.cause == cause, CaseRow.state == CaseState.OPEN)
    return (await unit.session.exec(query)).first() is not None


async def cases_after(
    unit: Unit, account_id: UUID | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[CaseRow]:
    """Cases in the order of their ids, filtered."""
    return await rows_after(unit, CaseRow, after, limit, account_id=account_id, state=state)


async def add_contact(unit: Unit, row: ContactRow) -> None:
    """Put a contact on record."""
    unit.session.add(row)
    await unit.session.flush()


async def contacts_of(unit: Unit, case_id: UUID) -> Sequence[ContactRow]:
    """The contacts of a case, oldest first."""
    query = select(ContactRow).where(ContactRow.case_id == case_id).order_by(col(ContactRow.id))
    return (await unit.session.exec(query)).all()


async def get_informed_sequence(unit: Unit, case_id: UUID) -> int | None:
    """Get the sequence number of the last contact about the outcome; None if there is none."""
    sequence: int | None = await unit.connection.fetchval(
        "SELECT max(sequence) FROM contacts WHERE case_id = $1 AND about_outcome", case_id
    )
    return sequence
