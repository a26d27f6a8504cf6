"""Cases change: their words, who works on them, what they are linked to. Each change stands in the thread."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.escalation.domain.cases import CaseState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_queries
from services.escalation.tables import CaseRow, EntryRow
from services.escalation.use_cases.case_clocks import update_clocks_by_severity
from services.escalation.use_cases.cases import CaseLink, link_case, lock_case, write_internal_entry
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.web.versions import check_object_version


class CaseSeverityRefused(Refusal):
    """Technical cases have a severity, and no others have one."""

    code = "severity_refused"
    status = 422


async def change_case(unit: Unit, case_id: UUID, version: int, fields: Mapping[str, Any], actor: str) -> CaseRow:
    """Change these fields of a case. If none differs, nothing happens.

    Raises NotFound, ChangedMeanwhile, StateMoveRefused, CaseSeverityRefused.
    """
    row = await lock_case(unit, case_id)
    _check_not_merged(row)
    check_object_version(row.version, version)
    before = row.model_dump(mode="json")
    if "severity" in fields and (row.kind == "technical") != (fields["severity"] is not None):
        raise CaseSeverityRefused("severity: it is that of technical cases, which have one")
    row.sqlmodel_update(dict(fields))
    after = row.model_dump(mode="json")
    changes = {name: {"from": before[name], "to": after[name]} for name in fields if before[name] != after[name]}
    if not changes:
        unit.record_nothing()
        return row
    row.version += 1
    if "subject" in changes:
        row.is_subject_internal = False
    await case_queries.save_case(unit, row)
    if not changes.keys().isdisjoint(("subject", "description")):
        await case_queries.save_case_words(unit, row)
    await write_internal_entry(unit, row, "change", actor, "", changes)
    if "severity" in changes:
        await update_clocks_by_severity(unit, row)
    unit.record(AuditedChange("case", row.id, row.account_id, before, after))
    return row


async def add_case_links(unit: Unit, case_id: UUID, links: Sequence[CaseLink], actor: str) -> CaseRow:
    """Link a case to more of what it is about. Raises NotFound, StateMoveRefused."""
    row = await lock_case(unit, case_id)
    _check_not_merged(row)
    if not await link_case(unit, row, links, actor):
        unit.record_nothing()
        return row
    written = [{"kind": link.kind, "target_id": str(link.target_id), "line": link.line} for link in links]
    await write_internal_entry(unit, row, "change", actor, "", {"linked": written})
    unit.record(AuditedChange("case", row.id, row.account_id, None, {"linked": written}))
    return row


async def remove_case_link(unit: Unit, case_id: UUID, link: CaseLink, actor: str) -> CaseRow:
    """Take a link away that was wrong. Raises NotFound, StateMoveRefused."""
    row = await lock_case(unit, case_id)
    _check_not_merged(row)
    await case_queries.delete_case_link(unit, case_id, link.kind, link.target_id, link.line)
    written = {"kind": link.kind, "target_id": str(link.target_id), "line": link.line}
    await write_internal_entry(unit, row, "change", actor, "", {"unlinked": [written]})
    unit.record(AuditedChange("case", row.id, row.account_id, {"linked": [written]}, None))
    return row


async def add_case_note(unit: Unit, case_id: UUID, content: str, actor: str) -> EntryRow:
    """Write an internal note into the thread of a case. Raises NotFound, StateMoveRefused."""
    row = await lock_case(unit, case_id)
    _check_not_merged(row)
    entry = await write_internal_entry(unit, row, "note", actor, content, {})
    unit.record(AuditedChange("case_entry", entry.id, row.account_id))
    return entry


def _check_not_merged(row: CaseRow) -> None:
    if row.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {row.merged_into}")
