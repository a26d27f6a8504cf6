"""Types of files by their content, never by their names."""

import codecs
import hashlib
import io
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

import puremagic

from services.escalation.domain.attachments import (
    CHUNK_BYTES,
    EXTENSIONS,
    MAX_FILE_BYTES,
    AttachmentTypeRefused,
    CheckedAttachment,
    choose_attachment_name,
    choose_office_type,
)
from services.escalation.domain.inbound_mails import InboundMailFile

BEGINNING_BYTES = 64 * 1024
_ZIP = b"PK\x03\x04"
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13}


def check_mail_file(name: str, content: BinaryIO) -> CheckedAttachment:
    """Check that a file is of a type that is kept, and small enough. Raises AttachmentTypeRefused."""
    digest, size_bytes = hashlib.sha256(), 0
    content.seek(0)
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    media_type = find_file_type(content) if 0 < size_bytes <= MAX_FILE_BYTES else None
    if media_type is None:
        raise AttachmentTypeRefused("PDF, images, plain text, Word and Excel without macros are kept, of up to 10 MB")
    return CheckedAttachment(
        choose_attachment_name(name, media_type), media_type, size_bytes, digest.hexdigest(), content
    )


def check_inbound_mail_files(files: Iterable[InboundMailFile]) -> tuple[list[CheckedAttachment], list[str]]:
    """Check the files that a mail brings: those that are kept, and the names of the others."""
    kept, refused = [], []
    for file in files:
        try:
            kept.append(check_mail_file(file.name, io.BytesIO(file.content)))
        except AttachmentTypeRefused:
            refused.append(file.name)
    return kept, refused


def find_file_type(content: BinaryIO) -> str | None:
    """Find the type of a file by its content; None if it is none that is kept."""
    content.seek(0)
    beginning = content.read(BEGINNING_BYTES)
    if beginning.startswith(_ZIP):
        return _find_office_type(content)
    try:
        media_type: str = puremagic.from_string(beginning, mime=True)
    except (puremagic.PureError, ValueError):
        media_type = ""
    if media_type in EXTENSIONS and not media_type.startswith("text/"):
        return media_type
    is_markup = beginning.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"<")
    return "text/plain" if not is_markup and _is_text(content) else None


def _find_office_type(content: BinaryIO) -> str | None:
    try:
        with zipfile.ZipFile(content) as archive:
            return choose_office_type(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        return None


def _is_text(content: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    content.seek(0)
    try:
        while chunk := content.read(CHUNK_BYTES):
            if not _CONTROLS.isdisjoint(chunk):
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
