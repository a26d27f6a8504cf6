"""Accounts are registered and changed; subscriptions are activated."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.invoicing.accounts.repository import account_queries, document_party_queries, legal_entity_queries
from services.invoicing.accounts.tables.account_tables import AccountRow
from shared.events.invoicing import AccountChanged, AccountRegistered
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.web.versions import check_object_version


class ExternalReferenceTaken(Refusal):
    """Another thing has this external reference or vendor id."""

    code = "reference_taken"


async def register_account(unit: Unit, fields: dict[str, Any]) -> AccountRow:
    """Register a billing customer. Raises UnknownLegalEntity, ExternalReferenceTaken."""
    await legal_entity_queries.check_legal_entity(unit, fields["legal_entity"])
    reference = fields["external_reference"]
    if reference and await account_queries.find_account_by_reference(unit, reference):
        raise ExternalReferenceTaken(f"another account has the external reference {reference}")
    row = AccountRow(id=new_id(), version=1, registered_at=unit.now, **fields)
    if not await account_queries.insert_account_if_new(unit, row):
        raise ExternalReferenceTaken(f"another account has the external reference {reference}")
    await unit.lock_subjects(row.id)
    unit.publish(AccountRegistered(**_event_fields(row)))
    unit.record(AuditedChange("account", row.id, row.id))
    return row


async def change_account(unit: Unit, account_id: UUID, version: int, fields: Mapping[str, Any]) -> AccountRow:
    """Change these fields of an account's master data. If none differs, nothing happens.

    Raises NotFound, ChangedMeanwhile.
    """
    await unit.lock_subjects(account_id)
    row = await account_queries.get_account_row(unit, account_id)
    check_object_version(row.version, version)
    before = row.model_dump() | {"address": row.address or []}
    if all(before[name] == value for name, value in fields.items()):
        unit.record_nothing()
        return row
    await document_party_queries.save_former_buyer(unit, row)
    row.sqlmodel_update({**fields, "version": row.version + 1})
    unit.session.add(row)
    await unit.session.flush()
    unit.publish(AccountChanged(**_event_fields(row)))
    unit.record(AuditedChange("account", row.id, row.id, before, row.model_dump()))
    return row


def _event_fields(row: AccountRow) -> dict[str, Any]:
    """Build what of an account goes onto the topic: no name and no address."""
    return {
        "account_id": row.id,
        "legal_entity": row.legal_entity,
        "currency": row.currency,
        "time_zone": row.time_zone,
        "terms_days": row.terms_days,
        "external_reference": row.external_reference,
        "vendor_customer_ids": tuple(row.vendor_customer_ids),
        "language": row.language,
        "country": row.country,
        "tax_status": row.tax_status,
        "support_level": row.support_level,
    }
