"""`python -m shared.outside.printing.worker`: HTML in, PDF out, one after the other, until the other end is gone.

A message is its length (8 bytes, big-endian) and its bytes; an answer has a byte before it that says what it is: a PDF,
or a PDF behind characters that no font has, or what broke. The process has no secret in its environment, and fetches
nothing: neither from the network nor from files.
"""

import sys
from typing import IO, NoReturn

from weasyprint import HTML
from weasyprint.document import Document
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from shared.outside.printing.answers import BROKE, MADE, encode_print_answer


class RefusingFetcher(URLFetcher):  # type: ignore[misc]  # it has no types
    """Fetches nothing: a document that refers to anything outside itself is not printed."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> NoReturn:
        """Refuse to fetch anything."""
        raise FatalURLFetchingError("a document refers to nothing outside itself")


def print_html_as_pdf(html: str) -> tuple[bytes, str]:
    """Print a document; the PDF, and the characters that no font has: they are boxes in it.

    Raises FatalURLFetchingError when it refers to anything.
    """
    missing: set[str] = set()

    def collect_missing_characters(document: Document, _: object) -> None:
        missing.update(chr(point) for font in document.fonts.values() for point in font.missing)

    pdf = bytes(HTML(string=html, url_fetcher=RefusingFetcher()).write_pdf(finisher=collect_missing_characters))
    return pdf, "".join(sorted(missing))


def answer_print_job(html: bytes) -> bytes:
    """The answer to one message. What broke is told by its type: its text may quote the document."""
    try:
        pdf, missing = print_html_as_pdf(html.decode())
        return encode_print_answer(pdf, missing) if missing else MADE + pdf
    except (Exception, FatalURLFetchingError) as error:  # noqa: BLE001  # whatever it is, it is about this document; the next one may be fine
        return BROKE + type(error).__name__.encode()


def serve_print_jobs(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Print until nobody asks any more."""
    while len(head := requests.read(8)) == 8:
        reply = answer_print_job(requests.read(int.from_bytes(head)))
        answers.write(len(reply).to_bytes(8) + reply)
        answers.flush()


if __name__ == "__main__":
    serve_print_jobs(sys.stdin.buffer, sys.stdout.buffer)
