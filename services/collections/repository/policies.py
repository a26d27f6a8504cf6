"""The versions of the collection policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from services.collections.domain.policy import Policy, parse_policy
from services.collections.tables import PolicyRow
from shared.persistence.database import Unit
from shared.pure.calendar import local_date
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the policy, parsed."""

    number: int
    effective_date: date
    policy: Policy


@lru_cache(maxsize=64)
def parse_published(document: str) -> Policy:
    """Parse the document of a version, once: it is never edited."""
    return parse_policy(document)


async def versions(unit: Unit) -> list[Version]:
    """All versions, in the order in which they take effect."""
    rows = await unit.connection.fetch(
        "SELECT version, effective_date, document FROM policies ORDER BY effective_date, version"
    )
    return [Version(row["version"], row["effective_date"], parse_published(row["document"])) for row in rows]


def in_force(known: Sequence[Version], recorded_at: datetime, zone: ZoneInfo) -> Version | None:
    """The version in force when an invoice was recorded; before the first one took effect, that one."""
    day = local_date(recorded_at, zone)
    effective = [version for version in known if version.effective_date <= day]
    return next(iter([*reversed(effective), *known]), None)


async def rows(unit: Unit) -> Sequence[PolicyRow]:
    """All versions as they were published."""
    return (await unit.session.exec(select(PolicyRow).order_by(col(PolicyRow.version)))).all()


async def row(unit: Unit, version: int) -> PolicyRow:
    """One version. Raises NotFound."""
    found = await unit.session.get(PolicyRow, version)
    if found is None:
        raise NotFound(f"there is no version {version} of the policy")
    return found


async def in_force_on(unit: Unit, day: date) -> PolicyRow:
    """The version in force on a day, else the first to come. Raises NotFound if none was ever published."""
    published = sorted(await rows(unit), key=lambda one: (one.effective_date, one.version))
    effective = [one for one in published if one.effective_date <= day] or published[:1]
    if not effective:
        raise NotFound("no policy was published yet")
    return effective[-1]


async def judge_everything(unit: Unit) -> None:
    """The first version makes every open item due, since nothing could be judged before."""
    await unit.connection.execute("UPDATE items SET due_at = $1 WHERE open_minor > 0", unit.now)
    unit.wake("sweeps")
