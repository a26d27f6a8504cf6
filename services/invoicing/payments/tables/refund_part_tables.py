"""Rows of what is held of payments for refunds."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field

from services.invoicing.metadata import Row


class RefundPartRow(Row, table=True):
    """Part of a payment's unapplied cash that a refund is made of; held from the proposal on."""

    __tablename__ = "refund_parts"
    __table_args__ = (CheckConstraint("amount_minor > 0"),)

    approval_id: UUID = Field(primary_key=True, foreign_key="approvals.id")
    payment_id: UUID = Field(primary_key=True, foreign_key="payments.id")
    account_id: UUID
    amount_minor: int = Field(sa_type=BigInteger)
