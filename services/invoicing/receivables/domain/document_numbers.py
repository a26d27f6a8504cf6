"""The numbers that documents carry."""

from typing import Literal

DocumentSeries = Literal["invoice", "credit_note"]
"""The series of a legal entity, each without gaps."""
INFIXES: dict[DocumentSeries, str] = {"invoice": "", "credit_note": "CN-"}
DIGITS = 8
"""Digits of a number, at least."""


def format_document_number(legal_entity: str, series: DocumentSeries, place: int) -> str:
    """Format the number of the document that has a place in a series of a legal entity: GS-DE-00000042.

    A bill run numbers all its invoices at once, with FORMAT_DOCUMENT_NUMBER of `chunk_issuing_statements`.
    """
    return f"{legal_entity}-{INFIXES[series]}{place:0{DIGITS}d}"
