"""Business calendars are set by a person, and announced whole: at each change, and anew as years go by."""

from typing import Any

from services.invoicing.accounts.domain.business_calendar import (
    BusinessCalendarRules,
    check_calendar_opens,
    compute_announced_years,
    list_closed_days,
)
from services.invoicing.accounts.repository.business_calendar_queries import (
    build_calendar_columns,
    find_business_calendar,
    list_calendars_to_announce,
    read_calendar_rules,
)
from services.invoicing.accounts.repository.legal_entity_queries import check_addressed_legal_entity
from services.invoicing.accounts.tables.calendar_tables import BusinessCalendarRow
from shared.events.invoicing import BusinessCalendarChanged
from shared.events.invoicing.calendars import SUBJECT_PREFIX
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, check_object_version


async def set_business_calendar(
    unit: Unit, legal_entity: str, version: int | None, rules: BusinessCalendarRules, actor: str
) -> BusinessCalendarRow:
    """Set the calendar of a legal entity; `version` is the one that is replaced, None for the first.

    Raises NotFound, IfMatchMissing, ChangedMeanwhile, BusinessCalendarNeverOpens.
    """
    await check_addressed_legal_entity(unit, legal_entity)
    await unit.lock_subjects(SUBJECT_PREFIX + legal_entity)
    row = await find_business_calendar(unit, legal_entity)
    _check_replaced(row, version)
    window = compute_announced_years(rules.time_zone, unit.now)
    check_calendar_opens(rules, window)
    before = row.model_dump() if row else None
    columns: dict[str, Any] = build_calendar_columns(rules) | {
        "legal_entity": legal_entity,
        "version": (row.version if row else 0) + 1,
        "changed_by": actor,
        "changed_at": unit.now,
        "covers_until": window.covers_until,
        "announce_at": window.next_at,
    }
    row = row.sqlmodel_update(columns) if row else BusinessCalendarRow(**columns)
    unit.session.add(row)
    await unit.session.flush()
    _announce_calendar(unit, row)
    unit.record(AuditedChange("business_calendar", legal_entity, None, before, before and row.model_dump()))
    return row


def _check_replaced(row: BusinessCalendarRow | None, version: int | None) -> None:
    if row is None:
        if version is not None:
            raise ChangedMeanwhile("the legal entity has no business calendar yet")
    elif version is None:
        raise IfMatchMissing("send If-Match with the ETag of the business calendar")
    else:
        check_object_version(row.version, version)


async def announce_business_calendars(unit: Unit, subjects: list[str]) -> None:
    """Announce those of these calendars anew that are due, each with the years that follow; they are locked."""
    codes = [subject.removeprefix(SUBJECT_PREFIX) for subject in subjects]
    for row in await list_calendars_to_announce(unit, codes):
        window = compute_announced_years(row.time_zone, unit.now)
        row.sqlmodel_update({"covers_until": window.covers_until, "announce_at": window.next_at})
        unit.session.add(row)
        _announce_calendar(unit, row)
    await unit.session.flush()


def _announce_calendar(unit: Unit, row: BusinessCalendarRow) -> None:
    rules = read_calendar_rules(row)
    unit.publish(
        BusinessCalendarChanged(
            legal_entity=row.legal_entity,
            time_zone=row.time_zone,
            hours=rules.hours,
            closed_days=tuple(list_closed_days(rules, compute_announced_years(row.time_zone, unit.now).years)),
            covers_until=row.covers_until,
        )
    )
