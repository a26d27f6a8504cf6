"""Answers about chargebacks."""

from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from services.escalation.tables import ChargebackRow
from shared.fields import example


class ChargebackOut(BaseModel):
    """A chargeback that opened a case: the card network takes an answer until the end of `answer_by` (UTC)."""

    model_config = example(
        chargeback_id="01a20d66-0c11-7e42-9d0a-52b0f7a1c3de",
        answer_by="2026-05-10",
        state="open",
        warned_at=None,
        ended_at=None,
    )

    chargeback_id: UUID
    answer_by: date
    state: Literal["open", "won", "lost"]
    warned_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def find_from(cls, row: ChargebackRow | None) -> Self | None:
        """Build the answer for a row, if there is one."""
        return None if row is None else cls.model_validate(row, from_attributes=True)
