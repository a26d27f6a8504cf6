"""Bill runs: which accounts they have done, and the drafts that wait for approval."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from services.invoicing.metadata import Row


class BillRunRow(Row, table=True):
    """One run for a date; its accounts are done in chunks that any number of workers share."""

    __tablename__ = "bill_runs"
    __table_args__ = (CheckConstraint("state IN ('drafting', 'drafted', 'issuing', 'done', 'discarded')"),)

    id: UUID = Field(primary_key=True)
    run_date: date
    state: str = Field(sa_type=Text)
    at_once: bool
    started_by: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    finished_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class BillRunAccountRow(Row, table=True):
    """How far a run is with one account. `due_at` is set while a worker has something to do.

    What is to be taxed waits for the outside tax calculator: an intent stands for it, whose key is the draft's id.
    `reason`: why it was set aside, or what of a credit stays unbilled. `invoice_id` is that of the draft; once
    credited, credit notes name it as their `bill_id`.
    """

    __tablename__ = "bill_run_accounts"
    __table_args__ = (
        Index("bill_run_accounts_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "bill_run_accounts_open",
            "account_id",
            postgresql_where=text("state IN ('waiting', 'to_be_taxed', 'drafted', 'approved')"),
        ),
        Index("bill_run_accounts_to_be_taxed", "run_id", postgresql_where=text("state = 'to_be_taxed'")),
        CheckConstraint(
            "state IN ('waiting', 'to_be_taxed', 'drafted', 'approved', 'issued', 'credited', 'nothing', 'set_aside')"
        ),
        CheckConstraint("(state IN ('waiting', 'approved')) = (due_at IS NOT NULL)"),
        CheckConstraint("state <> 'set_aside' OR reason IS NOT NULL"),
        CheckConstraint("reason IS NULL OR state IN ('drafted', 'credited', 'nothing', 'set_aside')"),
    )

    run_id: UUID = Field(primary_key=True, foreign_key="bill_runs.id")
    account_id: UUID = Field(primary_key=True)
    state: str = Field(sa_type=Text)
    due_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    reason: str | None = Field(sa_type=Text)
    invoice_id: UUID | None


class DraftRow(Row, table=True):
    """An invoice, or less than nothing what credit notes give back, that waits for its tax or for approval.

    It keeps its id.
    """

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("run_id", "account_id"), CheckConstraint("total_minor <> 0"))

    id: UUID = Field(primary_key=True)
    run_id: UUID = Field(foreign_key="bill_runs.id")
    account_id: UUID = Field(foreign_key="accounts.id")
    legal_entity: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    issue_date: date
    due_date: date
    total_minor: int = Field(sa_type=BigInteger)
    tax_request_id: UUID | None
    tax_note: str | None = Field(sa_type=Text)


class CreditedChargeRow(Row, table=True):
    """Part of a charge that credit notes of a bill have settled, with the tax that it would have been billed with."""

    __tablename__ = "credited_charges"

    bill_id: UUID = Field(primary_key=True)
    charge_id: UUID = Field(primary_key=True, foreign_key="charges.id")
    account_id: UUID = Field(index=True)
    net_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)


class DraftLineRow(Row, table=True):
    """A line of a draft; `collectable_minor` is what is to be paid for it, once reversals are taken off."""

    __tablename__ = "draft_lines"

    draft_id: UUID = Field(primary_key=True, foreign_key="drafts.id")
    line: int = Field(primary_key=True)
    account_id: UUID
    charge_id: UUID = Field(foreign_key="charges.id")
    subscription_id: UUID
    description: str = Field(sa_type=Text)
    is_deferred: bool
    net_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    tax_rate_bp: int | None
    collectable_minor: int = Field(sa_type=BigInteger)
