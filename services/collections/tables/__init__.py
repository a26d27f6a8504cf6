"""The rows of the schema `collections`: facts with their times, what was done, and why."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.collections.tables.base import METADATA, Row
from services.collections.tables.guard import GuardDecisionRow, GuardLimitChangeRow, GuardRow

__all__ = [
    "METADATA",
    "AccountRow",
    "DunningCaseRow",
    "DunningItemRow",
    "GuardDecisionRow",
    "GuardLimitChangeRow",
    "GuardRow",
    "InvoiceBalanceRow",
    "InvoiceOverdueRow",
    "NoticeMessageRow",
    "NoticeRow",
    "PaymentPromiseRow",
    "PolicyVersionRow",
    "Row",
    "StepDeferralRow",
    "SuspensionCauseRow",
    "SuspensionReleaseRow",
    "SuspensionRow",
    "TakenStepRow",
]


class PolicyVersionRow(Row, table=True):
    """A published version of the collection policy; never edited."""

    __tablename__ = "policies"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=Text)
    effective_date: date
    document: str = Field(sa_type=Text)
    published_at: datetime = Field(sa_type=DateTime(timezone=True))
    published_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)


class AccountRow(Row, table=True):
    """An account as collections knows it; its name and address stay with invoicing."""

    __tablename__ = "accounts"
    __table_args__ = (Index("accounts_by_entity", "legal_entity", "account_id"),)

    account_id: UUID = Field(primary_key=True)
    legal_entity: str = Field(sa_type=Text)
    time_zone: str = Field(sa_type=Text)
    registered_at: datetime = Field(sa_type=DateTime(timezone=True))


class DunningItemRow(Row, table=True):
    """An invoice as collections works on it, open as its balance with the highest `sequence` says.

    `due_at` is when it must be judged next.
    """

    __tablename__ = "items"
    __table_args__ = (
        Index("items_standing", "account_id", postgresql_where=text("open_minor > 0 OR due_at IS NOT NULL")),
        Index("items_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    invoice_id: UUID = Field(primary_key=True)
    account_id: UUID
    number: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    due_date: date
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    open_minor: int = Field(sa_type=BigInteger)
    sequence: int = Field(sa_type=BigInteger)
    due_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class InvoiceBalanceRow(Row, table=True):
    """A balance of an invoice with its time and the account's sequence; the highest sequence is the last word."""

    __tablename__ = "balances"

    invoice_id: UUID = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    account_id: UUID
    at: datetime = Field(sa_type=DateTime(timezone=True))
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    event_id: str | None = Field(sa_type=Text)


class InvoiceOverdueRow(Row, table=True):
    """Invoicing's judgement that an invoice is overdue."""

    __tablename__ = "overdues"

    invoice_id: UUID = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    account_id: UUID
    judged_at: datetime = Field(sa_type=DateTime(timezone=True))
    event_id: str = Field(sa_type=Text)


class PaymentPromiseRow(Row, table=True):
    """A promise to pay covers an amount of an invoice for a while."""

    __tablename__ = "promises"
    __table_args__ = (CheckConstraint("amount_minor > 0"), CheckConstraint("active_until > active_from"))

    id: UUID = Field(primary_key=True)
    account_id: UUID
    invoice_id: UUID = Field(index=True)
    amount_minor: int = Field(sa_type=BigInteger)
    active_from: datetime = Field(sa_type=DateTime(timezone=True))
    active_until: datetime = Field(sa_type=DateTime(timezone=True))


