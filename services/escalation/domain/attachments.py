"""Rules of files of cases: which types are kept, how large they are, and by which names they are saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from shared.pure.errors import Refusal

MAX_FILE_BYTES = 10 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
MAX_ATTACHMENTS = 200
"""How many files a case has at most."""
MAX_NAME_CHARS = 200
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "text/plain": (".txt", ".csv", ".log"),
    _WORD: (".docx",),
    _SHEET: (".xlsx",),
}
"""Extensions of the types that are kept; a name that has none of its type gets the first one."""
OFFICE_PARTS: Mapping[str, str] = {"word/document.xml": _WORD, "xl/workbook.xml": _SHEET}
"""Types of zipped documents by the part that each has."""
MACRO_PART = "vbaproject.bin"


class AttachmentTypeRefused(Refusal):
    """The content of a file is of no type that is kept."""

    code: ClassVar[str] = "file_type_refused"
    status: ClassVar[int] = 422


class TooManyAttachments(Refusal):
    """The case has as many files as it may have."""

    code: ClassVar[str] = "too_many_attachments"


@dataclass(frozen=True, slots=True)
class CheckedAttachment:
    """A file whose content is of a type that is kept; open for reading."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    content: BinaryIO


def choose_attachment_name(name: str, media_type: str) -> str:
    """Choose the name under which a file is saved: one that no program takes for another type."""
    plain = name.replace("/", "_").replace("\\", "_").lstrip(".") or "file"
    if plain.lower().endswith(EXTENSIONS[media_type]):
        return plain[-MAX_NAME_CHARS:]
    extension = EXTENSIONS[media_type][0]
    return plain[: MAX_NAME_CHARS - len(extension)] + extension


def choose_office_type(parts: list[str]) -> str | None:
    """Choose the type of a zipped document by the names of its parts; None for other archives, and with macros."""
    if any(part.lower().endswith(MACRO_PART) for part in parts):
        return None
    return next((media_type for part, media_type in OFFICE_PARTS.items() if part in parts), None)
