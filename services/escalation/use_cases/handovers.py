"""Hand-overs to the vendor: what is checked, tried and waived before, and how the vendor is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from services.escalation.domain.cases import UNRESOLVED, CaseState
from services.escalation.domain.handovers import (
    MEANINGS,
    HandoverRequirement,
    TechnicalProblemCategory,
    VendorHandoverFacts,
    list_missing_handover_steps,
)
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_queries, handover_queries
from services.escalation.tables import CaseRow, EntryRow, VendorChannelRow
from services.escalation.use_cases.cases import lock_case, write_internal_entry
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal


class HandoverIncomplete(Refusal):
    """Something must be done before the vendor is asked: `missing` names it."""

    code: ClassVar[str] = "handover_incomplete"


@dataclass(frozen=True, slots=True)
class HandoverReadiness:
    """Steps of a hand-over that a case has, those that it lacks, and those that somebody with the right has waived."""

    missing: tuple[HandoverRequirement, ...]
    waived: tuple[HandoverRequirement, ...]
    health_result: str | None
    attempts: int
    consulted: int

    def list_handover_checks_done(self) -> dict[str, Any]:
        """List what was done before, for the vendor."""
        return {"health_result": self.health_result, "attempts": self.attempts, "consulted": self.consulted}


async def record_health_check(
    unit: Unit, case_id: UUID, result: str, incident: str | None, note: str, actor: str
) -> EntryRow:
    """Record that service health was checked, and what it said. Raises NotFound, StateMoveRefused."""
    row = await _lock_unmerged(unit, case_id)
    entry = await write_internal_entry(unit, row, "health_check", actor, note, {"result": result, "incident": incident})
    unit.record(AuditedChange("case_entry", entry.id, row.account_id))
    return entry


async def record_repair_attempt(unit: Unit, case_id: UUID, action: str, result: str, actor: str) -> EntryRow:
    """Record what was tried to repair the problem ourselves. Raises NotFound, StateMoveRefused."""
    row = await _lock_unmerged(unit, case_id)
    entry = await write_internal_entry(unit, row, "attempt", actor, action, {"result": result})
    unit.record(AuditedChange("case_entry", entry.id, row.account_id))
    return entry


async def waive_missing_handover_steps(unit: Unit, case_id: UUID, reason: str, actor: str) -> HandoverReadiness:
    """Let a case be handed over without what is missing now. Raises NotFound, StateMoveRefused."""
    row = await _lock_unmerged(unit, case_id)
    readiness = await load_handover_readiness(unit, row)
    if not readiness.missing:
        unit.record_nothing()
        return readiness
    details = {"waived": [str(requirement) for requirement in readiness.missing]}
    entry = await write_internal_entry(unit, row, "override", actor, reason, details)
    unit.record(AuditedChange("case_entry", entry.id, row.account_id, None, details))
    return await load_handover_readiness(unit, row)


async def load_handover_readiness(
    unit: Unit, case: CaseRow, category: TechnicalProblemCategory | None = None, no_line_reason: str | None = None
) -> HandoverReadiness:
    """Load what a case has of a hand-over, and what it lacks."""
    entries = await handover_queries.list_handover_checks(unit, case.id)
    consulted = await handover_queries.count_consulted_resources(unit, case.id)
    health_result = next((entry.details["result"] for entry in entries if entry.kind == "health_check"), None)
    attempts = [entry for entry in entries if entry.kind == "attempt" and entry.details["result"] == "did_not_help"]
    links = await case_queries.list_case_links(unit, case.id)
    facts = VendorHandoverFacts(
        kind=case.kind,
        health_result=health_result,
        has_attempt=bool(attempts),
        has_consulted=consulted > 0,
        category=category,
        has_line=any(link.kind == "vendor_difference" for link in links),
        no_line_reason=no_line_reason,
    )
    waived = _list_waived(entries)
    missing = list_missing_handover_steps(facts, waived)
    used = tuple(requirement for requirement in list_missing_handover_steps(facts) if requirement not in missing)
    return HandoverReadiness(missing, used, health_result, len(attempts), consulted)


def _list_waived(entries: Sequence[EntryRow]) -> set[HandoverRequirement]:
    overrides = (entry.details["waived"] for entry in entries if entry.kind == "override")
    return {HandoverRequirement(name) for waived in overrides for name in waived}


def check_handover_readiness(readiness: HandoverReadiness) -> None:
    """Refuse a hand-over of which something is missing. Raises HandoverIncomplete."""
    if readiness.missing:
        missing = [{"code": str(name), "meaning": MEANINGS[name]} for name in readiness.missing]
        raise HandoverIncomplete("; ".join(MEANINGS[name] for name in readiness.missing), missing=missing)


def check_case_unresolved(case: CaseRow) -> None:
    """Refuse to hand over what is not worked on any more. Raises StateMoveRefused."""
    if CaseState(case.state) not in UNRESOLVED:
        raise StateMoveRefused(f"a case that is {case.state} is not handed over")


async def set_vendor_channel(unit: Unit, row: VendorChannelRow) -> None:
    """Set how a legal entity reaches the vendor, in the place of a former channel."""
    await unit.lock_subjects(f"vendor channel {row.legal_entity}")
    former = await handover_queries.find_vendor_channel(unit, row.legal_entity)
    before = None if former is None else former.model_dump(mode="json")
    await handover_queries.save_vendor_channel(unit, row)
    unit.record(AuditedChange("vendor_channel", row.legal_entity, None, before, row.model_dump(mode="json")))


async def _lock_unmerged(unit: Unit, case_id: UUID) -> CaseRow:
    row = await lock_case(unit, case_id)
    if row.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {row.merged_into}")
    return row
