"""How long documents break into pages: heads repeat, pages are numbered, the sums stay with the last lines."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pypdf import PdfReader

from services.invoicing.documents.domain.paper import DocumentLine
from services.invoicing.documents.papers.pages import render_document_page
from shared.outside.printing import DocumentPrinter
from tests.unit.invoicing.documents.test_wording import paper


@pytest.fixture
async def printer() -> AsyncIterator[DocumentPrinter]:
    made = DocumentPrinter(1, 60, 4)
    yield made
    await made.close()


@pytest.mark.parametrize("count", [1, 2, *range(17, 24), 40, 400])
async def test_pages_break_where_a_reader_can_follow(printer: DocumentPrinter, count: int) -> None:
    lines = tuple(
        DocumentLine(n, f"licence-{n:04d}-" + "long" * (n % 40), 100, 19, 1900, None) for n in range(1, count + 1)
    )
    pdf = await printer.print_pdf(render_document_page(replace(paper("en"), lines=lines), "https://pay.example/policy"))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert all(f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1))
    with_lines = [page for page in pages if "licence-" in page]
    assert all("Description" in page for page in with_lines)
    (summed,) = [page for page in pages if "Total net" in page]
    assert summed is with_lines[-1]
    for n in range(max(1, count - 1), count + 1):
        assert f"licence-{n:04d}" in summed
    assert sum(page.count("licence-") for page in pages) == count
