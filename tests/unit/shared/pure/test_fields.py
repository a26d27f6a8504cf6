"""Field types take what people and Postgres can live with; ids sort by the time they were made."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.pure.fields import Code, Day, Email, Instant, Name, Prose, Zone
from shared.pure.ids import new_id


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        (Name, "  Account 17 ", "Account 17"),
        (Name, "Äkta AB (Malmö)", "Äkta AB (Malmö)"),
        (Name, "x" * 200, "x" * 200),
        (Prose, "two\nlines\t", "two\nlines"),
        (Code, "crm-4711_a.B", "crm-4711_a.B"),
        (Email, "billing@account-17.example", "billing@account-17.example"),
        (Zone, "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        (Zone, "Asia/Calcutta", "Asia/Calcutta"),
        (Zone, "UTC", "UTC"),
    ],
)
def test_what_is_taken(field: Any, value: str, kept: str) -> None:
    assert TypeAdapter(field).validate_python(value) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Name, ""),
        (Name, "   "),
        (Name, "x" * 201),
        (Name, "two\nlines"),
        (Name, "nul\x00"),
        (Name, 17),
        (Prose, " \n "),
        (Prose, "nul\x00"),
        (Prose, "x" * 2001),
        (Code, ""),
        (Code, "a b"),
        (Code, "ä"),
        (Code, "a\n"),
        (Code, "x" * 61),
        (Email, "nobody"),
        (Email, "@account-17.example"),
        (Email, "two@at@account-17.example"),
        (Email, "a b@account-17.example"),
        (Email, "a@account-17.example\n"),
        (Email, "a@account-17.example\r\nBcc: b@account-18.example"),
        (Email, "<a@account-17.example>"),
        (Email, "a" * 250 + "@b.cd"),
        (Zone, "Europe/Atlantis"),
        (Zone, ""),
        (Zone, "../../etc/passwd"),
        (Zone, "/etc/localtime"),
        (Zone, "Europe"),
        (Zone, "localtime"),
        (Zone, "posixrules"),
        (Zone, "Factory"),
        (Zone, "posix/Europe/Berlin"),
        (Zone, "right/Europe/Berlin"),
        (Zone, "europe/berlin"),
        (Zone, "Europe/../Europe/Berlin"),
        (Zone, "CET-1CEST"),
        (Day, "1989-12-31"),
        (Day, "2200-01-02"),
        (Day, "2026-02-30"),
        (Day, 1772409600),
        (Day, 20_514.0),
        (Day, True),
        (Day, "1772409600"),
        (Day, "2026-03-02T00:00:00"),
        (Day, "2026-03-02T00:00:00Z"),
        (Day, "2026-3-2"),
        (Day, " 2026-03-02"),
        (Day, "2026-03-02\n"),
        (Day, "２026-03-02"),
        (Instant, 1772442000),
        (Instant, "1772442000"),
        (Instant, "2026-03-02T09:00:00"),
        (Instant, "2026-03-02 09:00:00Z"),
        (Instant, "2026-03-02T09:00Z"),
        (Instant, "2026-03-02"),
        (Instant, "2026-03-02T09:00:00+01"),
        (Instant, "2026-03-02T25:00:00Z"),
    ],
)
def test_what_is_refused(field: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(field).validate_python(value)


@pytest.mark.parametrize("day", ["1990-01-01", "2024-02-29", "2200-01-01"])
def test_days_of_business(day: str) -> None:
    assert TypeAdapter(Day).validate_python(day).isoformat() == day


@pytest.mark.parametrize(
    "instant",
    ["2026-03-02T09:00:00Z", "2026-03-02t10:00:00.000000+01:00", "2026-03-02T03:30:00.0-05:30"],
)
def test_an_instant_has_its_offset(instant: str) -> None:
    assert TypeAdapter(Instant).validate_python(instant) == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_ids_are_unique_and_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(5000)]
    assert len(set(made)) == 5000
    assert made == sorted(made)
    assert {identifier.version for identifier in made} == {7}
