"""A second person decides about a change of a setting that somebody proposed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.invoicing.accounts.use_cases import legal_entity_changes
from services.invoicing.adjustments.use_cases import approval_limits
from services.invoicing.catalog.use_cases import tax_rate_changes
from services.invoicing.payments.use_cases import tolerance_changes
from services.invoicing.revenue import use_cases as revenue_use_cases
from services.invoicing.setting_decisions.use_cases import second_person_rules
from services.invoicing.settings.domain.approval_states import APPROVAL_ALLOWED, ApprovalState, check_state_move
from services.invoicing.settings.domain.setting_change import SCOPES, SettingKind
from services.invoicing.settings.repository.setting_change_queries import get_setting_change_row, save_setting_change
from services.invoicing.settings.tables import SettingChangeRow
from services.invoicing.settings.use_cases import lock_setting_to_change
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.proposals import NotTheProposer, ProposedFactsChanged, SecondPersonNeeded
from shared.web.auth import Caller, ScopeMissing, is_same_actor


async def approve_setting_change(unit: Unit, change_id: UUID, caller: Caller, reason: str) -> SettingChangeRow:
    """Agree to a change that somebody else proposed, and carry it out.

    Raises NotFound, ScopeMissing, StateMoveRefused, SecondPersonNeeded, OwnApprovalLimit, ProposedFactsChanged,
    LedgerMonthAlreadyClosed.
    """
    row = await _lock_to_decide(unit, change_id, caller)
    await _carry_out(unit, caller, row)
    await _save_decision(unit, row, ApprovalState.CARRIED_OUT, caller, reason)
    return row


async def decline_setting_change(unit: Unit, change_id: UUID, caller: Caller, reason: str) -> SettingChangeRow:
    """Disagree with a change that somebody else proposed.

    Raises NotFound, ScopeMissing, StateMoveRefused, SecondPersonNeeded.
    """
    row = await _lock_to_decide(unit, change_id, caller)
    return await _end_change(unit, row, ApprovalState.DECLINED, caller, reason)


async def withdraw_setting_change(unit: Unit, change_id: UUID, caller: Caller, reason: str) -> SettingChangeRow:
    """Take back one's own proposal. Raises NotFound, ScopeMissing, StateMoveRefused, NotTheProposer."""
    row = await _lock_proposed(unit, change_id, caller)
    if not is_same_actor(caller.subject, row.proposed_by):
        raise NotTheProposer(f"{row.proposed_by} proposed it: decline it instead")
    return await _end_change(unit, row, ApprovalState.WITHDRAWN, caller, reason)


async def _lock_to_decide(unit: Unit, change_id: UUID, caller: Caller) -> SettingChangeRow:
    row = await _lock_proposed(unit, change_id, caller)
    if is_same_actor(caller.subject, row.proposed_by):
        raise SecondPersonNeeded(f"{row.proposed_by} proposed it, so somebody else decides")
    return row


async def _lock_proposed(unit: Unit, change_id: UUID, caller: Caller) -> SettingChangeRow:
    row = await get_setting_change_row(unit, change_id)
    kind = SettingKind(row.kind)
    if SCOPES[kind] not in caller.scopes:
        raise ScopeMissing(f"the token lacks the scope {SCOPES[kind]}")
    await lock_setting_to_change(unit, kind, row.key)
    row = await get_setting_change_row(unit, change_id)
    check_state_move(APPROVAL_ALLOWED, ApprovalState(row.state), ApprovalState.CARRIED_OUT)
    return row


async def _carry_out(unit: Unit, caller: Caller, row: SettingChangeRow) -> None:
    """Carry a change out if what it replaces is as it was; what it would do is looked at anew."""
    match SettingKind(row.kind):
        case SettingKind.LEGAL_ENTITY:
            _check_former(row, await legal_entity_changes.find_former_legal_entity(unit, row.key))
            await legal_entity_changes.apply_legal_entity_change(unit, row)
        case SettingKind.TAX_RATE:
            _check_former(row, await tax_rate_changes.find_former_tax_rate(unit, row.wanted))
            await tax_rate_changes.apply_tax_rate_change(unit, row)
        case SettingKind.APPROVAL_LIMIT:
            _check_former(row, await approval_limits.find_former_approval_limit(unit, row.key))
            approval_limits.check_own_approval_limit(caller, row)
            await approval_limits.apply_approval_limit_change(unit, row)
        case SettingKind.TOLERANCE:
            _check_former(row, await tolerance_changes.find_former_payment_tolerance(unit, row.key))
            await tolerance_changes.apply_tolerance_change(unit, row)
        case SettingKind.SECOND_PERSON:
            _check_former(row, await second_person_rules.find_former_second_person(unit, row.key))
            await second_person_rules.apply_second_person_change(unit, row)
        case SettingKind.LEDGER_PERIOD:
            await revenue_use_cases.release_and_close_month(unit, row)


def _check_former(row: SettingChangeRow, former: Mapping[str, Any]) -> None:
    if former != row.former:
        raise ProposedFactsChanged(
            "what it would replace was changed meanwhile: decline or withdraw it, and propose it anew"
        )


async def _end_change(
    unit: Unit, row: SettingChangeRow, state: ApprovalState, caller: Caller, reason: str
) -> SettingChangeRow:
    before = {"kind": row.kind, "state": row.state}
    await _save_decision(unit, row, state, caller, reason)
    unit.record(AuditedChange("setting_change", row.id, None, before, {"kind": row.kind, "state": row.state}))
    return row


async def _save_decision(unit: Unit, row: SettingChangeRow, state: ApprovalState, caller: Caller, reason: str) -> None:
    row.state = check_state_move(APPROVAL_ALLOWED, ApprovalState(row.state), state)
    row.decided_by, row.decision_reason, row.decided_at = caller.subject, reason, unit.now
    await save_setting_change(unit, row)
