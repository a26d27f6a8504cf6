"""The page that says what support a legal entity gives, in the customer's language."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, NamedTuple

from babel import Locale
from babel.dates import format_date, format_time, get_day_names
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.escalation.domain.clocks import ResponseTarget
from services.escalation.tables import BusinessCalendarRow, SupportStatementRow
from shared.base.locale_texts import read_text_catalogue

FOLDER = Path(__file__).parent / "templates"
WORDS = FOLDER / "page_words"
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)
SHOWN_KINDS = (
    ("technical", "A"),
    ("technical", "B"),
    ("technical", "C"),
    ("billing_question", None),
    ("dispute", None),
)
"""Kinds of cases, with their severity, whose response times the page states."""
MAX_CLOSED_DAYS = 30


class WeekdayOpeningHours(NamedTuple):
    """The hours of a weekday, written out."""

    weekday: str
    hours: str


class StatedResponseTime(NamedTuple):
    """How long the first answer to a kind of case may take, written out."""

    kind: str
    takes: str


def list_published_statements(
    rows: Iterable[SupportStatementRow], legal_entity: str | None
) -> list[SupportStatementRow]:
    """List the statements of a legal entity; without one, of the first that has any."""
    wanted = [row for row in rows if legal_entity in (None, row.legal_entity)]
    return [row for row in wanted if row.legal_entity == wanted[0].legal_entity]


def choose_support_statement(
    rows: Iterable[SupportStatementRow], languages: Sequence[str]
) -> SupportStatementRow | None:
    """Choose the statement in the first of these languages that there is, else in English, else any."""
    order = [*languages, "en"]
    return min(rows, key=lambda row: order.index(row.language) if row.language in order else len(order), default=None)


def list_weekday_hours(calendar: BusinessCalendarRow, language: str) -> list[WeekdayOpeningHours]:
    """List the hours of each weekday from Monday on, written out."""
    names = get_day_names("wide", "stand-alone", Locale(language))
    closed = read_text_catalogue(WORDS, language)["closed"]
    return [
        WeekdayOpeningHours(names[weekday], ", ".join(_write_span(span, language) for span in spans) or closed)
        for weekday, spans in enumerate(calendar.hours)
    ]


def _write_span(span: Sequence[int], language: str) -> str:
    return " – ".join(_write_minute(minute, language) for minute in span)


def _write_minute(minute: int, language: str) -> str:
    return "24:00" if minute == 24 * 60 else format_time(time(*divmod(minute, 60)), "short", locale=language)


def list_closed_days(calendar: BusinessCalendarRow, today: date, language: str) -> list[str]:
    """List the closed weekdays with hours of the next twelve months, written out; at most thirty."""
    days = sorted(date.fromisoformat(day) for day in calendar.closed_days)
    coming = [day for day in days if 0 <= (day - today).days <= 366 and calendar.hours[day.weekday()]]
    return [format_date(day, "full", locale=language) for day in coming[:MAX_CLOSED_DAYS]]


def list_response_times(
    targets: Mapping[tuple[str, str | None], ResponseTarget], language: str
) -> list[StatedResponseTime]:
    """List how long first answers may take, written out."""
    words = read_text_catalogue(WORDS, language)
    names = {(kind, severity): f"{kind}_{severity}" if severity else kind for kind, severity in SHOWN_KINDS}
    return [
        StatedResponseTime(words[name], write_response_target(targets[key], words))
        for key, name in names.items()
        if key in targets
    ]


def write_response_target(target: ResponseTarget, words: Mapping[str, str]) -> str:
    """Write out how long an answer may take."""
    if target.business_days:
        return words["day"] if target.business_days == 1 else words["days"].format(target.business_days)
    unit, number = ("minutes", target.minutes) if target.minutes % 60 else ("hours", target.minutes // 60)
    return words[f"{unit}_{'clock' if target.is_round_the_clock else 'business'}"].format(number)


def render_support_page(
    row: SupportStatementRow,
    weekdays: Sequence[WeekdayOpeningHours],
    time_zone: str,
    closed_days: Sequence[str],
    response_times: Sequence[StatedResponseTime],
    others: Sequence[str],
) -> str:
    """Render the page of a statement; `others` are the languages in which there is one too."""
    content: dict[str, Any] = row.content
    return TEMPLATES.get_template("support.html").render(
        row=row,
        content=content,
        words=read_text_catalogue(WORDS, row.language),
        weekdays=weekdays,
        time_zone=time_zone,
        closed_days=closed_days,
        response_times=response_times,
        others=others,
    )
