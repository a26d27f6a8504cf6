"""Files of lines that are sent to us: kept on disk as they come in, so that no transaction waits for a slow sender."""

import asyncio
import codecs
import gzip
import hashlib
import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Any

from starlette.requests import ClientDisconnect

from services.invoicing.files.domain.file_layouts import UploadedFileLayout
from services.invoicing.files.repository import ReceivedUploadedFile
from shared.pure.errors import Refusal, Unavailable
from shared.web.http import BodyInterrupted, accept_larger_body, describe_problem

LARGEST_FILE = 2 << 30
"""Bytes, as sent: 2 GiB."""
ACCEPTED = accept_larger_body(LARGEST_FILE, is_on_disk=True)
"""The dependency of a route that takes a file."""

LAYOUTS = {
    "text/csv": UploadedFileLayout.CSV,
    "application/jsonl": UploadedFileLayout.JSON_LINES,
    "application/x-ndjson": UploadedFileLayout.JSON_LINES,
    "application/gzip": UploadedFileLayout.JSON_LINES,
}
"""The layout of each content type. Whether the file is packed says the file itself."""
OCTETS = "application/octet-stream"
"""Media type under which many clients send any file; the first bytes of the file show its layout."""
BEGINNING = 4096
"""Bytes of a file that are looked at for that."""
REFUSED: dict[int | str, dict[str, Any]] = {
    503: describe_problem(
        503, "no_room", "there is no room for the file now", "there is no room for the file now; try again"
    ),
    415: describe_problem(
        415, "unknown_layout", "the content type is none of a file", "send text/csv or application/jsonl"
    ),
}


class UnknownFileLayout(Refusal):
    """The content type says neither CSV nor JSON lines."""

    code = "unknown_layout"
    status = 415


class NoRoomForFile(Unavailable):
    """The machine has no room for the file now."""

    code = "no_room"


def parse_file_layout(content_type: str) -> UploadedFileLayout | None:
    """The layout that a content type says, None where the file itself says it. Raises UnknownFileLayout."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == OCTETS:
        return None
    if media_type not in LAYOUTS:
        raise UnknownFileLayout(
            "send text/csv, application/jsonl, application/gzip (JSON lines) or application/octet-stream"
        )
    return LAYOUTS[media_type]


def guess_file_layout(content: IO[bytes]) -> UploadedFileLayout:
    """Guess the layout of a file, packed or not, by how it begins; it stands at its beginning again."""
    content.seek(0)
    is_packed = content.read(2) == b"\x1f\x8b"
    content.seek(0)
    try:
        beginning = gzip.GzipFile(fileobj=content).read(BEGINNING) if is_packed else content.read(BEGINNING)
    except (OSError, EOFError, zlib.error):
        return UploadedFileLayout.CSV  # its reader says what is wrong with it
    finally:
        content.seek(0)
    return (
        UploadedFileLayout.JSON_LINES
        if beginning.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"
        else UploadedFileLayout.CSV
    )


def describe_uploaded_file_body(as_csv: str, as_json_lines: str) -> dict[str, Any]:
    """How an API page shows the body of a route that takes a file."""
    text = {"type": "string"}
    return {
        "required": True,
        "content": {
            "text/csv": {"schema": text, "example": as_csv},
            "application/jsonl": {"schema": text, "example": as_json_lines},
            "application/gzip": {"schema": text | {"format": "binary"}},
            OCTETS: {"schema": text | {"format": "binary"}},
        },
    }


@asynccontextmanager
async def receive_uploaded_file(
    chunks: AsyncIterator[bytes], layout: UploadedFileLayout | None
) -> AsyncIterator[ReceivedUploadedFile]:
    """The file that these chunks make, for as long as it is needed; without a layout it is guessed.

    Raises BodyInterrupted, and what a bounded body raises.
    """
    with await asyncio.to_thread(tempfile.TemporaryFile) as content:
        digest = hashlib.sha256()
        try:
            async for chunk in chunks:
                digest.update(chunk)
                await asyncio.to_thread(content.write, chunk)
        except OSError as error:
            raise NoRoomForFile("there is no room for the file now; try again") from error
        except ClientDisconnect as error:
            raise BodyInterrupted("the file ended before it was whole") from error
        if layout is None:
            layout = await asyncio.to_thread(guess_file_layout, content)
        yield ReceivedUploadedFile(content, digest.hexdigest(), layout)
