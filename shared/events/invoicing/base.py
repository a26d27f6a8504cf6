"""Base of the events of invoicing that are about an account."""

from typing import ClassVar

from shared.events.base import AccountEvent


class InvoicingEvent(AccountEvent, abstract=True):
    """An event of invoicing; the subject is the account."""

    producer: ClassVar[str] = "invoicing"
