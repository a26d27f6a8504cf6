"""The rule of a legal entity on whether a second person is required is set by a person, with a reason."""

from typing import Any

from services.invoicing.accounts.repository.legal_entity_queries import check_addressed_legal_entity
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.repository.second_person_queries import (
    refund_needs_second_person,
    save_second_person_rule,
)
from services.invoicing.settings.tables import SecondPersonRuleRow, SettingChangeRow
from services.invoicing.settings.use_cases import (
    WantedSettingChange,
    is_setting_change_applied,
    lock_setting_to_change,
    propose_setting_change,
)
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.web.auth import Caller


async def change_second_person_rule(
    unit: Unit, caller: Caller, legal_entity: str, *, is_required: bool, reason: str
) -> SettingChangeRow:
    """Set whether a second person is required from now on, or propose that none is.

    Raises NotFound, ChangeAlreadyProposed.
    """
    await check_addressed_legal_entity(unit, legal_entity)
    await lock_setting_to_change(unit, SettingKind.SECOND_PERSON, legal_entity)
    former = await find_former_second_person(unit, legal_entity)
    wish = WantedSettingChange(SettingKind.SECOND_PERSON, legal_entity, legal_entity, former, {"required": is_required})
    row = await propose_setting_change(unit, caller, wish, reason)
    if is_setting_change_applied(row):
        await apply_second_person_change(unit, row)
    return row


async def find_former_second_person(unit: Unit, legal_entity: str) -> dict[str, Any]:
    """Find whether a second person is required."""
    return {"required": await refund_needs_second_person(unit, legal_entity)}


async def apply_second_person_change(unit: Unit, row: SettingChangeRow) -> None:
    """Carry out a change of the rule."""
    rule = SecondPersonRuleRow(
        legal_entity=row.key,
        is_required=row.wanted["required"],
        set_by=row.proposed_by,
        reason=row.reason or "",
        set_at=unit.now,
    )
    await save_second_person_rule(unit, rule)
    unit.record(AuditedChange("second_person", row.key, None, row.former, row.wanted))
