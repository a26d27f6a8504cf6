"""A setting that moves money is changed at once, or proposed to a second person; either way it is kept."""

from dataclasses import dataclass
from typing import Any

from services.invoicing.settings.domain.approval_states import ApprovalState
from services.invoicing.settings.domain.setting_change import SettingKind, Values, is_setting_change_harmless
from services.invoicing.settings.repository.second_person_queries import setting_needs_second_person
from services.invoicing.settings.repository.setting_change_queries import find_pending_setting_row, save_setting_change
from services.invoicing.settings.tables import SettingChangeRow
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import Caller, is_same_actor


@dataclass(frozen=True, slots=True)
class WantedSettingChange:
    """Values that somebody wants a setting to have, beside those that it has; None: it is of no legal entity."""

    kind: SettingKind
    key: str
    legal_entity: str | None
    former: Values
    wanted: Values


async def lock_setting_to_change(unit: Unit, kind: SettingKind, key: str) -> None:
    """Let those who change one setting, or decide about it, take turns."""
    await unit.lock_subjects(f"{kind} {key}")


async def propose_setting_change(
    unit: Unit, caller: Caller, wish: WantedSettingChange, reason: str | None
) -> SettingChangeRow:
    """Keep a change of a setting that is locked; unless the row says `proposed`, the caller carries it out.

    Whoever sends their own proposal again gets it again. Raises ChangeAlreadyProposed.
    """
    row = _build_row(unit, caller, wish, reason)
    if is_setting_change_harmless(wish.kind, wish.former, wish.wanted) or not await setting_needs_second_person(
        unit, wish.legal_entity
    ):
        row.state, row.decided_at = ApprovalState.CARRIED_OUT, unit.now
        await save_setting_change(unit, row)
        return row
    standing = await find_pending_setting_row(unit, wish.kind, wish.key)
    if standing is not None:
        return _repeat_proposal(unit, standing, row)
    await save_setting_change(unit, row)
    unit.record(AuditedChange("setting_change", row.id, None, None, {"kind": row.kind, "state": row.state}))
    return row


def is_setting_change_applied(row: SettingChangeRow) -> bool:
    """Say whether a change holds, and waits for nobody."""
    return row.state == ApprovalState.CARRIED_OUT


def _repeat_proposal(unit: Unit, standing: SettingChangeRow, row: SettingChangeRow) -> SettingChangeRow:
    is_same = (standing.former, standing.wanted) == (row.former, row.wanted)
    if not is_same or not is_same_actor(standing.proposed_by, row.proposed_by):
        raise ChangeAlreadyProposed(
            f"a change of it is proposed already, as {standing.id}: decide that first",
            setting_change_id=str(standing.id),
        )
    unit.record_nothing()
    return standing


def _build_row(unit: Unit, caller: Caller, wish: WantedSettingChange, reason: str | None) -> SettingChangeRow:
    former: dict[str, Any] = dict(wish.former)
    return SettingChangeRow(
        id=new_id(),
        kind=wish.kind.value,
        key=wish.key,
        legal_entity=wish.legal_entity,
        former=former,
        wanted=dict(wish.wanted),
        reason=reason,
        state=ApprovalState.PROPOSED.value,
        proposed_by=caller.subject,
        proposed_at=unit.now,
        decided_by=None,
        decision_reason=None,
        decided_at=None,
    )
