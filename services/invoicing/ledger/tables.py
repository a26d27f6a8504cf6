"""The ledger: double entry under every fact."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class LedgerAccountRow(Row, table=True):
    """An account of the chart of accounts, which is data."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (CheckConstraint("kind IN ('asset', 'liability', 'income', 'expense')"),)

    code: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)


class LedgerEntryRow(Row, table=True):
    """One side of a posting: debit is positive, credit negative. The entries of one document and fact add up to 0.

    `posted_on` is the date of the document in the account's zone, `posted_at` the instant at which it was recorded.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index("ledger_entries_of_account", "account_id", "id"),
        Index("ledger_entries_by_day", "legal_entity", "posted_on", "id"),
        CheckConstraint("amount_minor <> 0"),
        CheckConstraint(
            "account_id IS NOT NULL OR document IN ('vendor_invoice', 'vendor_payment', 'vendor_difference')"
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    legal_entity: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text, foreign_key="ledger_accounts.code")
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=BigInteger)
    account_id: UUID | None
    document: str = Field(sa_type=Text)
    document_id: UUID
    event_sequence: int = Field(sa_type=BigInteger)
    posted_on: date
    posted_at: datetime = Field(sa_type=DateTime(timezone=True))
