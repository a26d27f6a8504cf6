"""What the judgements of an account's items come to: messages, suspensions, and the dunning case.

All items of an account are of one currency, that of the account; the amounts are its minor units.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.collections.domain.judgement import Action, Judgement
from services.collections.domain.policy import Step


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """One invoice in a message, with the step that it takes by it and what was dunnable."""

    judgement: Judgement
    action: Action


@dataclass(frozen=True, slots=True)
class Message:
    """The steps of one account that fall on the same instant: one message."""

    at: datetime
    items: tuple[NoticeItem, ...]
    """By invoice number."""

    @property
    def template(self) -> str:
        """The template of the furthest step in it: the gravest news decides how the message speaks."""
        furthest = max(self.items, key=lambda item: item.action.day)
        return furthest.action.template or furthest.action.step


@dataclass(frozen=True, slots=True)
class Suspension:
    """A subscription to suspend, with every invoice that causes it and what is dunnable there."""

    subscription_id: UUID
    step: str
    at: datetime
    causes: tuple[tuple[UUID, int], ...]
    """Invoice id and dunnable amount, by invoice number."""


def messages(judgements: Iterable[Judgement]) -> tuple[Message, ...]:
    """The notices to send, one message for each instant, in the order of time."""
    due: defaultdict[datetime, list[NoticeItem]] = defaultdict(list)
    for judgement, action in _actions(judgements, "notice"):
        due[action.at].append(NoticeItem(judgement, action))
    return tuple(Message(at, tuple(due[at])) for at in sorted(due))


def assess_access(judgement: Judgement, suspended: Collection[UUID]) -> Literal["ends", "ended", "unaffected"]:
    """Assess what a notice of an invoice may say of access, where these subscriptions of the account are suspended.

    Access ends only where the policy suspends and something dunnable belongs to a subscription that is not suspended.
    """
    suspends = any(rung.step.action == "suspend" for rung in judgement.ladder)
    if not suspends or not judgement.dunnable_subscriptions:
        return "unaffected"
    return "ends" if judgement.dunnable_subscriptions - frozenset(suspended) else "ended"


def suspensions(judgements: Iterable[Judgement]) -> tuple[Suspension, ...]:
    """The subscriptions to suspend, each once with all its causes, in the order of time."""
    due: defaultdict[UUID, list[tuple[Judgement, Action, int]]] = defaultdict(list)
    for judgement, action in _actions(judgements, "suspend"):
        for subscription_id, amount in action.subscriptions:
            due[subscription_id].append((judgement, action, amount))
    found = (_suspension(subscription_id, causes) for subscription_id, causes in due.items())
    return tuple(sorted(found, key=lambda suspension: (suspension.at, suspension.subscription_id)))


def _suspension(subscription_id: UUID, causes: list[tuple[Judgement, Action, int]]) -> Suspension:
    _, action, _ = max(causes, key=lambda cause: cause[1].at)
    dunnable = tuple((judgement.invoice_id, amount) for judgement, _, amount in causes)
    return Suspension(subscription_id, action.step, action.at, dunnable)


def _actions(judgements: Iterable[Judgement], kind: str) -> list[tuple[Judgement, Action]]:
    """The actions of a kind in the order that holds at one instant: by invoice number."""
    ordered = sorted(judgements, key=lambda judgement: judgement.number)
    return [(judgement, action) for judgement in ordered for action in judgement.actions if action.kind == kind]


def not_dunnable(told: Iterable[tuple[UUID, int]], judgements: Iterable[Judgement]) -> frozenset[UUID]:
    """The invoices of a notice, each with its round in it, that are dunnable no more, or in another round."""
    rounds = {judgement.invoice_id: judgement.round for judgement in judgements if judgement.dunnable_minor > 0}
    return frozenset(invoice_id for invoice_id, number in told if rounds.get(invoice_id) != number)


def is_case_open(judgements: Iterable[Judgement]) -> bool:
    """Whether the account has a dunning case: an item is overdue in its round with something open."""
    return any(judgement.is_overdue_and_open for judgement in judgements)


def stage_of_case(judgements: Iterable[Judgement]) -> Step | None:
    """The furthest step that any item of the case has taken."""
    stages = [j.stage for j in judgements if j.stage and j.is_overdue_and_open]
    return max(stages, key=lambda step: step.day, default=None)


def next_instant(judgements: Iterable[Judgement]) -> datetime | None:
    """When the account is to be judged again if no new fact comes before."""
    return min((judgement.next.at for judgement in judgements if judgement.next), default=None)