class NoticeRow(Row, table=True):
    """A message to the customer; its id and `secret` stand in the Message-ID of every attempt.

    A person's retry is another message, with another secret. `bounce_id` is the secret's digest.
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("kind IN ('steps', 'suspended', 'restored')"),
        CheckConstraint("state IN ('pending', 'sent', 'failed', 'withdrawn')"),
        CheckConstraint("(state = 'sent') = (delivered_at IS NOT NULL)"),
        Index("notices_listed", "state", "id"),
        Index("notices_by_time", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(index=True)
    kind: str = Field(sa_type=Text)
    template: str = Field(sa_type=Text)
    items: list[dict[str, Any]] = Field(sa_type=JSONB)
    subscription_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    state: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    delivered_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    failure: str | None = Field(sa_type=Text)
    secret: str | None = Field(sa_type=Text)
    bounce_id: UUID | None = Field(unique=True)


class NoticeMessageRow(Row, table=True):
    """The message of a notice as the next mail hop took it; personal, and empty once it was erased."""

    __tablename__ = "notice_messages"
    __table_args__ = (CheckConstraint("num_nulls(recipient, subject, text) IN (0, 3)"),)

    notice_id: UUID = Field(primary_key=True, foreign_key="notices.id")
    account_id: UUID = Field(index=True)
    recipient: str | None = Field(sa_type=Text)
    subject: str | None = Field(sa_type=Text)
    text: str | None = Field(sa_type=Text)
    sent_at: datetime = Field(sa_type=DateTime(timezone=True))


class TakenStepRow(Row, table=True):
    """A step that was taken or skipped, once for each invoice and round, and again where that counts no more."""

    __tablename__ = "steps_taken"
    __table_args__ = (CheckConstraint("outcome IN ('notice', 'skipped', 'requested')"),)

    invoice_id: UUID = Field(primary_key=True)
    round: int = Field(primary_key=True)
    step: str = Field(primary_key=True, sa_type=Text)
    attempt: int = Field(primary_key=True)
    account_id: UUID
    outcome: str = Field(sa_type=Text)
    taken_at: datetime = Field(sa_type=DateTime(timezone=True))
    instant: datetime = Field(sa_type=DateTime(timezone=True))
    policy_version: int
    dunnable_minor: int = Field(sa_type=BigInteger)
    notice_id: UUID | None
    replaced_by: str | None = Field(sa_type=Text)


class StepDeferralRow(Row, table=True):
    """A step that is due and waits, and what for; said once for each cause."""

    __tablename__ = "deferrals"
    __table_args__ = (
        CheckConstraint("waits_for IN ('guard', 'bank_data', 'policy')"),
        Index("deferrals_listed", "waits_for", "invoice_id"),
    )

    invoice_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(index=True)
    step: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text)
    until: datetime | None = Field(sa_type=DateTime(timezone=True))
    waits_for: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=DateTime(timezone=True))


class DunningCaseRow(Row, table=True):
    """A dunning case: one account while any of its invoices is overdue and open."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("closed_at IS NOT NULL OR oldest_due_date IS NOT NULL"),
        Index("cases_one_open", "account_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("cases_open", "id", postgresql_where=text("closed_at IS NULL")),
        Index("cases_open_by_stage", "stage", "id", postgresql_where=text("closed_at IS NULL")),
        Index("cases_open_by_age", "oldest_due_date", postgresql_where=text("closed_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    closed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    stage: str | None = Field(sa_type=Text)
    oldest_due_date: date | None
    """That of its oldest invoice that is overdue and open."""


class SuspensionRow(Row, table=True):
    """A suspension of one subscription, with one id from request to reinstatement."""

    __tablename__ = "suspensions"
    __table_args__ = (
        CheckConstraint("state IN ('requested', 'effective', 'withdrawn', 'ending', 'ended')"),
        Index(
            "suspensions_one_standing",
            "subscription_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'effective')"),
        ),
        Index("suspensions_requested", "requested_at"),
        Index("suspensions_listed", "state", "id"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(index=True)
    subscription_id: UUID
    state: str = Field(sa_type=Text)
    policy_version: int
    step: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=DateTime(timezone=True))
    effective_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    vendor_bills_on: bool | None
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_because: str | None = Field(sa_type=Text)
    vendor_refusal: str | None = Field(sa_type=Text)


class SuspensionCauseRow(Row, table=True):
    """An invoice that a suspension rests on, in the round in which it did."""

    __tablename__ = "suspension_causes"

    suspension_id: UUID = Field(primary_key=True, foreign_key="suspensions.id")
    invoice_id: UUID = Field(primary_key=True)
    round: int = Field(primary_key=True)
    account_id: UUID
    caused_at: datetime = Field(sa_type=DateTime(timezone=True))
    dunnable_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class SuspensionReleaseRow(Row, table=True):
    """A person's release of a suspension, for each invoice that caused it; `until` is its last local day."""

    __tablename__ = "releases"

    suspension_id: UUID = Field(primary_key=True, foreign_key="suspensions.id")
    invoice_id: UUID = Field(primary_key=True, index=True)
    account_id: UUID
    released_at: datetime = Field(sa_type=DateTime(timezone=True))
    until: date
