"""Credit note of a customer; minor units."""

from uuid import UUID

from shared.contracts.answers import AnswerContract


class CreditedTotal(AnswerContract):
    """Total of a credit note, with tax, and whose it is."""

    number: str
    account_id: UUID
    currency: str
    total_minor: int
