"""Events of bank statements."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.events.base import Event


class BankStatementImported(Event):
    """A file of bank statements was imported, which is its subject; its entries are counted by outcome.

    `certain` ones are booked at once, `unmatched` ones wait for a person, `kept` ones are no receipts,
    `repeated` ones were known; `unreadable_entries` says how many could not be read and were left out. How fresh the
    knowledge of payments is, says `closing_date`.
    """

    producer: ClassVar[str] = "invoicing"

    import_id: UUID
    format: str
    closing_date: date | None
    entries: dict[str, int]
    unreadable_entries: int = 0

    def subject(self) -> str:
        """Import that the event is about."""
        return str(self.import_id)
