"""The rule of a legal entity on whether a second person is required is set by a person, with a reason."""

from services.invoicing.repository import legal_entities, second_person
from services.invoicing.tables import SecondPersonRuleRow
from shared.audit import Change
from shared.database import Unit


async def set_rule(unit: Unit, legal_entity: str, *, is_required: bool, actor: str, reason: str) -> SecondPersonRuleRow:
    """Set whether a second person is required, for what is asked for from now on. Raises NotFound."""
    await legal_entities.require_legal_entity(unit, legal_entity)
    await unit.lock(f"second person {legal_entity}")
    was_required = await second_person.is_second_person_required(unit, legal_entity)
    row = SecondPersonRuleRow(
        legal_entity=legal_entity, is_required=is_required, set_by=actor, reason=reason, set_at=unit.now
    )
    saved = await second_person.save_rule(unit, row)
    unit.record(Change("second_person", legal_entity, None, {"required": was_required}, {"required": is_required}))
    return saved
