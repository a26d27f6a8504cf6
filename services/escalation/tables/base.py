"""The base of every row of this schema."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

METADATA = MetaData(schema="escalation")


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """A row of this schema."""

    metadata = METADATA
