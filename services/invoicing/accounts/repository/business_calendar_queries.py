"""Business calendars of our legal entities."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlmodel import col, select

from services.invoicing.accounts.domain.business_calendar import BusinessCalendarRules, ClosedDay
from services.invoicing.accounts.tables.calendar_tables import BusinessCalendarRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def find_business_calendar(unit: Unit, legal_entity: str) -> BusinessCalendarRow | None:
    """Find the calendar of a legal entity as it is now; lock its stream first to change it."""
    return await unit.session.get(BusinessCalendarRow, legal_entity, populate_existing=True)


async def get_calendar_row(unit: Unit, legal_entity: str) -> BusinessCalendarRow:
    """Get the calendar of a legal entity. Raises NotFound."""
    row = await find_business_calendar(unit, legal_entity)
    if row is None:
        raise NotFound(f"the legal entity {legal_entity} has no business calendar")
    return row


async def list_calendars_to_announce(unit: Unit, legal_entities: Collection[str]) -> Sequence[BusinessCalendarRow]:
    """List those of these legal entities' calendars that are to be announced anew, by their codes."""
    query = (
        select(BusinessCalendarRow)
        .where(col(BusinessCalendarRow.legal_entity).in_(legal_entities))
        .where(col(BusinessCalendarRow.announce_at) <= unit.now)
        .order_by(col(BusinessCalendarRow.legal_entity))
    )
    return (await unit.session.exec(query)).all()


def read_calendar_rules(row: BusinessCalendarRow) -> BusinessCalendarRules:
    """Build the rules of a calendar from its row."""
    return BusinessCalendarRules(
        row.time_zone,
        row.country,
        row.subdivision,
        tuple(tuple((begin, end) for begin, end in weekday) for weekday in row.hours),
        tuple(ClosedDay(date.fromisoformat(day), name) for day, name in row.extra_closed_days),
        tuple(row.extra_open_days),
    )


def build_calendar_columns(rules: BusinessCalendarRules) -> dict[str, object]:
    """Build the columns that carry the rules of a calendar."""
    return {
        "time_zone": rules.time_zone,
        "country": rules.country,
        "subdivision": rules.subdivision,
        "hours": [[[begin, end] for begin, end in weekday] for weekday in rules.hours],
        "extra_closed_days": [[closed.day.isoformat(), closed.name] for closed in rules.extra_closed_days],
        "extra_open_days": list(rules.extra_open_days),
    }
