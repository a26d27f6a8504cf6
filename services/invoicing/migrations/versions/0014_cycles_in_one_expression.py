"""The boundary that follows another is one expression, which statements take in instead of calling a function."""

from shared.persistence.migrations import execute_script

revision = "0014"
down_revision = "0013"

DAYS_OF_MONTH = """
CREATE FUNCTION invoicing.days_of_month(day date) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT extract(day FROM date_trunc('month', day::timestamp) + interval '1 month' - interval '1 day')::int
$$
"""

MONTHS_LATER = """
CREATE FUNCTION invoicing.months_later(day date, months int) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (date_trunc('month', day::timestamp) + make_interval(months => months))::date
$$
"""
"""The first day of the month that is some months after that of a day."""

CYCLE_AFTER = """
CREATE OR REPLACE FUNCTION invoicing.cycle_after(boundary date, months int, anchor date, from_end boolean)
RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT invoicing.months_later(boundary, months) - 1 + CASE
        WHEN from_end THEN invoicing.days_of_month(invoicing.months_later(boundary, months))
            - (invoicing.days_of_month(anchor) - extract(day FROM anchor)::int)
        ELSE least(extract(day FROM anchor)::int, invoicing.days_of_month(invoicing.months_later(boundary, months)))
    END
$$
"""
"""The boundary of cycles that follows another one: the rule of `domain.cycles`, for many rows at once.

Postgres takes a function into the statement that calls it only where it has no FROM, and is made of what depends on
nothing but its arguments: timestamps without a time zone, that is.
"""


def upgrade() -> None:
    """Replace the function."""
    for statement in (DAYS_OF_MONTH, MONTHS_LATER, CYCLE_AFTER):
        execute_script(statement)
