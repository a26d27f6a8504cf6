"""Parts of payments that paid lines of invoices, as answers show them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from shared.pure.fields import set_model_example


class AllocationOut(BaseModel):
    """A part of a payment that paid a line, in minor units of the invoice's currency, until it was reversed."""

    model_config = set_model_example(
        payment_id="01a20d63-20aa-7d15-8c3e-1b7f60e2a94c",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        number="GS-DE-00000001",
        line=1,
        amount_minor=25200,
        is_recovery=False,
        allocated_at="2026-03-30T10:12:00Z",
        reversed_at=None,
    )

    payment_id: UUID
    invoice_id: UUID
    number: str
    line: int
    amount_minor: int
    is_recovery: bool
    allocated_at: datetime
    reversed_at: datetime | None

    @classmethod
    def list_from_allocation_rows(cls, rows: Iterable[Any]) -> list[Self]:
        """Build the answers for rows."""
        return [cls.model_validate(dict(row)) for row in rows]
