"""Mails of cases: addresses to answer to, and what became of what we sent."""

from uuid import UUID

from sqlmodel import col, select

from services.escalation.tables import CaseMailRow, EntryRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def insert_case_mail(unit: Unit, row: CaseMailRow) -> None:
    """Insert a mail that waits to be sent."""
    unit.session.add(row)
    await unit.session.flush()


async def get_case_mail(unit: Unit, entry_id: UUID) -> tuple[CaseMailRow, EntryRow]:
    """Get a mail with its entry. Raises NotFound."""
    row = await unit.session.get(CaseMailRow, entry_id, populate_existing=True)
    entry = await unit.session.get(EntryRow, entry_id)
    if row is None or entry is None:
        raise NotFound(f"there is no mail {entry_id}")
    return row, entry


async def save_case_mail(unit: Unit, row: CaseMailRow) -> None:
    """Write what became of a mail."""
    unit.session.add(row)
    await unit.session.flush()


async def list_delivered_case_mails(unit: Unit, case_id: UUID) -> list[tuple[CaseMailRow, EntryRow]]:
    """List the mails of a case that the customer got, as far as we know, the oldest first."""
    query = select(CaseMailRow, EntryRow).join(EntryRow, col(EntryRow.id) == col(CaseMailRow.entry_id))
    query = query.where(CaseMailRow.case_id == case_id, CaseMailRow.state == "delivered")
    return [(mail, entry) for mail, entry in await unit.session.exec(query.order_by(col(CaseMailRow.entry_id)))]


async def find_informing_mail(unit: Unit, case_id: UUID, outcome_sequence: int | None) -> int | None:
    """Find the sequence number of the last delivered mail about this outcome, written since it was known."""
    query = """
        SELECT max(sequence) FROM case_mails
        WHERE case_id = $1 AND about_outcome AND state = 'delivered' AND outcome_sequence = $2
    """
    sequence: int | None = await unit.connection.fetchval(query, case_id, outcome_sequence)
    return sequence


async def get_case_address_secret(unit: Unit, case_id: UUID, fresh: str) -> str:
    """Get the secret in the address of a case, whose account is locked; a fresh one is kept where it has none."""
    query = "INSERT INTO case_addresses (case_id, token) VALUES ($1, $2) ON CONFLICT (case_id) DO NOTHING"
    await unit.connection.execute(query, case_id, fresh)
    token: str = await unit.connection.fetchval("SELECT token FROM case_addresses WHERE case_id = $1", case_id)
    return token
