"""What every event of invoicing about an account has in common."""

from typing import ClassVar

from shared.events.base import AccountEvent


class InvoicingEvent(AccountEvent, abstract=True):
    """An event of invoicing; the subject is the account."""

    producer: ClassVar[str] = "invoicing"
