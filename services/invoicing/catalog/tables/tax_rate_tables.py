"""Rows of tax rates."""

from datetime import date

from sqlalchemy import CheckConstraint, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class TaxRateRow(Row, table=True):
    """The tax on a class of goods for customers of a country, from a date on, in basis points (1900 = 19 %)."""

    __tablename__ = "tax_rates"
    __table_args__ = (CheckConstraint("rate_bp BETWEEN 0 AND 10000"),)

    legal_entity: str = Field(primary_key=True, sa_type=Text)
    country: str = Field(primary_key=True, sa_type=Text)
    tax_class: str = Field(primary_key=True, sa_type=Text)
    valid_from: date = Field(primary_key=True)
    rate_bp: int
