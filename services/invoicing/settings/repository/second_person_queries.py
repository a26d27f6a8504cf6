"""The rule of each legal entity on whether a second person is required; without one it is."""

from services.invoicing.settings.tables import SecondPersonRuleRow
from shared.persistence.database import Unit


async def find_second_person_rule(unit: Unit, legal_entity: str) -> SecondPersonRuleRow | None:
    """Find the rule that was set for a legal entity, as it is now."""
    return await unit.session.get(SecondPersonRuleRow, legal_entity, populate_existing=True)


async def refund_needs_second_person(unit: Unit, legal_entity: str) -> bool:
    """Whether every refund of a legal entity needs a second person: yes, unless somebody said that it does not."""
    rule = await find_second_person_rule(unit, legal_entity)
    return rule is None or rule.is_required


async def save_second_person_rule(unit: Unit, row: SecondPersonRuleRow) -> SecondPersonRuleRow:
    """Write the rule of a legal entity, in the place of a former one."""
    saved = await unit.session.merge(row)
    await unit.session.flush()
    return saved


_NEEDS_SECOND_PERSON = """
SELECT EXISTS (
    SELECT FROM numbers n LEFT JOIN second_person_rules s ON s.legal_entity = n.legal_entity
    WHERE n.series = 'invoice' AND ($1::text IS NULL OR n.legal_entity = $1) AND coalesce(s.is_required, true)
)
"""


async def setting_needs_second_person(unit: Unit, legal_entity: str | None) -> bool:
    """Say whether a setting needs a second person: its legal entity (None: any) has issued, and requires one."""
    return bool(await unit.connection.fetchval(_NEEDS_SECOND_PERSON, legal_entity))
