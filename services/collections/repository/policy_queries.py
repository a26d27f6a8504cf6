"""The versions of the collection policy."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from sqlmodel import col, select

from services.collections.domain.policy import Policy, parse_collection_policy
from services.collections.domain.policy_version import PolicyVersion
from services.collections.tables import PolicyVersionRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


@lru_cache(maxsize=64)
def parse_published_policy(document: str) -> Policy:
    """Parse the document of a version, once: it is never edited."""
    return parse_collection_policy(document)


async def list_policy_versions(unit: Unit) -> list[PolicyVersion]:
    """All versions, in the order in which they take effect."""
    rows = await unit.connection.fetch(
        "SELECT version, effective_date, document FROM policies ORDER BY effective_date, version"
    )
    return [
        PolicyVersion(row["version"], row["effective_date"], parse_published_policy(row["document"])) for row in rows
    ]


async def list_policies(unit: Unit) -> Sequence[PolicyVersionRow]:
    """All versions as they were published."""
    return (await unit.session.exec(select(PolicyVersionRow).order_by(col(PolicyVersionRow.version)))).all()


async def get_policy(unit: Unit, version: int) -> PolicyVersionRow:
    """One version. Raises NotFound."""
    policy = await unit.session.get(PolicyVersionRow, version)
    if policy is None:
        raise NotFound(f"there is no version {version} of the policy")
    return policy


async def get_policy_in_force(unit: Unit, day: date) -> PolicyVersionRow:
    """The version in force on a day, else the first to come. Raises NotFound if none was ever published."""
    published = sorted(await list_policies(unit), key=lambda policy: (policy.effective_date, policy.version))
    effective = [policy for policy in published if policy.effective_date <= day] or published[:1]
    if not effective:
        raise NotFound("no policy was published yet")
    return effective[-1]


async def mark_open_items_due(unit: Unit) -> None:
    """The first version makes every open item due, since nothing could be judged before."""
    await unit.connection.execute("UPDATE items SET due_at = $1 WHERE open_minor > 0", unit.now)
    unit.wake_after_commit("sweeps")
