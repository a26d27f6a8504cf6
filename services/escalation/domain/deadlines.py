"""Deadlines that are days: when a last day is over, and when somebody is warned of it. In UTC, as the vendor counts."""

from datetime import UTC, date, datetime, time, timedelta


def compute_deadline_lapse(last_day: date) -> datetime:
    """Compute the instant from which on it is too late: the end of the last day."""
    return datetime.combine(last_day + timedelta(days=1), time(), UTC)


def compute_deadline_warning(last_day: date, lead: timedelta) -> datetime:
    """Compute when somebody is warned, so long before it is too late."""
    return compute_deadline_lapse(last_day) - lead
