"""What every row of this schema has in common."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

METADATA = MetaData(schema="invoicing")


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """A row of this schema."""

    metadata = METADATA
