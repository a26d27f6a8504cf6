"""Base of every row of the schema `collections`."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

METADATA = MetaData(schema="collections")


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """A row of this schema."""

    metadata = METADATA
