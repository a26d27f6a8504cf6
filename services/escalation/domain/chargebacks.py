"""Chargebacks: until when the card network takes an answer, and when somebody is warned."""

from datetime import UTC, date, datetime, time, timedelta


def compute_warning(answer_by: date, warn_days: int) -> datetime:
    """Compute when somebody is warned: days before the end of the last day for an answer, in UTC."""
    return datetime.combine(answer_by + timedelta(days=1 - warn_days), time(), UTC)
