"""What our documents say of us is set by a person, and says whether documents go out by mail."""

from typing import Any

from services.invoicing.repository import legal_entities as repository
from services.invoicing.repository import parties
from services.invoicing.tables import LegalEntityRow
from services.invoicing.use_cases.accounts import ANY_VERSION, Stale
from shared.audit import Change
from shared.database import Unit


async def put(unit: Unit, code: str, version: int | None, fields: dict[str, Any], actor: str) -> LegalEntityRow:
    """Set the data of a legal entity; `version` is the one that they replace, None for the first. Raises Stale."""
    await unit.lock(f"legal entity {code}")
    row = await repository.known(unit, code)
    stored = row or await unit.session.get(LegalEntityRow, code)
    found = row.version if row else None
    if version != found and not (version == ANY_VERSION and found):
        raise Stale(f"the legal entity is at version {found}" if found else "the legal entity has no data yet")
    before = row.model_dump() if row else None
    if row:
        await parties.keep_seller(unit, row)
    values = fields | {"code": code, "version": (found or 0) + 1, "changed_by": actor, "changed_at": unit.now}
    row = stored.sqlmodel_update(values) if stored else LegalEntityRow(**values)
    unit.session.add(row)
    await unit.session.flush()
    unit.record(Change("legal_entity", code, None, before, before and row.model_dump()))
    return row
