"""The versions of the collection policy, and which of them holds for an invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.collections.domain.policy import Policy
from shared.pure.calendar import get_local_date


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of the policy, parsed."""

    number: int
    effective_date: date
    policy: Policy


def find_policy(versions: Sequence[PolicyVersion], recorded_at: datetime, zone: ZoneInfo) -> PolicyVersion | None:
    """The version in force when an invoice was recorded; before the first one took effect, that one."""
    day = get_local_date(recorded_at, zone)
    effective = [version for version in versions if version.effective_date <= day]
    return next(iter([*reversed(effective), *versions]), None)
