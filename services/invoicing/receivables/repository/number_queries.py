"""Numbers of documents, without gaps."""

from services.invoicing.receivables.domain.document_numbers import DocumentSeries, format_document_number
from shared.persistence.database import Unit

_NEXT_NUMBER = """
INSERT INTO numbers (legal_entity, series, last) VALUES ($1, $2, 1)
ON CONFLICT (legal_entity, series) DO UPDATE SET last = numbers.last + 1 RETURNING last
"""


async def take_next_document_number(unit: Unit, legal_entity: str, series: DocumentSeries) -> str:
    """Take the next number of a series, without a gap: the row stays locked until the unit ends."""
    place: int = await unit.connection.fetchval(_NEXT_NUMBER, legal_entity, series)
    return format_document_number(legal_entity, series, place)
