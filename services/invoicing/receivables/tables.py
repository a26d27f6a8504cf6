"""Accounts and subscriptions, invoices and what happened to them, payments, credit notes, numbers."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from services.invoicing.metadata import Row


class InvoiceRow(Row, table=True):
    """An issued invoice; the service's role can insert it and never change it.

    `tax_request_id` is what the outside tax calculator was asked by, and `tax_note` what it wants to be said of it.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("legal_entity", "number"),
        UniqueConstraint("account_id", "external_reference"),
        CheckConstraint("total_minor > 0"),
        CheckConstraint("due_date >= issue_date"),
        Index("invoices_by_entity", "legal_entity", "id"),
        Index("invoices_by_due_date", "due_date", "id"),
        Index(
            "invoices_by_external_reference",
            "external_reference",
            postgresql_where=text("external_reference IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    legal_entity: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    external_reference: str | None = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    issue_date: date
    due_date: date
    total_minor: int = Field(sa_type=BigInteger)
    issued_at: datetime = Field(sa_type=DateTime(timezone=True))
    tax_request_id: UUID | None = None
    tax_note: str | None = Field(default=None, sa_type=Text)


class InvoiceLineRow(Row, table=True):
    """A line of an issued invoice; never changed either. A reversal's amounts are negative.

    `tax_class` is that of a line by hand; what a bill run charged has that of its plan.
    """

    __tablename__ = "invoice_lines"
    __table_args__ = (CheckConstraint("amount_minor = net_minor + tax_minor"),)

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoices.id")
    line: int = Field(primary_key=True)
    account_id: UUID
    description: str = Field(sa_type=Text)
    net_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    tax_rate_bp: int | None
    amount_minor: int = Field(sa_type=BigInteger)
    subscription_id: UUID | None = Field(foreign_key="subscriptions.id")
    charge_id: UUID | None
    tax_class: str | None = Field(sa_type=Text)


class LineBalanceRow(Row, table=True):
    """Balance of a line: what happened to its amount since it was issued."""

    __tablename__ = "line_balances"
    __table_args__ = (
        CheckConstraint("least(paid_minor, credited_minor, reserved_minor, in_flight_minor, written_off_minor) >= 0"),
        CheckConstraint("paid_minor + credited_minor + written_off_minor <= amount_minor"),
        CheckConstraint("reserved_minor <= amount_minor"),
        CheckConstraint("charged_back_minor >= 0"),
        CheckConstraint("amount_minor >= 0"),
    )

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoices.id")
    line: int = Field(primary_key=True)
    account_id: UUID
    amount_minor: int = Field(sa_type=BigInteger)
    paid_minor: int = Field(sa_type=BigInteger)
    credited_minor: int = Field(sa_type=BigInteger)
    reserved_minor: int = Field(sa_type=BigInteger)
    in_flight_minor: int = Field(sa_type=BigInteger)
    written_off_minor: int = Field(sa_type=BigInteger)
    charged_back_minor: int = Field(sa_type=BigInteger)


class InvoiceStateRow(Row, table=True):
    """Where an invoice stands: what is open of it, whether it is overdue, when that is judged next."""

    __tablename__ = "invoice_states"
    __table_args__ = (
        Index("invoice_states_open", "account_id", postgresql_where=text("open_minor > 0")),
        Index("invoice_states_due", "judge_at", postgresql_where=text("judge_at IS NOT NULL")),
        Index(
            "invoice_states_overdue",
            "invoice_id",
            postgresql_where=text("open_minor > 0 AND overdue_at IS NOT NULL"),
        ),
        Index("invoice_states_changed", "changed_at", "invoice_id"),
        CheckConstraint("open_minor >= 0"),
    )

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoices.id")
    account_id: UUID
    open_minor: int = Field(sa_type=BigInteger)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
    overdue_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    judge_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class BalanceChangeRow(Row, table=True):
    """Due amount of an invoice after a change, with the account's sequence; for judging past midnights."""

    __tablename__ = "balance_changes"

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoices.id")
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    account_id: UUID
    at: datetime = Field(sa_type=DateTime(timezone=True))
    due_minor: int = Field(sa_type=BigInteger)


class NumberRow(Row, table=True):
    """The last number of a series of a legal entity; locked last, so that numbers have no gap."""

    __tablename__ = "numbers"

    legal_entity: str = Field(primary_key=True, sa_type=Text)
    series: str = Field(primary_key=True, sa_type=Text)
    last: int = Field(sa_type=BigInteger)
