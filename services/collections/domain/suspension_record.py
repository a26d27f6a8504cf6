"""A suspension of an account as it is recorded, and the invoices that it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.collections.domain.suspension import SuspensionState


@dataclass(frozen=True, slots=True)
class RecordedSuspensionCause:
    """An invoice that causes a suspension, with what was dunnable when it became one (minor units)."""

    invoice_id: UUID
    number: str
    round: int
    dunnable_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class SuspensionRecord:
    """A suspension and the invoices that it still rests on."""

    id: UUID
    account_id: UUID
    subscription_id: UUID
    state: SuspensionState
    policy_version: int
    step: str
    requested_at: datetime
    effective_at: datetime | None
    causes: Mapping[UUID, RecordedSuspensionCause]
