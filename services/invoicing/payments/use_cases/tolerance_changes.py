"""Tolerances are set by a person; a higher one needs a second person once its legal entity has issued invoices."""

from typing import Any

from services.invoicing.accounts.repository.legal_entity_queries import check_addressed_legal_entity
from services.invoicing.payments.repository import tolerance_queries
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
from shared.pure.money import Money
from shared.web.auth import Caller


async def change_payment_tolerance(
    unit: Unit, caller: Caller, legal_entity: str, money: Money, reason: str
) -> SettingChangeRow:
    """Set a tolerance, in the place of a former one, or propose it. Raises NotFound, ChangeAlreadyProposed."""
    await check_addressed_legal_entity(unit, legal_entity)
    key = f"{legal_entity}/{money.currency}"
    await lock_setting_to_change(unit, SettingKind.TOLERANCE, key)
    former, wanted = await find_former_payment_tolerance(unit, key), {"amount_minor": money.minor}
    wish = WantedSettingChange(SettingKind.TOLERANCE, key, legal_entity, former, wanted)
    row = await propose_setting_change(unit, caller, wish, reason)
    if is_setting_change_applied(row):
        await apply_tolerance_change(unit, row)
    return row


async def find_former_payment_tolerance(unit: Unit, key: str) -> dict[str, Any]:
    """Find the amount of a tolerance by its key; empty if there is none."""
    former = await tolerance_queries.find_payment_tolerance(unit, *key.split("/"))
    return {"amount_minor": former["amount_minor"]} if former else {}


async def apply_tolerance_change(unit: Unit, row: SettingChangeRow) -> None:
    """Carry out a change of a tolerance: it holds for payments from now on."""
    legal_entity, currency = row.key.split("/")
    former = await tolerance_queries.find_payment_tolerance(unit, legal_entity, currency)
    after = {"amount_minor": row.wanted["amount_minor"], "reason": row.reason or ""}
    await tolerance_queries.save_payment_tolerance(
        unit, legal_entity, currency, after["amount_minor"], row.proposed_by, after["reason"]
    )
    unit.record(AuditedChange("tolerance", row.key, None, dict(former or {}), after))
