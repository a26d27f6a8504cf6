"""Contact persons of accounts."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.invoicing.accounts.domain.contact_person import DEFAULT_ROLE
from services.invoicing.accounts.tables.contact_person_tables import ContactPersonRow
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound
from shared.web.idempotency import REMOVED_ANSWER

_ADDRESSEE = """
SELECT * FROM contact_persons WHERE account_id = $1 AND role = ANY($2::text[]) AND erased_at IS NULL
    AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)
ORDER BY role = $4 DESC, valid_from DESC, id DESC LIMIT 1
"""
_REMOVE_ANSWERS = """
UPDATE idempotency SET answer = $2 WHERE route LIKE '%/contact-persons%' AND answer::jsonb ->> 'id' = $1
"""


async def get_contact_person(unit: Unit, account_id: UUID, contact_person_id: UUID) -> ContactPersonRow:
    """Get a contact person of an account as they are now; lock its stream first to change them. Raises NotFound."""
    row = await unit.session.get(ContactPersonRow, contact_person_id, populate_existing=True)
    if row is None or row.account_id != account_id:
        raise NotFound(f"the account has no contact person {contact_person_id}")
    return row


async def list_contact_persons(
    unit: Unit, account_id: UUID, role: str | None, valid_on: date | None, after: UUID | None, limit: int
) -> Sequence[asyncpg.Record]:
    """List the contact persons of an account in the order of their ids; of a role, valid on a day, if that is asked.

    Who was erased is valid on no day.
    """
    conditions: tuple[tuple[str, Any], ...] = (
        ("account_id = {}", account_id),
        ("id > {}", after),
        ("role = {}", role),
        ("erased_at IS NULL AND valid_from <= {}", valid_on),
        ("(valid_to IS NULL OR valid_to > {})", valid_on),
    )
    query, arguments = build_list_query("SELECT * FROM contact_persons", conditions, "id", limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def find_addressee(unit: Unit, account_id: UUID, role: str, day: date) -> ContactPersonRow | None:
    """Find who is written to in a role on a day, else for billing: of several whoever is valid since the last day."""
    row = await unit.connection.fetchrow(_ADDRESSEE, account_id, [role, DEFAULT_ROLE], day, role)
    return ContactPersonRow(**row) if row else None


async def save_contact_person(unit: Unit, row: ContactPersonRow) -> None:
    """Write a contact person."""
    unit.session.add(row)
    await unit.session.flush()


async def erase_answers_about_person(unit: Unit, contact_person_id: UUID) -> None:
    """Remove what requests about a contact person were answered; their keys stay, so nothing is done a second time."""
    await unit.connection.execute(_REMOVE_ANSWERS, str(contact_person_id), REMOVED_ANSWER)
