"""A tax rate is set by a person."""

from dataclasses import asdict, dataclass
from datetime import date

from services.invoicing.repository import legal_entities, tax
from shared.audit import Change
from shared.database import Unit


@dataclass(frozen=True, slots=True)
class NewTaxRate:
    """The tax on a class of goods for customers of a country from a date on, in basis points."""

    legal_entity: str
    country: str
    tax_class: str
    valid_from: date
    rate_bp: int


async def set_rate(unit: Unit, new: NewTaxRate) -> None:
    """Set a tax rate, in the place of a former one from the same date on. Raises UnknownLegalEntity."""
    await legal_entities.check_legal_entity(unit, new.legal_entity)
    key = (new.legal_entity, new.country, new.tax_class, new.valid_from)
    name = "/".join(map(str, key))
    await unit.lock(f"tax rate {name}")
    former_bp = await tax.find_rate(unit, *key)
    await tax.set_rate(unit, **asdict(new))
    unit.record(Change("tax_rate", name, None, {"rate_bp": former_bp}, {"rate_bp": new.rate_bp}))
