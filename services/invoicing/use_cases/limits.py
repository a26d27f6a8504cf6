"""Limits of roles: what a person gives counts together, by person and by account, for each business day in UTC.

Whoever decides has the account locked already, then locks what counts for the person, and only then takes a number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

from services.invoicing.repository import approvals, decided_amounts
from services.invoicing.repository.accounts import Account
from shared.audit import Change
from shared.auth import Caller, fold_subject
from shared.database import Unit
from shared.errors import Refusal
from shared.money import Money


class OwnLimit(Refusal):
    """Nobody raises the limit of a role that they have."""

    code = "own_limit"
    status = 403


@dataclass(frozen=True, slots=True)
class Gift:
    """An amount (minor units) in the currency of an account that a person would give; counted once by `subject_id`."""

    subject_id: UUID
    account: Account
    amount_minor: int


async def take_limit(unit: Unit, actor: str, roles: Iterable[str], gift: Gift) -> bool:
    """Count an amount against the limit of a person's roles, if it is within it; whether it is.

    With it neither what the person gives that day, nor what anybody gives to the account that day, is above the
    limit. The account must be locked.
    """
    person, currency, day = fold_subject(actor), gift.account.currency, unit.now.astimezone(UTC).date()
    limit_minor = await approvals.limit_of(unit, roles, currency)
    if gift.amount_minor > limit_minor:
        return False
    await unit.lock(f"limit of {person}")
    totals = await decided_amounts.sum_decided(unit, person, gift.account.id, day, currency, gift.subject_id)
    if max(totals) + gift.amount_minor > limit_minor:
        return False
    await decided_amounts.save_decided(unit, gift.subject_id, person, gift.account.id, day, currency, gift.amount_minor)
    return True


async def is_within_limit(unit: Unit, roles: Iterable[str], amount_minor: int, currency: str) -> bool:
    """Say whether an amount by itself is within the limit, for a decision that gives nothing."""
    return amount_minor <= await approvals.limit_of(unit, roles, currency)


async def set_limit(unit: Unit, caller: Caller, role: str, money: Money, reason: str) -> None:
    """Set the limit of a role, in the place of a former one; lowering one's own is allowed. Raises OwnLimit."""
    await unit.lock(f"approval limit {role}/{money.currency}")
    former = await approvals.find_limit(unit, role, money.currency)
    if role in caller.roles and money.minor > (former["amount_minor"] if former else 0):
        raise OwnLimit(f"you have the role {role}; somebody without it raises its limit")
    await approvals.set_limit(unit, role, money.currency, money.minor, caller.subject, reason)
    after = {"amount_minor": money.minor, "reason": reason}
    unit.record(Change("approval_limit", f"{role}/{money.currency}", None, dict(former or {}), after))
