"""Local dates and midnights within statements that ask for many rows at once."""


def write_local_date(instant: str, zone: str) -> str:
    """Write the SQL for the date on which an instant falls in a time zone, from the SQL for both.

    It is `get_local_date` of `shared.pure.calendar`.
    """
    return f"({instant} AT TIME ZONE {zone})::date"


def write_local_midnight(day: str, zone: str) -> str:
    """Write the SQL for the instant at which a date begins in a time zone, from the SQL for both.

    It is `find_local_instant` of `shared.pure.calendar` at midnight: the first of two midnights where the clock is set
    back over one (Havana, the Azores), of which Postgres takes the second.
    """
    midnight = f"({day})::timestamp AT TIME ZONE {zone}"
    earlier = f"({midnight} - interval '1 hour')"
    return f"CASE WHEN {earlier} AT TIME ZONE {zone} >= ({day})::timestamp THEN {earlier} ELSE {midnight} END"
