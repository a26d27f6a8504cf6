"""Our legal entities as documents name them, who a document is from and to, and what was sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.metadata import Row


class LegalEntityRow(Row, table=True):
    """The data of a legal entity of ours that its documents and mails need, and who calculates its tax.

    `footers` are those by language, where it is another than `footer`. At version 0 the code exists and has no data
    yet, so no document names it.
    """

    __tablename__ = "legal_entities"

    code: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    address: list[str] = Field(sa_type=ARRAY(Text))
    tax_id: str = Field(sa_type=Text)
    register_number: str = Field(sa_type=Text)
    bank_name: str = Field(sa_type=Text)
    iban: str = Field(sa_type=Text)
    bic: str = Field(sa_type=Text)
    footer: str | None = Field(sa_type=Text)
    footers: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    sends_documents: bool
    country: str | None = Field(sa_type=Text)
    tax_calculator: str = Field(sa_type=Text)
    mail_from: str | None = Field(sa_type=Text)
    reply_to: str | None = Field(sa_type=Text)
    signature: str | None = Field(sa_type=Text)
    language: str | None = Field(sa_type=Text)
    version: int
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
