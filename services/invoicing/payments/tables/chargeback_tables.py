"""Chargebacks, with the lines that each took its money from, and their reasons."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field

from services.invoicing.metadata import Row


class ChargebackReasonRow(Row, table=True):
    """A reason of chargebacks; one that is not active stays with the chargebacks that have it.

    So many days before the end of the last day for an answer somebody is warned.
    """

    __tablename__ = "chargeback_reasons"
    __table_args__ = (CheckConstraint("warn_days BETWEEN 1 AND 60"),)

    code: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    is_fraud: bool
    warn_days: int
    is_active: bool


class ChargebackRow(Row, table=True):
    """A part of a payment that a card network took back; `cash_minor` of it was unapplied cash."""

    __tablename__ = "chargebacks"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'won', 'lost')"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)"),
        CheckConstraint("amount_minor > 0 AND cash_minor BETWEEN 0 AND amount_minor"),
        CheckConstraint("answer_by >= booked_on"),
        CheckConstraint("network_fee_minor >= 0"),
        Index("chargebacks_of_account", "account_id", "id"),
        Index("chargebacks_by_state", "state", "id"),
        Index("chargebacks_to_answer", "answer_by", "id", postgresql_where=text("state = 'open'")),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    payment_id: UUID = Field(foreign_key="payments.id", index=True)
    network_reference: str = Field(sa_type=Text, unique=True)
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
