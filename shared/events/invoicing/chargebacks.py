"""Chargebacks of card payments. Amounts are minor units."""

from datetime import date
from uuid import UUID

from shared.events.invoicing.base import InvoicingEvent
from shared.events.invoicing.payments import AllocatedAmount


class ChargebackEvent(InvoicingEvent, abstract=True):
    """About a part of a payment that a card network took back."""

    chargeback_id: UUID
    payment_id: UUID
    amount_minor: int
    currency: str


class ChargebackOpened(ChargebackEvent):
    """The network took money of a payment: what it had paid is open again, and reserved while the network decides.

    `answer_by` is the last day on which the network takes an answer, in UTC; `warn_days` before its end somebody is
    warned. `cash_minor` had paid nothing.
    """

    reason_code: str
    is_fraud: bool
    answer_by: date
    warn_days: int
    reopened_amounts: tuple[AllocatedAmount, ...]
    cash_minor: int


class ChargebackWon(ChargebackEvent):
    """The network gave the money back, and this is what it pays again; the rest is unapplied cash."""

    allocations: tuple[AllocatedAmount, ...]
    unapplied_minor: int


class ChargebackLost(ChargebackEvent):
    """The money stays with the cardholder: what is open is reserved no more, and dunnable."""
