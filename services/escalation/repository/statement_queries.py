"""Statements of support, with the hours and the response times that they state."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import col, select

from services.escalation.domain.clocks import DEFAULT_CALENDAR, DEFAULT_TARGETS, ResponseTarget
from services.escalation.repository.clock_queries import NO_SEVERITY, STANDARD
from services.escalation.tables import BusinessCalendarRow, SupportStatementRow
from shared.persistence.database import Unit


async def list_support_statements(unit: Unit) -> Sequence[SupportStatementRow]:
    """List the statements by legal entity and language; there are few."""
    order = (col(SupportStatementRow.legal_entity), col(SupportStatementRow.language))
    return (await unit.session.exec(select(SupportStatementRow).order_by(*order))).all()


async def save_support_statement(unit: Unit, row: SupportStatementRow) -> dict[str, Any] | None:
    """Write a statement in the place of a former one; the content of that one, if there was any."""
    former = await unit.session.get(SupportStatementRow, (row.legal_entity, row.language), populate_existing=True)
    before = None if former is None else dict(former.content)
    await unit.session.merge(row)
    await unit.session.flush()
    return before


async def get_support_calendar(unit: Unit, legal_entity: str) -> BusinessCalendarRow:
    """Get the business calendar of a legal entity; of one that has said nothing, the hours by which clocks count."""
    row = await unit.session.get(BusinessCalendarRow, legal_entity, populate_existing=True)
    if row is not None:
        return row
    hours = [[list(span) for span in spans] for spans in DEFAULT_CALENDAR.hours]
    zone = DEFAULT_CALENDAR.zone.key
    return BusinessCalendarRow(
        legal_entity=legal_entity, time_zone=zone, hours=hours, closed_days=[], covers_until=date.max
    )


async def map_first_answer_targets(unit: Unit) -> dict[tuple[str, str | None], ResponseTarget]:
    """Map kinds of cases and severities to how long the first answer may take, at the standard support level."""
    targets = {
        (kind, severity): target for (kind, severity, which), target in DEFAULT_TARGETS.items() if which == "first"
    }
    rows = await unit.connection.fetch(
        "SELECT kind, severity, minutes, business_days, is_round_the_clock, warn_minutes FROM response_targets"
        " WHERE support_level = $1 AND which = 'first'",
        STANDARD,
    )
    for kind, severity, *target in rows:
        targets[kind, None if severity == NO_SEVERITY else severity] = ResponseTarget(*target)
    return targets
