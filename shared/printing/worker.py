"""`python -m shared.printing.worker`: HTML in, PDF out, one after the other, until the other end is gone.

A message is its length (8 bytes, big-endian) and its bytes; an answer has a byte before it that says whether it is
a PDF. The process has no secret in its environment, and fetches nothing: neither from the network nor from files.
"""

import sys
from typing import IO, NoReturn

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher

MADE, BROKE = b"\x01", b"\x00"


class Nothing(URLFetcher):  # type: ignore[misc]  # it has no types
    """Fetches nothing: a document that refers to anything outside itself is not printed."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> NoReturn:
        """Refuse."""
        raise FatalURLFetchingError("a document refers to nothing outside itself")


def printed(html: str) -> bytes:
    """The PDF of a document. Raises FatalURLFetchingError when it refers to anything."""
    return bytes(HTML(string=html, url_fetcher=Nothing()).write_pdf())


def answer(html: bytes) -> bytes:
    """The answer to one message. What broke is told by its type: its text may quote the document."""
    try:
        return MADE + printed(html.decode())
    except (Exception, FatalURLFetchingError) as error:  # noqa: BLE001  # whatever it is, it is about this document; the next one may be fine
        return BROKE + type(error).__name__.encode()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Print until nobody asks any more."""
    while len(head := requests.read(8)) == 8:
        told = answer(requests.read(int.from_bytes(head)))
        answers.write(len(told).to_bytes(8) + told)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
