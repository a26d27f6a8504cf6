"""Contact persons are named, changed, ended and erased; nothing of them is announced: who sends asks for them."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from services.invoicing.accounts.domain.contact_person import ContactPersonErased, check_contact_person
from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.contact_person_queries import (
    erase_answers_about_person,
    get_contact_person,
    save_contact_person,
)
from services.invoicing.accounts.tables.contact_person_tables import ContactPersonRow
from shared.persistence.audit import AuditedChange
from shared.persistence.audit_queries import erase_audited_values
from shared.persistence.database import Unit
from shared.pure.ids import new_id
from shared.web.versions import ANY_VERSION, check_object_version

OBJECT_TYPE = "contact_person"
EMPTIED = ("name", "email", "phone")
"""Columns that name a person; erasing empties them for good."""


async def add_contact_person(unit: Unit, account_id: UUID, fields: Mapping[str, Any]) -> ContactPersonRow:
    """Add a contact person to an account. Raises NotFound, ContactPersonRefused."""
    await account_queries.get_account(unit, account_id)
    row = ContactPersonRow(id=new_id(), account_id=account_id, version=1, erased_at=None, **fields)
    check_contact_person(row.channel, row.phone, row.valid_from, row.valid_to)
    await save_contact_person(unit, row)
    unit.record(AuditedChange(OBJECT_TYPE, row.id, account_id))
    return row


async def change_contact_person(
    unit: Unit, account_id: UUID, contact_person_id: UUID, version: int, fields: Mapping[str, Any]
) -> ContactPersonRow:
    """Change these fields of a contact person. If none differs, nothing happens.

    Raises NotFound, ChangedMeanwhile, ContactPersonErased, ContactPersonRefused.
    """
    await unit.lock_subjects(account_id)
    row = await get_contact_person(unit, account_id, contact_person_id)
    check_object_version(row.version, version)
    if row.erased_at is not None:
        raise ContactPersonErased("the contact person was erased")
    before = row.model_dump()
    if all(before[name] == value for name, value in fields.items()):
        unit.record_nothing()
        return row
    row.sqlmodel_update({**fields, "version": row.version + 1})
    check_contact_person(row.channel, row.phone, row.valid_from, row.valid_to)
    await save_contact_person(unit, row)
    unit.record(AuditedChange(OBJECT_TYPE, row.id, account_id, before, row.model_dump()))
    return row


async def end_contact_person(unit: Unit, account_id: UUID, contact_person_id: UUID, valid_to: date) -> ContactPersonRow:
    """End the validity of a contact person: `valid_to` is the first day on which they are not asked any more.

    Raises NotFound, ContactPersonErased, ContactPersonRefused.
    """
    return await change_contact_person(unit, account_id, contact_person_id, ANY_VERSION, {"valid_to": valid_to})


async def erase_contact_person(unit: Unit, account_id: UUID, contact_person_id: UUID) -> ContactPersonRow:
    """Empty for good what names a contact person, in audit and first answers too; the id stays. Raises NotFound."""
    await unit.lock_subjects(account_id)
    row = await get_contact_person(unit, account_id, contact_person_id)
    if row.erased_at is not None:
        unit.record_nothing()
        return row
    row.sqlmodel_update({**dict.fromkeys(EMPTIED), "erased_at": unit.now, "version": row.version + 1})
    await save_contact_person(unit, row)
    await erase_audited_values(unit, OBJECT_TYPE, row.id)
    await erase_answers_about_person(unit, row.id)
    unit.record(AuditedChange(OBJECT_TYPE, row.id, account_id, {"is_erased": False}, {"is_erased": True}))
    return row
