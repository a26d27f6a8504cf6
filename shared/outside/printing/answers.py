"""Answers of a worker that prints: what their first byte says, and what is behind it."""

import unicodedata
from dataclasses import dataclass

MADE, LACKING, BROKE = b"\x01", b"\x02", b"\x00"
"""A PDF; characters that no font has, and a PDF; the type of what broke."""
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class PrintedPdf:
    """A PDF, and the characters of the document that no font has, in their order."""

    pdf: bytes
    missing: str = ""

    def list_missing_scripts(self) -> list[str]:
        """List the scripts of the missing characters, by the first word of their names in Unicode."""
        return sorted({unicodedata.name(character, "unnamed").split()[0].lower() for character in self.missing})


def encode_print_answer(pdf: bytes, missing: str) -> bytes:
    """Encode a PDF in which these characters are boxes."""
    characters = missing.encode("utf-8", "surrogatepass")
    return LACKING + len(characters).to_bytes(_LENGTH_BYTES) + characters + pdf


def decode_print_answer(answer: bytes) -> PrintedPdf | None:
    """Decode the answer of a worker; None where something broke."""
    kind, content = answer[:1], answer[1:]
    if kind == MADE:
        return PrintedPdf(content)
    if kind != LACKING:
        return None
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES])
    return PrintedPdf(content[end:], content[_LENGTH_BYTES:end].decode("utf-8", "surrogatepass"))
