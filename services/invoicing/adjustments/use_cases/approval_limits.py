"""Limits of roles: what a person gives counts together, by person and by account, for each business day in UTC.

Whoever decides has the account locked already, then locks what counts for the person, and only then takes a number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.repository import approval_queries, decided_amount_queries
from services.invoicing.settings.domain.setting_change import SettingKind, is_setting_change_harmless
from services.invoicing.settings.tables import SettingChangeRow
from services.invoicing.settings.use_cases import (
    WantedSettingChange,
    is_setting_change_applied,
    lock_setting_to_change,
    propose_setting_change,
)
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.actor_names import fold_actor_name
from shared.pure.errors import Refusal
from shared.pure.money import Money
from shared.web.auth import Caller


class OwnApprovalLimit(Refusal):
    """Nobody raises the limit of a role that they have."""

    code = "own_limit"
    status = 403


@dataclass(frozen=True, slots=True)
class DecidedAmount:
    """An amount (minor units) in the currency of an account that a person would give; counted once by `subject_id`."""

    subject_id: UUID
    account: LockedAccount
    amount_minor: int


async def count_against_approval_limit(unit: Unit, actor: str, roles: Iterable[str], gift: DecidedAmount) -> bool:
    """Count an amount against the limit of a person's roles, if it is within it; whether it is.

    With it neither what the person gives that day, nor what anybody gives to the account that day, is above the
    limit. The account must be locked.
    """
    person, currency, day = fold_actor_name(actor), gift.account.currency, unit.now.astimezone(UTC).date()
    limit_minor = await approval_queries.get_highest_approval_limit(unit, roles, currency)
    if gift.amount_minor > limit_minor:
        return False
    await unit.lock_subjects(f"limit of {person}")
    totals = await decided_amount_queries.sum_decided_amounts(
        unit, person, gift.account.id, day, currency, gift.subject_id
    )
    if max(totals) + gift.amount_minor > limit_minor:
        return False
    await decided_amount_queries.save_decided_amount(
        unit, gift.subject_id, person, gift.account.id, day, currency, gift.amount_minor
    )
    return True


async def is_within_approval_limit(unit: Unit, roles: Iterable[str], amount_minor: int, currency: str) -> bool:
    """Say whether an amount by itself is within the limit, for a decision that gives nothing."""
    return amount_minor <= await approval_queries.get_highest_approval_limit(unit, roles, currency)


async def change_approval_limit(unit: Unit, caller: Caller, role: str, money: Money, reason: str) -> SettingChangeRow:
    """Set the limit of a role, in the place of a former one, or propose to raise it.

    Lowering one's own is allowed.
    Raises OwnApprovalLimit, ChangeAlreadyProposed.
    """
    key = f"{role}/{money.currency}"
    await lock_setting_to_change(unit, SettingKind.APPROVAL_LIMIT, key)
    former = await find_former_approval_limit(unit, key)
    wish = WantedSettingChange(SettingKind.APPROVAL_LIMIT, key, None, former, {"amount_minor": money.minor})
    _check_role(caller, role, is_raised=not is_setting_change_harmless(wish.kind, wish.former, wish.wanted))
    row = await propose_setting_change(unit, caller, wish, reason)
    if is_setting_change_applied(row):
        await apply_approval_limit_change(unit, row)
    return row


def check_own_approval_limit(caller: Caller, row: SettingChangeRow) -> None:
    """Refuse to approve that the limit of a role that one has is raised. Raises OwnApprovalLimit."""
    _check_role(caller, row.key.split("/")[0], is_raised=True)


def _check_role(caller: Caller, role: str, *, is_raised: bool) -> None:
    if is_raised and role in caller.roles:
        raise OwnApprovalLimit(f"you have the role {role}; somebody without it raises its limit")


async def find_former_approval_limit(unit: Unit, key: str) -> dict[str, Any]:
    """Find the amount of a limit by its key; empty if there is none."""
    former = await approval_queries.find_approval_limit(unit, *key.split("/"))
    return {"amount_minor": former["amount_minor"]} if former else {}


async def apply_approval_limit_change(unit: Unit, row: SettingChangeRow) -> None:
    """Carry out a change of a limit."""
    role, currency = row.key.split("/")
    former = await approval_queries.find_approval_limit(unit, role, currency)
    after = {"amount_minor": row.wanted["amount_minor"], "reason": row.reason or ""}
    await approval_queries.save_approval_limit(
        unit, role, currency, after["amount_minor"], row.proposed_by, after["reason"]
    )
    unit.record(AuditedChange("approval_limit", row.key, None, dict(former or {}), after))
