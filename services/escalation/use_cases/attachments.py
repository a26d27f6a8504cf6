"""Files of cases are kept: those that people add, and those that mails bring."""

from collections.abc import Sequence
from uuid import UUID

from services.escalation.domain.attachments import MAX_ATTACHMENTS, CheckedAttachment, TooManyAttachments
from services.escalation.domain.cases import CaseState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import attachment_queries, thread_queries
from services.escalation.tables import AttachmentRow, EntryRow, InboundMailRow
from services.escalation.use_cases.cases import lock_case
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id


async def add_case_attachment(
    unit: Unit, case_id: UUID, file: CheckedAttachment, audience: str, actor: str
) -> AttachmentRow:
    """Add a file to a case, with an entry for its audience. Raises NotFound, StateMoveRefused, TooManyAttachments."""
    case = await lock_case(unit, case_id)
    if case.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {case.merged_into}")
    if await attachment_queries.count_attachments(unit, case_id) >= MAX_ATTACHMENTS:
        raise TooManyAttachments(f"a case has at most {MAX_ATTACHMENTS} files")
    row = _build_row(unit, file, audience, actor)
    row.case_id = case_id
    await attachment_queries.insert_attachment(unit, row, file)
    entry = EntryRow(
        id=new_id(),
        case_id=case_id,
        account_id=case.account_id,
        kind="attachment",
        audience=audience,
        actor=actor,
        content=row.name,
        details=describe_attachment_in_entry(row),
        channel=None,
        about_outcome=None,
        sequence=None,
        entered_at=unit.now,
    )
    await thread_queries.insert_thread_entry(unit, entry)
    unit.record(AuditedChange("attachment", row.id, case.account_id))
    return row


async def save_mail_attachments(unit: Unit, mail_id: UUID, files: Sequence[CheckedAttachment]) -> None:
    """Keep the files that a mail brings, for the case that it joins or will join."""
    for file in files:
        row = _build_row(unit, file, "customer", None)
        row.inbound_mail_id = mail_id
        await attachment_queries.insert_attachment(unit, row, file)


async def move_mail_files(unit: Unit, row: InboundMailRow, case_id: UUID, audience: str) -> None:
    """Let the files of a mail be those of a case, as many as it may have; the others stay with the mail only."""
    room = max(0, MAX_ATTACHMENTS - await attachment_queries.count_attachments(unit, case_id))
    placed, unplaced = await attachment_queries.place_attachments_in_case(unit, row.id, case_id, audience, room)
    if unplaced:
        row.details = row.details | {"files": placed, "unplaced_files": unplaced}


def describe_attachment_in_entry(row: AttachmentRow) -> dict[str, str | int]:
    """Describe a file as its entry does."""
    return {
        "attachment_id": str(row.id),
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
    }


def _build_row(unit: Unit, file: CheckedAttachment, audience: str, actor: str | None) -> AttachmentRow:
    return AttachmentRow(
        id=new_id(),
        case_id=None,
        inbound_mail_id=None,
        audience=audience,
        name=file.name,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        added_by=actor,
        added_at=unit.now,
    )
