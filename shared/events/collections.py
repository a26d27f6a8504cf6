"""Events of collections: who is late, what they were sent, and which access shall end or come back."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.base import AccountEvent, Event
from shared.events.values import EventValue, StepItem

WaitsFor = Literal["guard", "bank_data", "policy"]
"""For what a step waits: a person's approval, fresh bank data, or what the policy requires."""
SuspensionEnd = Literal["settled", "not_dunnable", "released"]
"""Why a suspension ends: its debt is settled, nothing that caused it is dunnable, or a person released it."""
WithdrawalCause = Literal[SuspensionEnd, "notice_bounced"]
"""Why one is withdrawn before it is effective: as it ends, or since a notice that it rests on came back."""


class PolicyPublished(Event):
    """A version of the collection policy; it holds for invoices recorded from its effective date on."""

    producer: ClassVar[str] = "collections"
    policy_version: int
    effective_date: date
    document: dict[str, object]

    def subject(self) -> str:
        """There is one policy."""
        return "policy"


class CollectionsEvent(AccountEvent, abstract=True):
    """An event of collections; the subject is the account."""

    producer: ClassVar[str] = "collections"


class DunningCaseOpened(CollectionsEvent):
    """The first invoice of the account is overdue."""

    case_id: UUID


class DunningStageChanged(CollectionsEvent):
    """The furthest step that any item of the case has taken."""

    case_id: UUID
    stage: str


class DunningCaseClosed(CollectionsEvent):
    """No overdue item is left open."""

    case_id: UUID


NoticeKind = Literal["steps", "suspended", "restored"]


class NoticeSent(CollectionsEvent):
    """A notice reached the next mail hop. `kind` tells policy steps from news about access."""

    notice_id: UUID
    kind: NoticeKind
    template: str
    items: tuple[StepItem, ...]
    delivered_at: datetime


class NoticeFailed(CollectionsEvent):
    """A notice was refused for good by the next mail hop."""

    notice_id: UUID
    kind: NoticeKind
    template: str
    items: tuple[StepItem, ...]
    cause: str


class NoticeBounced(CollectionsEvent):
    """A notice came back after the next mail hop took it, with this code: it counts no more, as one that failed."""

    notice_id: UUID
    kind: NoticeKind
    template: str
    items: tuple[StepItem, ...]
    code: str


class NoticeWithdrawn(CollectionsEvent):
    """A notice was not sent: these invoices of it are not dunnable any more; for what is, another one is written."""

    notice_id: UUID
    kind: NoticeKind
    template: str
    items: tuple[StepItem, ...]
    invoice_ids: tuple[UUID, ...]


class StepDeferred(CollectionsEvent):
    """A step is due and waits: for the policy's requirements, for the guard, or for fresh bank data."""

    step: str
    policy_version: int
    invoice_ids: tuple[UUID, ...]
    cause: WaitsFor
    until: datetime | None


class SuspensionCause(EventValue):
    """An invoice that a suspension rests on."""

    invoice_id: UUID
    dunnable_minor: int
    currency: str


class SuspensionRequested(CollectionsEvent):
    """Access to a subscription shall end: the whole wanted state, with every invoice that causes it."""

    suspension_id: UUID
    subscription_id: UUID
    policy_version: int
    step: str
    causes: tuple[SuspensionCause, ...]


class SuspensionWithdrawn(CollectionsEvent):
    """A suspension that was not yet effective shall not happen."""

    suspension_id: UUID
    subscription_id: UUID
    cause: WithdrawalCause


class ReinstatementRequested(CollectionsEvent):
    """Every invoice that caused the suspension is settled, or a person accepted a promise or dispute."""

    suspension_id: UUID
    subscription_id: UUID
    cause: SuspensionEnd


class TerminationRequested(CollectionsEvent):
    """The policy's last step is reached; a person decides."""

    suspension_id: UUID | None
    policy_version: int
    step: str
    invoice_ids: tuple[UUID, ...]
    subscription_ids: tuple[UUID, ...]
