"""In which form a document is answered: as a page or as PDF, as the caller accepts it or says."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from fastapi.responses import HTMLResponse

from shared.outside.printing import DocumentNotPrinted, DocumentPrinter
from shared.pure.errors import Refusal, Unavailable
from shared.web.http import OWN_STYLES, describe_problem

HTML, PDF = "text/html", "application/pdf"
Format = Literal["html", "pdf"]


class DocumentTypeNotAcceptable(Refusal):
    """A document is HTML or PDF, and the caller takes neither."""

    code = "not_acceptable"
    status = 406


_HEADERS = {
    "Content-Disposition": "the name of the file",
    "Content-Security-Policy": "of HTML: it loads nothing",
    "Vary": "`accept`",
    "Missing-Characters": "of PDF: characters that no font has, which are boxes in it, at most 100: `U+0E1A U+0E23`;"
    " left out if there are none",
}
MAX_NAMED_CHARACTERS = 100
"""Missing characters that the header names."""
FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the document",
        "content": {HTML: {"schema": {"type": "string"}}, PDF: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {name: {"description": words, "schema": {"type": "string"}} for name, words in _HEADERS.items()},
    },
    406: describe_problem(
        406, "not_acceptable", "neither HTML nor PDF is accepted", "a document is text/html or application/pdf"
    ),
}

Accept = Annotated[str | None, Header(max_length=1000)]
Wanted = Annotated[Format | None, Query(alias="format", description="instead of `Accept`")]


def choose_document_type(accept: str | None, wanted: Format | None) -> str:
    """The media type to answer with: PDF where the caller takes anything. Raises DocumentTypeNotAcceptable."""
    if wanted is not None:
        return HTML if wanted == "html" else PDF
    asked = [_range(part) for part in (accept or "*/*").split(",")]
    for kind, weight in sorted(asked, key=lambda weighted_kind: -weighted_kind[1]):
        if weight > 0 and kind in (HTML, "text/*"):
            return HTML
        if weight > 0 and kind in (PDF, "application/*", "*/*"):
            return PDF
    raise DocumentTypeNotAcceptable("a document is text/html or application/pdf")


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (parameter.strip().lower() for parameter in part.split(";"))
    weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
    try:
        return kind, float(weights[0]) if weights else 1.0
    except ValueError:
        return kind, 0.0


async def render_document_response(printer: DocumentPrinter, page: Callable[[], str], kind: str, name: str) -> Response:
    """The document in that form; it may load nothing. Raises Unavailable when it cannot be printed now."""
    html = await asyncio.to_thread(page)  # one of 2000 lines takes half a second
    if kind == HTML:
        headers = {"content-disposition": f'inline; filename="{name}.html"'}
        headers |= {"content-security-policy": OWN_STYLES, "vary": "accept"}
        return HTMLResponse(html, headers=headers)
    try:
        document = await printer.print_document(html)
    except DocumentNotPrinted as error:
        raise Unavailable(str(error)) from error
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"', "vary": "accept"}
    if document.missing:
        named = document.missing[:MAX_NAMED_CHARACTERS]
        headers["missing-characters"] = " ".join(f"U+{ord(character):04X}" for character in named)
    return Response(document.pdf, headers=headers, media_type=PDF)
