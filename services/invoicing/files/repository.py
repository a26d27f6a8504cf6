"""Files of lines on their way into the database: read in a thread, streamed by COPY."""

import asyncio
import csv
import gzip
import io
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from services.invoicing.files.domain.file_layouts import UploadedFileLayout, UploadedFileUnreadable
from shared.persistence.database import Unit

LONGEST_LINE = 1 << 20
"""Bytes: no line takes more memory than this."""
LINES_A_BATCH = 2000
PATIENCE = 600.0
"""Seconds that a statement over a whole file may take; the pool's usual limit is made for requests."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class ReceivedUploadedFile:
    """A file on this machine's disk that was received whole, and is open for reading."""

    content: BinaryIO
    sha256: str
    layout: UploadedFileLayout


def read_unpacked_file_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from its start, unpacked if it is a gzip. Raises UploadedFileUnreadable."""
    file.seek(0)
    packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    try:
        with gzip.open(file) if packed else io.BufferedReader(_Kept(file)) as lines:
            while line := lines.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise UploadedFileUnreadable(f"is longer than {LONGEST_LINE} bytes")
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UploadedFileUnreadable(f"the gzip is broken here: {error}") from error


class _Kept(io.RawIOBase):
    """Reads a file that others close: a unit that runs again reads it again."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        read = self._file.read(len(buffer))
        buffer[: len(read)] = read
        return len(read)


async def copy_into_temporary_table(
    unit: Unit, table: str, columns: Sequence[str], lines: Iterator[Iterable[object]]
) -> None:
    """COPY lines into these columns of a temporary table."""
    await unit.connection.copy_to_table(table, source=_texts(lines), columns=columns, format="csv", timeout=PATIENCE)


async def _texts(lines: Iterator[Iterable[object]]) -> AsyncIterator[bytes]:
    """Batches of lines as COPY wants them. A thread reads them, so that the process goes on with other requests."""
    while text := await asyncio.to_thread(_text, lines):
        yield text


def _text(lines: Iterator[Iterable[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(islice(lines, LINES_A_BATCH))
    return buffer.getvalue().encode()
