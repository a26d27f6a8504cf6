"""Files that are sent to us: kept on disk as they come in, so that no transaction waits for a slow sender."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect

from services.invoicing.domain.reconciliation.layouts import Layout
from services.invoicing.use_cases.vendor_reconciliation import ReconciliationFile
from shared.errors import Refusal

LARGEST_FILE = 2 << 30
"""Bytes, as sent: 2 GiB."""


class FileTooLarge(Refusal):
    """The file is larger than is taken."""

    code = "file_too_large"
    status = 413


class Interrupted(Refusal):
    """The sender went away before the file was whole."""

    code = "malformed"
    status = 400


@asynccontextmanager
async def received(chunks: AsyncIterator[bytes], layout: Layout) -> AsyncIterator[ReconciliationFile]:
    """The file that these chunks make, for as long as it is needed. Raises FileTooLarge, Interrupted."""
    with await asyncio.to_thread(tempfile.TemporaryFile) as content:
        digest, size = hashlib.sha256(), 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > LARGEST_FILE:
                    raise FileTooLarge(f"a file has at most {LARGEST_FILE >> 20} MiB")
                digest.update(chunk)
                await asyncio.to_thread(content.write, chunk)
        except ClientDisconnect as error:
            raise Interrupted("the file ended before it was whole") from error
        yield ReconciliationFile(content, digest.hexdigest(), layout)
