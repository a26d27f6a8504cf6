"""Files of a case that go to the vendor: texts are searched, and a person lets through each that cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from services.escalation.domain.contact_details import CleanedText, ContactDetailDecision
from services.escalation.domain.evidence_packs import EvidencePackFile, VendorTicketText
from services.escalation.repository import attachment_queries
from services.escalation.tables import AttachmentRow, VendorTicketRow
from shared.persistence.database import Unit
from shared.pure.errors import Refusal

MAX_PACK_BYTES = 20 * 1024 * 1024
"""How much the files of a ticket have together, which are in memory while its pack is built."""
MAX_SEARCHED_BYTES = 128 * 1024
"""How large a file is at most that is searched for addresses and numbers; to search a larger one takes too long."""
SEARCHED_TYPE = "text/plain"


class TicketFileUnknown(Refusal):
    """The case has no such file."""

    code: ClassVar[str] = "file_unknown"
    status: ClassVar[int] = 422


class TicketFileInternal(Refusal):
    """An internal file leaves by no door."""

    code: ClassVar[str] = "file_internal"
    status: ClassVar[int] = 422


class TicketFilesTooLarge(Refusal):
    """The files of a ticket are larger together than the vendor takes."""

    code: ClassVar[str] = "files_too_large"
    status: ClassVar[int] = 422


class TicketFileUnchanged(Refusal):
    """Nothing is removed from a file: attach one without it, or let it through."""

    code: ClassVar[str] = "file_unchanged"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class FileForTicket:
    """A file that somebody chose for a ticket, with its content."""

    id: UUID
    name: str
    media_type: str
    content: bytes

    @property
    def is_searched_for_details(self) -> bool:
        """Whether it is searched: else somebody has to let it through as a whole."""
        return self.media_type == SEARCHED_TYPE and len(self.content) <= MAX_SEARCHED_BYTES

    @property
    def place(self) -> str:
        """The place that a refusal names."""
        return f"file {self.id}: {self.name}"


async def load_ticket_files(unit: Unit, case_id: UUID, attachment_ids: Sequence[UUID]) -> list[FileForTicket]:
    """Load files of a case, or of one that was merged into it.

    Raises TicketFileUnknown, TicketFileInternal, TicketFilesTooLarge.
    """
    rows = {row.id: row for row in await attachment_queries.list_chosen_attachments(unit, case_id, attachment_ids)}
    if unknown := [attachment_id for attachment_id in attachment_ids if attachment_id not in rows]:
        raise TicketFileUnknown(f"attachment_ids: the case has no file {unknown[0]}")
    if internal := [row for row in rows.values() if row.audience == "internal"]:
        raise TicketFileInternal(f"attachment_ids: {internal[0].id} is internal")
    if sum(row.size_bytes for row in rows.values()) > MAX_PACK_BYTES:
        raise TicketFilesTooLarge(f"attachment_ids: they have more than {MAX_PACK_BYTES} bytes together")
    return [await _load_file(unit, rows[attachment_id]) for attachment_id in dict.fromkeys(attachment_ids)]


async def _load_file(unit: Unit, row: AttachmentRow) -> FileForTicket:
    chunks, place = [], 0
    while (chunk := await attachment_queries.find_attachment_chunk(unit, row.id, place)) is not None:
        chunks.append(chunk)
        place += 1
    return FileForTicket(row.id, row.name, row.media_type, b"".join(chunks))


def map_ticket_texts(files: Iterable[FileForTicket]) -> dict[str, str]:
    """Map the places of files to what is searched of them: the name of each, and the text of those that have one."""
    return {file.place: f"{file.name}\n\n{_read_text(file)}" for file in files}


def _read_text(file: FileForTicket) -> str:
    return file.content.decode(errors="replace") if file.is_searched_for_details else ""


def list_unsearchable_files(
    files: Iterable[FileForTicket], decisions: Iterable[ContactDetailDecision]
) -> list[dict[str, str]]:
    """List the files that cannot be searched, and that nobody has let through by their ids."""
    passed = {decision.content for decision in decisions if decision.choice == "let_through"}
    return [
        {"place": file.place, "kind": "file", "content": str(file.id)}
        for file in files
        if not file.is_searched_for_details and str(file.id) not in passed
    ]


def list_file_decisions(
    files: Iterable[FileForTicket], decisions: Iterable[ContactDetailDecision]
) -> list[dict[str, Any]]:
    """List who let through which files that cannot be searched."""
    reasons = {decision.content: decision.reason for decision in decisions}
    return [
        {"place": file.place, "kind": "file", "choice": "let_through", "reason": reasons[str(file.id)]}
        for file in files
        if not file.is_searched_for_details
    ]


def check_file_unchanged(files: Iterable[FileForTicket], cleaned: Mapping[str, CleanedText]) -> None:
    """Refuse that something is removed from a file. Raises TicketFileUnchanged."""
    for file in files:
        if file.place in cleaned and any(decision.choice == "remove" for _, decision in cleaned[file.place].decided):
            raise TicketFileUnchanged(
                f"{file.place}: nothing is removed from it: attach another one, or let it through"
            )


def build_evidence_pack_files(files: Sequence[FileForTicket]) -> list[EvidencePackFile]:
    """Build the files of a pack, under names that are different."""
    return [EvidencePackFile(f"files/{number:02}-{file.name}", file.content) for number, file in enumerate(files, 1)]


def build_ticket_text(row: VendorTicketRow) -> VendorTicketText:
    """Build what a ticket says to the vendor."""
    return VendorTicketText(
        title=row.title,
        description=row.description,
        product=row.product,
        severity=row.severity,
        category=row.category,
        contact=row.contact,
        checks=row.checks,
        entries=row.entries,
        compared_lines=row.compared_lines,
        no_line_reason=row.no_line_reason,
    )
