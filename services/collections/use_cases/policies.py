"""The policy is published: a new version with an effective date, never an edit."""

from datetime import date, timedelta

from services.collections.domain.policy import SuspensionLimits, check_suspension_notices
from services.collections.repository import guard_queries, policy_queries
from services.collections.tables import PolicyVersionRow
from shared.events.collections import PolicyPublished
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.calendar import ONE_DAY
from shared.pure.errors import Refusal

SUBJECT = "policy"
EARLIEST_ZONE = timedelta(hours=14)
"""Where a date begins first (UTC+14)."""


class GuardLoosenedByPolicy(Refusal):
    """A policy whose guard lets more go out than the one in force: that is decided by a call of its own."""

    code = "guard_loosened"


class PolicyDateRefused(Refusal):
    """A version takes effect in the future, so that no invoice changes the version that it is on."""

    code = "effective_date_refused"
    status = 422


async def publish_policy(unit: Unit, document: str, effective_date: date, actor: str, reason: str) -> PolicyVersionRow:
    """Publish a version, which tightens the guard at once if its limits are tighter.

    Raises PolicyDocumentRefused, PolicyDateRefused, GuardLoosenedByPolicy.
    """
    policy = policy_queries.parse_published_policy(document)
    check_suspension_notices(policy)
    await unit.lock_subjects(SUBJECT)
    published = await policy_queries.list_policies(unit)
    if published:
        # An invoice recorded today, on the latest date that it is anywhere, keeps the version that it is on.
        earliest = max((unit.now + EARLIEST_ZONE).date() + ONE_DAY, published[-1].effective_date)
        if effective_date < earliest:
            raise PolicyDateRefused(f"effective_date: a new version takes effect on {earliest} at the earliest")
    await _tighten_guard(unit, policy.guard)
    row = PolicyVersionRow(
        version=len(published) + 1,
        name=policy.name,
        effective_date=effective_date,
        document=document,
        published_at=unit.now,
        published_by=actor,
        reason=reason,
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.publish(
        PolicyPublished(
            policy_version=row.version,
            effective_date=effective_date,
            document=policy.model_dump(mode="json"),
        )
    )
    unit.record(AuditedChange("policy", row.version))
    if not published:
        await policy_queries.mark_open_items_due(unit)
    return row


async def _tighten_guard(unit: Unit, limits: SuspensionLimits) -> None:
    """Take the limits of a policy for the guard, unless they are looser than those in force.

    Raises GuardLoosenedByPolicy.
    """
    current = (await guard_queries.lock_guard(unit)).limits
    if current is not None and limits.allows_more_suspensions_than(current):
        raise GuardLoosenedByPolicy(
            f"guard: the limits in force are {current.suspensions_per_hour} suspensions an hour and"
            f" {current.share_of_accounts_percent} % of the accounts; loosen them first (POST /v1/guard:set-limits)"
        )
    await guard_queries.save_guard_limits(unit, limits)
