"""Rows of bank statements: mappings of columns, imports, entries, and proposals for them."""

from datetime import date, datetime
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.bank.domain.payer_names import FOLDED_LETTERS, LEGAL_FORMS, SPELLED_OUT
from services.invoicing.metadata import Row

NORMAL_NUMBER = "upper(regexp_replace({}, '[^A-Za-z0-9]', '', 'g'))"
"""`normalise_reference` of `domain.entry_matching`, in SQL and as an index."""
_TRANSLATED = f"translate(NORMALIZE({{0}}, NFC), '{''.join(FOLDED_LETTERS)}', '{''.join(FOLDED_LETTERS.values())}')"
# Names of ASCII letters alone have nothing to fold, and to look each letter up takes ten times as long as all the rest.
_FOLDED = f"lower(CASE WHEN (octet_length({{0}}) = char_length({{0}})) THEN {{0}} ELSE {_TRANSLATED} END)"
_SPELLED = reduce(lambda text, each: f"replace({text}, '{each[0]}', '{each[1]}')", SPELLED_OUT.items(), _FOLDED)
_WORDS = f"regexp_replace({_SPELLED}, '[^a-z0-9]+', ' ', 'g')"
NORMAL_NAME = rf"regexp_replace({_WORDS}, '\m({'|'.join(LEGAL_FORMS)})\M| ', '', 'g')"
"""`normalise_payer_name` of `domain.payer_names`, in SQL and as an index."""


class BankMappingRow(Row, table=True):
    """Mapping of the columns of a bank's CSV."""

    __tablename__ = "bank_mappings"

    name: str = Field(primary_key=True, sa_type=Text)
    columns: dict[str, Any] = Field(sa_type=JSONB)
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))


class BankImportRow(Row, table=True):
    """A file that was imported; how many entries of it were taken, and what was to become of them."""

    __tablename__ = "bank_imports"

    id: UUID = Field(primary_key=True)
    content_hash: str = Field(sa_type=Text)
    format: str = Field(sa_type=Text)
    closing_date: date | None
    certain: int
    unmatched: int
    kept: int
    repeated: int
    imported_by: str = Field(sa_type=Text)
    imported_at: datetime = Field(sa_type=DateTime(timezone=True))


class BankAccountRow(Row, table=True):
    """A bank account of ours, and until when its statements say what was paid."""

    __tablename__ = "bank_accounts"

    bank_account: str = Field(primary_key=True, sa_type=Text)
    closing_date: date
    known_until: datetime = Field(sa_type=DateTime(timezone=True))
    is_closed: bool
    closed_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    closed_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class BankEntryRow(Row, table=True):
    """An entry of a statement, taken once, and what became of it."""

    __tablename__ = "bank_entries"

    id: UUID = Field(primary_key=True)
    import_id: UUID = Field(foreign_key="bank_imports.id")
    bank_account: str = Field(sa_type=Text)
    entry_key: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    is_credit: bool
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    booked_on: date
    payer: str | None = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    reference: str | None = Field(sa_type=Text)
    """The bank's, empty if it gives none; null: the entry was taken when it stood in the key alone."""
    ids: list[str] | None = Field(sa_type=ARRAY(Text))
    return_reason: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    account_id: UUID | None = Field(foreign_key="accounts.id")
    invoice_id: UUID | None = Field(foreign_key="invoices.id")
    debit_id: UUID | None = Field(foreign_key="debits.id")
    """The direct debit whose money the entry is."""
    payment_id: UUID | None = Field(foreign_key="payments.id")
    due_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class BankRefusedEntryRow(Row, table=True):
    """An entry of a file that was left out, since a field of it is wrong."""

    __tablename__ = "bank_refused_entries"

    import_id: UUID = Field(primary_key=True, foreign_key="bank_imports.id")
    place: int = Field(primary_key=True)
    bank_account: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)


class BankRepeatRow(Row, table=True):
    """An entry of a file that is equal to one that was taken before; a person may take it after all."""

    __tablename__ = "bank_repeats"

    id: UUID = Field(primary_key=True)
    import_id: UUID = Field(foreign_key="bank_imports.id")
    place: int
    entry_id: UUID = Field(foreign_key="bank_entries.id")
    taken_entry_id: UUID | None = Field(foreign_key="bank_entries.id")
    taken_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    taken_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class BankProposalRow(Row, table=True):
    """An account, or an invoice of it, that an entry may be meant for; 1 is the best. As it was at the import."""

    __tablename__ = "bank_proposals"

    entry_id: UUID = Field(primary_key=True, foreign_key="bank_entries.id")
    rank: int = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    invoice_id: UUID | None = Field(foreign_key="invoices.id")
    score: int
    reasons: list[str] = Field(sa_type=ARRAY(Text))
