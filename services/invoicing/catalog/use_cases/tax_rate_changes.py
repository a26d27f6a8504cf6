"""A tax rate is set by a person, and by a second one once its legal entity has issued invoices."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.catalog.repository import tax_rate_queries
from services.invoicing.settings.domain.setting_change import SettingKind, Values
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


@dataclass(frozen=True, slots=True)
class NewTaxRate:
    """The tax on a class of goods for customers of a country from a date on, in basis points."""

    legal_entity: str
    country: str
    tax_class: str
    valid_from: date
    rate_bp: int


async def change_tax_rate(unit: Unit, caller: Caller, new: NewTaxRate, reason: str) -> SettingChangeRow:
    """Set a tax rate, in the place of a former one from the same date on, or propose it.

    Raises UnknownLegalEntity, ChangeAlreadyProposed.
    """
    await legal_entity_queries.check_legal_entity(unit, new.legal_entity)
    wanted = asdict(new) | {"valid_from": new.valid_from.isoformat()}
    key = "/".join((new.legal_entity, new.country, new.tax_class, wanted["valid_from"]))
    await lock_setting_to_change(unit, SettingKind.TAX_RATE, key)
    wish = WantedSettingChange(
        SettingKind.TAX_RATE, key, new.legal_entity, await find_former_tax_rate(unit, wanted), wanted
    )
    row = await propose_setting_change(unit, caller, wish, reason)
    if is_setting_change_applied(row):
        await apply_tax_rate_change(unit, row)
    return row


async def find_former_tax_rate(unit: Unit, wanted: Values) -> dict[str, Any]:
    """Find the rate that is set for the same class from the same date on; empty if there is none."""
    new = _parse_rate(wanted)
    former_bp = await tax_rate_queries.find_tax_rate(unit, new.legal_entity, new.country, new.tax_class, new.valid_from)
    return {} if former_bp is None else {"rate_bp": former_bp}


async def apply_tax_rate_change(unit: Unit, row: SettingChangeRow) -> None:
    """Carry out a change of a rate; invoices that were issued keep theirs."""
    new = _parse_rate(row.wanted)
    await tax_rate_queries.save_tax_rate(unit, **asdict(new))
    before = {"rate_bp": row.former.get("rate_bp")}
    unit.record(AuditedChange("tax_rate", row.key, None, before, {"rate_bp": new.rate_bp}))


def _parse_rate(wanted: Values) -> NewTaxRate:
    return NewTaxRate(**{**wanted, "valid_from": date.fromisoformat(wanted["valid_from"])})
