"""Bodies and answers about chargebacks."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.escalation.tables import ChargebackEvidenceRow, ChargebackRow
from services.escalation.use_cases.chargebacks import SubmittedChargebackEvidence
from shared.pure.fields import Instant, RequestBody, get_model_example, set_model_example

MAX_FILES = 50
SUGGESTED_OUTCOMES = {
    "won": "the card network found for us: the money is booked again",
    "lost": "the card network found for the cardholder: the amount is open again",
}


class NetworkEvidenceIn(RequestBody):
    """Files of the case that were given to the network, and when."""

    model_config = set_model_example(
        attachment_ids=["01a20d66-0b3d-7e92-a6c7-58f10d4b2e39"], submitted_at="2026-05-04T09:00:00Z"
    )

    attachment_ids: list[UUID] = Field(min_length=1, max_length=MAX_FILES)
    submitted_at: Instant | None = Field(default=None, description="null: now; after the last day it is marked as late")

    def build_evidence(self) -> SubmittedChargebackEvidence:
        """Build what was given."""
        return SubmittedChargebackEvidence(self.attachment_ids, self.submitted_at)


class NetworkEvidenceOut(BaseModel):
    """Evidence that was given to the network; `is_late`: after the last day."""

    model_config = set_model_example(
        id="01a20d66-1f00-7d11-8a3c-6b1f60e2a94c",
        attachment_ids=["01a20d66-0b3d-7e92-a6c7-58f10d4b2e39"],
        submitted_by="support",
        submitted_at="2026-05-04T09:00:00Z",
        recorded_at="2026-05-04T09:05:00Z",
        is_late=False,
    )

    id: UUID
    attachment_ids: list[UUID]
    submitted_by: str
    submitted_at: datetime
    recorded_at: datetime
    is_late: bool


class ChargebackOut(BaseModel):
    """A chargeback that opened a case: the card network takes an answer until the end of `answer_by` (UTC)."""

    model_config = set_model_example(
        chargeback_id="01a20d66-0c11-7e42-9d0a-52b0f7a1c3de",
        answer_by="2026-05-10",
        state="open",
        warned_at=None,
        ended_at=None,
        suggested_outcome=None,
        evidence=[get_model_example(NetworkEvidenceOut)],
    )

    chargeback_id: UUID
    answer_by: date
    state: Literal["open", "won", "lost"]
    warned_at: datetime | None
    ended_at: datetime | None
    suggested_outcome: str | None = Field(description="words for `:resolve`, once the network has decided")
    evidence: list[NetworkEvidenceOut] = Field(description="what was given to the network, the oldest first")

    @classmethod
    def from_rows(cls, row: ChargebackRow, evidence: Sequence[ChargebackEvidenceRow]) -> Self:
        """Build the answer for a row and what was given to the network."""
        shown_evidence = [NetworkEvidenceOut.model_validate(item, from_attributes=True) for item in evidence]
        suggested = SUGGESTED_OUTCOMES.get(row.state)
        fields = row.model_dump() | {"suggested_outcome": suggested, "evidence": shown_evidence}
        return cls.model_validate(fields)
