"""Dates as the vendor writes them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""How the vendor writes that something has no date."""


def parse_vendor_date(value: object) -> object:
    """Read a date of the vendor's: UTC where it names no zone, none for the one that stands for never."""
    if not isinstance(value, str):
        return value
    instant = datetime.fromisoformat(value)
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return None if instant <= NEVER else instant


VendorDate = Annotated[datetime | None, BeforeValidator(parse_vendor_date)]
"""An instant, or none."""
