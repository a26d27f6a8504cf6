"""Bill runs, and the months of the ledger. Amounts are minor units."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.base import Event
from shared.events.values import EventValue


class BillRunEvent(Event, abstract=True):
    """An event about a bill run, which is its subject."""

    producer: ClassVar[str] = "invoicing"

    run_id: UUID
    run_date: date

    def subject(self) -> str:
        """Bill run that the event is about."""
        return str(self.run_id)


class BillRunStarted(BillRunEvent):
    """Everything that is due by a date is being billed; `at_once` without drafts to be approved."""

    at_once: bool
    accounts: int


class BilledTotal(EventValue):
    """Total of a run in one currency; minor units. `credits` counts the accounts that get something back."""

    currency: str
    invoices: int
    total_minor: int
    credits: int = 0
    credited_minor: int = 0


class BillRunFinished(BillRunEvent):
    """A run has drafts that wait for approval (`drafted`), or has issued (`done`); accounts are counted by outcome."""

    state: str
    accounts: dict[str, int]
    totals: tuple[BilledTotal, ...]


class LedgerPeriodClosed(Event):
    """Nothing is posted into a month of a legal entity any more; the subject is its ledger."""

    producer: ClassVar[str] = "invoicing"

    legal_entity: str
    month: date = Field(description="its first day")

    def subject(self) -> str:
        """The ledger of the legal entity."""
        return f"ledger {self.legal_entity}"
