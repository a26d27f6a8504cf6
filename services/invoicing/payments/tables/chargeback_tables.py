"""Chargebacks, with the lines that each took its money from, and their reasons."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class ChargebackReasonRow(Row, table=True):
    """A reason of chargebacks; one that is not active stays with the chargebacks that have it.

    So many days before the end of the last day for an answer somebody is warned. The codes are those of the card
    networks: a list of its own beside `dispute_reasons` and `service_credit_types` of escalation, kept in the same way.
    """

    __tablename__ = "chargeback_reasons"

    code: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    is_fraud: bool
    warn_days: int
    is_active: bool


class ChargebackRow(Row, table=True):
    """A part of a payment that a card network took back; `cash_minor` of it was unapplied cash."""

    __tablename__ = "chargebacks"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    payment_id: UUID = Field(foreign_key="payments.id")
    network_reference: str = Field(sa_type=Text)
    reason_code: str = Field(sa_type=Text, foreign_key="chargeback_reasons.code")
    amount_minor: int = Field(sa_type=BigInteger)
    cash_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    booked_on: date
    answer_by: date
    state: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    network_fee_minor: int | None = Field(default=None, sa_type=BigInteger)
