"""Support resources of the vendor's programme, and which of them helped in which case."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Date, DateTime, Text
from sqlmodel import Field

from services.escalation.tables.base import Row

TEXT_SEARCHES = {"en": "english", "de": "german", "fr": "french", "ru": "russian"}
"""The configurations of full text search for the languages of resources."""


class SupportResourceRow(Row, table=True):
    """A training, an article, a solution or a contract by which a problem may be solved without the vendor."""

    __tablename__ = "support_resources"

    id: UUID = Field(primary_key=True)
    version: int
    reference: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    products: list[str] = Field(sa_type=ARRAY(Text))
    link: str | None = Field(sa_type=Text)
    valid_from: date | None = Field(sa_type=Date)
    valid_to: date | None = Field(sa_type=Date)
    contract_number: str | None = Field(sa_type=Text)
    requests_left: int | None
    channel: str | None = Field(sa_type=Text)
    response_times: str | None = Field(sa_type=Text)
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))


class ResourceUseRow(Row, table=True):
    """That a resource was consulted in a case, and whether it helped."""

    __tablename__ = "resource_uses"

    id: UUID = Field(primary_key=True)
    resource_id: UUID = Field(foreign_key="support_resources.id")
    case_id: UUID = Field(foreign_key="cases.id")
    case_kind: str = Field(sa_type=Text)
    result: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    consulted_at: datetime = Field(sa_type=DateTime(timezone=True))
