"""Rows of the versions of the collection policy."""

from datetime import date

from sqlmodel import Field

from services.invoicing.metadata import Row


class PolicyVersionRow(Row, table=True):
    """From when on which version of the collection policy applies, as collections told."""

    __tablename__ = "policy_versions"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    effective_date: date
