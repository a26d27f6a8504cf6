"""A few processes that print, a bounded queue before them, and a time limit for each document.

The library for PDF is large, and what it makes of a document may take long or break: so it lives in processes of
its own, which hold nothing else, are started when they are first needed, and are replaced when they hang or die.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import Counter

from shared.base.telemetry import log
from shared.outside.printing.answers import PrintedPdf, decode_print_answer
from shared.outside.printing.fonts import write_font_configuration
from shared.pure.errors import RetryLater, Unavailable

ROOT = Path(__file__).parents[3]
KEPT = ("PATH", "HOME", "LANG", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "XDG_CACHE_HOME")
"""What of the environment a worker gets: no address of a database, no key."""
LACKING_DOCUMENTS = Counter(
    "goodstanding_documents_lacking_characters", "Documents that were printed with boxes: no font has some characters."
)


class DocumentNotPrinted(RetryLater):
    """The document was not printed: it took too long, or the process that printed it died, or it is broken."""


class PrinterBusy(Unavailable):
    """Too many documents wait to be printed."""

    code = "printer_busy"


class DocumentPrinter:
    """Prints HTML as PDF in `workers` processes; `most` documents at once wait, each takes `seconds` at most."""

    def __init__(
        self,
        workers: int,
        seconds: float,
        most: int,
        command: tuple[str, ...] = ("-m", "shared.outside.printing.worker"),
    ) -> None:
        self._command = command
        self._seconds = seconds
        self._most = most
        self._asked = 0
        self._folder: TemporaryDirectory[str] | None = None
        """Where the workers' configuration of fonts is, once there are workers."""
        self._free: asyncio.Queue[Process | None] = asyncio.Queue()
        for _ in range(workers):
            self._free.put_nowait(None)

    async def print_pdf(self, html: str) -> bytes:
        """The document as PDF. Raises DocumentNotPrinted, and Full when too many wait."""
        return (await self.print_document(html)).pdf

    async def print_document(self, html: str) -> PrintedPdf:
        """Print a document, and tell which characters no font has.

        Raises DocumentNotPrinted, and Full when too many wait.
        """
        if self._asked >= self._most:
            raise PrinterBusy(f"{self._asked} documents wait to be printed")
        self._asked += 1
        try:
            return await self._with_a_worker(html.encode())
        finally:
            self._asked -= 1

    async def _with_a_worker(self, html: bytes) -> PrintedPdf:
        worker = await self._free.get()
        done = False
        try:
            if worker is None or worker.returncode is not None:
                worker = await self._start_worker()
            async with asyncio.timeout(self._seconds):
                answer = await _request_pdf(worker, html)
            done = True
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            log.warning("a document was not printed", error=type(error).__name__)
            raise DocumentNotPrinted(f"the document was not printed: {type(error).__name__}") from error
        finally:  # one that was left in the midst of a document is of no use any more
            self._free.put_nowait(worker if done else None)
            if worker is not None and not done:
                await _stop_worker(worker)
        document = decode_print_answer(answer)
        if document is None:
            raise DocumentNotPrinted(f"the document cannot be printed: {answer[1:].decode()}")
        if document.missing:
            LACKING_DOCUMENTS.inc()
            characters, scripts = len(document.missing), document.list_missing_scripts()
            log.warning("no font has characters of a document", characters=characters, scripts=scripts)
        return document

    async def _start_worker(self) -> Process:
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment["FONTCONFIG_FILE"] = str(self._configure_fonts())
        return await asyncio.create_subprocess_exec(
            sys.executable, *self._command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )

    def _configure_fonts(self) -> Path:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="goodstanding-fonts-", ignore_cleanup_errors=True)
        path = Path(self._folder.name, "fonts.conf")
        if not path.exists():
            write_font_configuration(path, os.environ.get("FONTCONFIG_FILE"))
        return path

    async def close(self) -> None:
        """End the processes."""
        while not self._free.empty():
            worker = self._free.get_nowait()
            if worker is not None:
                await _stop_worker(worker)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


async def _request_pdf(worker: Process, html: bytes) -> bytes:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(len(html).to_bytes(8) + html)
    await worker.stdin.drain()
    return await worker.stdout.readexactly(int.from_bytes(await worker.stdout.readexactly(8)))


async def _stop_worker(worker: Process) -> None:
    if worker.returncode is None:
        worker.kill()
    await worker.wait()
