"""The lines of a reconciliation file on their way into the database: read in a thread, streamed by COPY."""

import asyncio
import csv
import gzip
import io
import zlib
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from services.invoicing.domain.reconciliation.layouts import FileBroken, Lines
from services.invoicing.domain.reconciliation.line import Read
from shared.database import Unit

LONGEST_LINE = 1 << 20
"""Bytes: no line takes more memory than this."""
LINES_A_BATCH = 2000
PATIENCE = 600.0
"""Seconds that a statement over a whole file may take; the pool's usual limit is made for requests."""
_GZIP = b"\x1f\x8b"

_INCOMING = """
CREATE TEMPORARY TABLE incoming (
    line int NOT NULL, vendor_customer_id text, vendor_subscription_id text, product text, charge_type text NOT NULL,
    kind text, unit_price numeric NOT NULL, effective_unit_price numeric, quantity numeric NOT NULL,
    subtotal_minor bigint NOT NULL, tax_minor bigint NOT NULL, total_minor bigint NOT NULL, period_from date,
    period_to date, reference text, extra jsonb
) ON COMMIT DROP
"""


def raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from its start, unpacked if it is a gzip. Raises FileBroken."""
    file.seek(0)
    packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    try:
        with gzip.open(file) if packed else io.BufferedReader(_Kept(file)) as lines:
            while line := lines.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise FileBroken(f"is longer than {LONGEST_LINE} bytes")
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileBroken(f"the gzip is broken here: {error}") from error


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


async def copy_in(unit: Unit, file: BinaryIO, lines: Lines) -> None:
    """COPY the lines of a file into the temporary table `incoming`, and take its statistics.

    What is broken is in `lines` afterwards, and then the table holds a part of the file only.
    """
    await unit.connection.execute(_INCOMING)
    await unit.connection.copy_to_table(
        "incoming", source=_texts(lines.read(raw_lines(file))), format="csv", timeout=PATIENCE
    )
    await unit.connection.execute("ANALYZE incoming", timeout=PATIENCE)


_AGAIN = """
INSERT INTO incoming
SELECT line, vendor_customer_id, vendor_subscription_id, product, charge_type, kind, unit_price, effective_unit_price,
    quantity, subtotal_minor, tax_minor, total_minor, period_from, period_to, reference, extra
FROM reconciliation_lines WHERE reconciliation_id = $1
"""


async def take_again(unit: Unit, reconciliation_id: UUID) -> None:
    """Take the lines of a reconciliation that is there into `incoming`, with its statistics."""
    await unit.connection.execute(_INCOMING)
    await unit.connection.execute(_AGAIN, reconciliation_id, timeout=PATIENCE)
    await unit.connection.execute("ANALYZE incoming", timeout=PATIENCE)


async def _texts(lines: Iterator[Read]) -> AsyncIterator[bytes]:
    """Batches of lines as COPY wants them. A thread reads them, so that the process goes on with other requests."""
    while text := await asyncio.to_thread(_text, lines):
        yield text


def _text(lines: Iterator[Read]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(islice(lines, LINES_A_BATCH))
    return buffer.getvalue().encode()
