"""Business calendars of our legal entities over REST."""

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from fastapi import Header, Response
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

from services.invoicing.accounts.domain.business_calendar import (
    BusinessCalendarNeverOpens,
    BusinessCalendarRules,
    ClosedDay,
    list_holiday_countries,
    list_holidays,
)
from services.invoicing.accounts.repository.business_calendar_queries import get_calendar_row, read_calendar_rules
from services.invoicing.accounts.repository.legal_entity_queries import check_addressed_legal_entity
from services.invoicing.accounts.tables.calendar_tables import BusinessCalendarRow
from services.invoicing.accounts.use_cases import calendar_changes
from shared.persistence.database import Unit
from shared.pure.business_time import Hours
from shared.pure.calendar import get_local_date
from shared.pure.fields import Code, Country, Day, Name, RequestBody, Zone, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import ETAG, PROBLEMS, Read, Router, refusals
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, build_etag, parse_if_match

PREFIX, TAGS = "/v1/legal-entities", ["legal entities"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:settings")], responses=PROBLEMS)

MAX_OPENINGS = 10
"""How many openings a day has at most."""
MAX_DAYS = 400
"""How many days are closed, or open, beside the rule at most."""
TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"


def parse_clock_time(text: str) -> int:
    """Parse a time of day, as minutes from local midnight."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def render_clock_time(minute: int) -> str:
    """Render minutes from local midnight as a time of day; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


class Opening(RequestBody):
    """From when until when it is open, in local time."""

    model_config = set_model_example(opens="09:00", closes="17:00")

    opens: str = Field(pattern=f"^{TIME}$", examples=["09:00"])
    closes: str = Field(pattern=f"^({TIME}|24:00)$", examples=["17:00"], description="24:00 is the end of the day")

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("it closes after it opens")
        return self


def _check_order(openings: list[Opening]) -> list[Opening]:
    if any(later.opens < former.closes for former, later in pairwise(openings)):
        raise ValueError("openings are in order, and do not overlap")
    return openings


Openings = Annotated[list[Opening], Field(max_length=MAX_OPENINGS), AfterValidator(_check_order)]
"""Openings of a day, in order."""


class WeekHours(RequestBody):
    """Openings of each weekday; a day without any is closed."""

    model_config = set_model_example(
        **{day: [get_model_example(Opening)] for day in ("monday", "tuesday", "wednesday", "thursday")},
        friday=[{"opens": "09:00", "closes": "12:00"}, {"opens": "13:00", "closes": "15:30"}],
        saturday=[],
        sunday=[],
    )

    monday: Openings = Field(default=[])
    tuesday: Openings = Field(default=[])
    wednesday: Openings = Field(default=[])
    thursday: Openings = Field(default=[])
    friday: Openings = Field(default=[])
    saturday: Openings = Field(default=[])
    sunday: Openings = Field(default=[])

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if not any(self.list_weekday_openings()):
            raise ValueError("at least one weekday has openings")
        return self

    def list_weekday_openings(self) -> list[Hours]:
        """List the openings of each weekday from Monday on, in minutes."""
        return [
            tuple((parse_clock_time(span.opens), parse_clock_time(span.closes)) for span in getattr(self, weekday))
            for weekday in WeekHours.model_fields
        ]

    @classmethod
    def from_weekday_openings(cls, weekdays: tuple[Hours, ...]) -> Self:
        """Build the hours of a week from those of each weekday, in minutes."""
        return cls(
            **{
                weekday: [
                    Opening(opens=render_clock_time(begin), closes=render_clock_time(end)) for begin, end in hours
                ]
                for weekday, hours in zip(cls.model_fields, weekdays, strict=True)
            }
        )


class NamedDay(RequestBody):
    """A day on which nobody works, and why."""

    model_config = set_model_example(day="2026-12-24", name="Christmas Eve")

    day: Day
    name: Name


def _check_once(days: list[date]) -> list[date]:
    if len(set(days)) < len(days):
        raise ValueError("a day stands there twice")
    return days


def _check_once_named(days: list[NamedDay]) -> list[NamedDay]:
    _check_once([closed.day for closed in days])
    return days


class BusinessCalendarIn(RequestBody):
    """When a legal entity works: hours by weekday in a zone, holidays, and what is closed or open beside them."""

    model_config = set_model_example(
        time_zone="Europe/Berlin",
        country="DE",
        subdivision="BE",
        hours=get_model_example(WeekHours),
        extra_closed_days=[get_model_example(NamedDay)],
        extra_open_days=["2026-10-31"],
    )

    time_zone: Zone
    country: Country | None = Field(
        default=None, description="whose public holidays are closed; without one there are none", examples=["DE"]
    )
    subdivision: Annotated[str, Field(max_length=60, examples=["BE"])] | None = Field(
        default=None,
        description="the state or province whose holidays are closed too, as ISO 3166-2 has it: the part"
        " after the country",
        validate_default=True,
    )
    hours: WeekHours
    extra_closed_days: Annotated[list[NamedDay], AfterValidator(_check_once_named)] = Field(
        default=[], max_length=MAX_DAYS, description="days that are closed beside holidays"
    )
    extra_open_days: Annotated[list[Day], AfterValidator(_check_once)] = Field(
        default=[], max_length=MAX_DAYS, description="holidays on which we work, by the hours of their weekday"
    )

    @field_validator("country")
    @classmethod
    def _has_holidays(cls, country: str | None) -> str | None:
        if country is not None and country not in list_holiday_countries():
            raise ValueError("the holidays of this country are not known")
        return country

    @field_validator("subdivision")
    @classmethod
    def _belongs(cls, subdivision: str | None, fields: ValidationInfo) -> str | None:
        country = fields.data.get("country")
        if subdivision is not None and "country" in fields.data:
            if country is None:
                raise ValueError("a subdivision needs its country")
            if subdivision not in list_holiday_countries()[country]:
                raise ValueError(f"{country} has no subdivision of this code whose holidays are known")
        return subdivision

    @field_validator("extra_open_days")
    @classmethod
    def _can_open(cls, days: list[date], fields: ValidationInfo) -> list[date]:
        closed = {closed.day for closed in fields.data.get("extra_closed_days", [])}
        if closed & set(days):
            raise ValueError("a day is either closed or open")
        weekdays = fields.data["hours"].list_weekday_openings() if "hours" in fields.data else None
        if weekdays and not all(weekdays[day.weekday()] for day in days):
            raise ValueError("an open day has the hours of its weekday, and this weekday has none")
        return days

    def build_calendar_rules(self) -> BusinessCalendarRules:
        """Build the rules that it sets."""
        return BusinessCalendarRules(
            self.time_zone,
            self.country,
            self.subdivision,
            tuple(self.hours.list_weekday_openings()),
            tuple(ClosedDay(closed.day, closed.name) for closed in self.extra_closed_days),
            tuple(self.extra_open_days),
        )


class BusinessCalendarOut(BaseModel):
    """When a legal entity works, with the holidays of this and of the next year; its version is the ETag."""

    model_config = set_model_example(
        legal_entity="GS-DE",
        **get_model_example(BusinessCalendarIn),
        holidays=[{"day": "2026-01-01", "name": "New Year's Day"}],
        covers_until="2031-12-31",
        version=1,
        changed_by="finance",
        changed_at="2026-03-02T09:00:00Z",
    )

    legal_entity: str
    time_zone: str
    country: str | None
    subdivision: str | None
    hours: WeekHours
    extra_closed_days: list[NamedDay]
    extra_open_days: list[date]
    holidays: list[NamedDay] = Field(description="of this and of the next year, also those on which we work")
    covers_until: date = Field(description="the last day whose holidays were announced")
    version: int
    changed_by: str
    changed_at: datetime

    @classmethod
    def from_calendar_row(cls, row: BusinessCalendarRow, now: datetime) -> Self:
        """Build the answer for a row, with the holidays of the year that it is."""
        rules = read_calendar_rules(row)
        year = get_local_date(now, ZoneInfo(row.time_zone)).year
        names = ("legal_entity", "time_zone", "country", "subdivision", "extra_open_days", "covers_until", "version")
        return cls(
            **{name: getattr(row, name) for name in (*names, "changed_by", "changed_at")},
            hours=WeekHours.from_weekday_openings(rules.hours),
            extra_closed_days=_show_days(rules.extra_closed_days),
            holidays=_show_days(list_holidays(row.country, row.subdivision, (year, year + 1))),
        )


def _show_days(days: list[ClosedDay] | tuple[ClosedDay, ...]) -> list[NamedDay]:
    return [NamedDay.model_construct(day=closed.day, name=closed.name) for closed in days]


@reads.get("/{code}/business-calendar", summary="When a legal entity works", responses=ETAG)
async def get_business_calendar(code: Code, read: Read, response: Response) -> BusinessCalendarOut:
    """The business calendar of a legal entity, with the holidays of this and of the next year."""

    async def load_business_calendar(unit: Unit) -> BusinessCalendarOut:
        await check_addressed_legal_entity(unit, code)
        return BusinessCalendarOut.from_calendar_row(await get_calendar_row(unit, code), unit.now)

    calendar = await read(load_business_calendar)
    response.headers["ETag"] = build_etag(calendar.version)
    return calendar


@writes.put(
    "/{code}/business-calendar",
    summary="Say when a legal entity works",
    responses={**ETAG, **refusals(ChangedMeanwhile, IfMatchMissing, BusinessCalendarNeverOpens)},
)
async def put_business_calendar(
    code: Code,
    calendar: BusinessCalendarIn,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("business_calendar.set")],
    if_match: Annotated[
        str | None, Header(max_length=40, description="the ETag of the calendar, once there is one")
    ] = None,
) -> BusinessCalendarOut:
    """Set the calendar whole: without `If-Match` for the first time, with its ETag after that.

    Announces `BusinessCalendarChanged` with all closed days of the last year, of this one and of the five that follow.
    """
    version = None if if_match is None else parse_if_match(if_match)

    async def set_and_show_calendar(unit: Unit) -> BusinessCalendarOut:
        actor = command.caller.subject
        row = await calendar_changes.set_business_calendar(unit, code, version, calendar.build_calendar_rules(), actor)
        return BusinessCalendarOut.from_calendar_row(row, unit.now)

    shown_calendar = await command.run(set_and_show_calendar)
    response.headers["ETag"] = build_etag(shown_calendar.version)
    return shown_calendar
