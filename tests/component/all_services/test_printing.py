"""PDF is made in other processes, which fetch nothing and are replaced when they hang or die."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest
from pypdf import PdfReader

from shared.outside.printing import DocumentNotPrinted, DocumentPrinter
from shared.outside.printing.printer import PrinterBusy

OBEDIENT = """
import os, sys, time
while len(head := sys.stdin.buffer.read(8)) == 8:
    asked = sys.stdin.buffer.read(int.from_bytes(head)).decode()
    if asked == "hang": time.sleep(600)
    if asked == "die": os._exit(9)
    told = b"\\x01" + (f"{os.getpid()} " + " ".join(os.environ)).encode()
    sys.stdout.buffer.write(len(told).to_bytes(8) + told); sys.stdout.buffer.flush()
"""


@pytest.fixture
async def printer() -> AsyncIterator[DocumentPrinter]:
    made = DocumentPrinter(1, 30, 4)
    yield made
    await made.close()


@pytest.fixture
async def stand_in() -> AsyncIterator[DocumentPrinter]:
    """A printer whose workers do as the document says."""
    made = DocumentPrinter(1, 1.0, 2, ("-c", OBEDIENT))
    yield made
    await made.close()


async def pid(printer: DocumentPrinter) -> int:
    return int((await printer.print_pdf("fine")).split()[0])


async def test_a_document_is_printed(printer: DocumentPrinter) -> None:
    pdf = PdfReader(io.BytesIO(await printer.print_pdf("<h1>Счёт № 1</h1>")))
    assert "Счёт № 1" in pdf.pages[0].extract_text()


@pytest.mark.parametrize(
    "reference",
    [
        '<img src="file:///etc/passwd">',
        '<img src="http://127.0.0.1:{port}/x.png">',
        '<link rel=stylesheet href="http://127.0.0.1:{port}/x.css">',
        '<style>@import url("http://127.0.0.1:{port}/x.css");</style>',
        '<style>@font-face {{ font-family: x; src: url("http://127.0.0.1:{port}/f") }} p {{ font: 9pt x }}</style><p>x',
        '<a rel=attachment href="file:///etc/passwd">x</a>',
    ],
)
async def test_nothing_is_fetched(printer: DocumentPrinter, reference: str) -> None:
    asked: list[bool] = []
    server = await asyncio.start_server(lambda *_: asked.append(True), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(DocumentNotPrinted):
        await printer.print_pdf(reference.format(port=port))
    assert asked == []
    server.close()
    await printer.print_pdf("the next one is fine")


async def test_a_worker_that_hangs_is_replaced(stand_in: DocumentPrinter) -> None:
    first = await pid(stand_in)
    started = time.monotonic()
    with pytest.raises(DocumentNotPrinted):
        await stand_in.print_pdf("hang")
    assert time.monotonic() - started < 5
    assert await pid(stand_in) != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_a_worker_that_dies_is_replaced(stand_in: DocumentPrinter) -> None:
    first = await pid(stand_in)
    with pytest.raises(DocumentNotPrinted):
        await stand_in.print_pdf("die")
    second = await pid(stand_in)
    os.kill(second, signal.SIGKILL)  # between two documents
    while True:
        try:
            third = await pid(stand_in)
            break
        except DocumentNotPrinted:
            continue
    assert len({first, second, third}) == 3


async def test_a_reader_that_leaves_takes_no_worker_with_it(stand_in: DocumentPrinter) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await stand_in.print_pdf("hang")
    assert await pid(stand_in)


async def test_too_many_are_refused(stand_in: DocumentPrinter) -> None:
    hanging = [asyncio.create_task(stand_in.print_pdf("hang")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(PrinterBusy):
        await stand_in.print_pdf("fine")
    outcomes = await asyncio.gather(*hanging, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DocumentNotPrinted, DocumentNotPrinted]
    assert await pid(stand_in)


async def test_a_worker_knows_no_secret(stand_in: DocumentPrinter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODSTANDING_DATABASE_URL", "postgresql://someone:secret@host/db")
    environment = (await stand_in.print_pdf("fine")).decode()
    assert "GOODSTANDING" not in environment
    assert "PATH" in environment


def test_the_service_itself_does_not_carry_the_library() -> None:
    program = (
        "import shared.run, shared.process.service, sys; shared.process.service.load_service('invoicing');"
        " print('weasyprint' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
