"""Business calendars of our legal entities: when somebody works."""

from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.events.base import Event
from shared.pure.business_time import BusinessCalendar, check_business_calendar

SUBJECT_PREFIX = "calendar:"
"""Before the code of a legal entity, which by itself may be the id of something else."""


class BusinessCalendarChanged(Event):
    """The calendar of a legal entity, whole: readers evaluate by it alone."""

    producer: ClassVar[str] = "invoicing"
    legal_entity: str
    time_zone: str = Field(description="IANA name; hours are in this zone")
    hours: tuple[tuple[tuple[int, int], ...], ...] = Field(
        min_length=7,
        max_length=7,
        description="of each weekday from Monday on: from and until, in minutes from local midnight; 1440 is its end",
    )
    closed_days: tuple[date, ...] = Field(description="holidays, and what else is closed")
    covers_until: date = Field(description="the last day whose holidays are in it; it is announced anew before")

    def subject(self) -> str:
        """The legal entity's calendar."""
        return f"{SUBJECT_PREFIX}{self.legal_entity}"

    def build_calendar(self) -> BusinessCalendar:
        """Build the calendar that it announces. Raises ValueError and KeyError if no time can be measured by it."""
        calendar = BusinessCalendar(ZoneInfo(self.time_zone), self.hours, frozenset(self.closed_days))
        check_business_calendar(calendar)
        return calendar
