"""The mapping of a bank's CSV is set by a person."""

from dataclasses import asdict

from services.invoicing.bank.domain.statements.tabular import BankColumnMapping
from services.invoicing.bank.repository.bank_entry_queries import find_bank_column_mapping
from services.invoicing.bank.use_cases import bank_booking
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit


async def replace_bank_column_mapping(unit: Unit, name: str, columns: BankColumnMapping, actor: str) -> None:
    """Set what the columns of a bank's CSV mean, in the place of a former mapping of this name."""
    await unit.lock_subjects(f"bank mapping {name}")
    former = await find_bank_column_mapping(unit, name)
    before = former.columns if former else {}
    await bank_booking.change_bank_column_mapping(unit, name, columns, actor)
    unit.record(AuditedChange("bank_mapping", name, None, before, asdict(columns)))
