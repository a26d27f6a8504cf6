"""Data of legal entities are set by a person, and by two persons where they say where money goes."""

from typing import Any

from services.invoicing.accounts.repository import document_party_queries, legal_entity_queries
from services.invoicing.accounts.tables.legal_entity_tables import LegalEntityRow
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.tables import SettingChangeRow
from services.invoicing.settings.use_cases import (
    WantedSettingChange,
    is_setting_change_applied,
    lock_setting_to_change,
    propose_setting_change,
)
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.web.auth import Caller
from shared.web.versions import ANY_VERSION, ChangedMeanwhile


async def change_legal_entity(
    unit: Unit, caller: Caller, code: str, version: int | None, fields: dict[str, Any], reason: str | None
) -> SettingChangeRow:
    """Set the data of a legal entity, or propose them; `version` is the one that they replace, None for the first.

    Raises ChangedMeanwhile, ChangeAlreadyProposed.
    """
    await lock_setting_to_change(unit, SettingKind.LEGAL_ENTITY, code)
    former = await find_former_legal_entity(unit, code)
    present = former.get("version")
    if version != present and not (version == ANY_VERSION and present):
        raise ChangedMeanwhile(
            f"the legal entity is at version {present}" if present else "the legal entity has no data yet"
        )
    row = await propose_setting_change(
        unit, caller, WantedSettingChange(SettingKind.LEGAL_ENTITY, code, code, former, fields), reason
    )
    if is_setting_change_applied(row):
        await apply_legal_entity_change(unit, row)
    return row


async def find_former_legal_entity(unit: Unit, code: str) -> dict[str, Any]:
    """Find the data of a legal entity with their version, as JSON has them; empty if there are none."""
    row = await legal_entity_queries.find_legal_entity(unit, code)
    return row.model_dump(mode="json") if row else {}


async def apply_legal_entity_change(unit: Unit, change: SettingChangeRow) -> None:
    """Carry out a change of a legal entity; documents of before name it as it was."""
    code = change.key
    row = await legal_entity_queries.find_legal_entity(unit, code)
    stored = row or await unit.session.get(LegalEntityRow, code)
    before = row.model_dump() if row else None
    if row:
        await document_party_queries.save_former_seller(unit, row)
    version = (before or {}).get("version", 0) + 1
    made = {"code": code, "version": version, "changed_by": change.proposed_by, "changed_at": unit.now}
    values = change.wanted | made
    row = stored.sqlmodel_update(values) if stored else LegalEntityRow(**values)
    unit.session.add(row)
    await unit.session.flush()
    unit.record(AuditedChange("legal_entity", code, None, before, before and row.model_dump()))
