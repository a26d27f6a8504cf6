"""Our legal entities as their documents name them."""

from services.invoicing.tables import LegalEntityRow
from shared.database import Unit
from shared.errors import NotFound


async def known(unit: Unit, code: str) -> LegalEntityRow | None:
    """The data of a legal entity, if there are any; locked by nobody."""
    return await unit.session.get(LegalEntityRow, code)


async def legal_entity(unit: Unit, code: str) -> LegalEntityRow:
    """The data of a legal entity. Raises NotFound."""
    row = await known(unit, code)
    if row is None:
        raise NotFound(f"nothing is known of a legal entity {code}")
    return row
