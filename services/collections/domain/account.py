"""Actions of a whole account from the evaluations of its items: messages, suspensions, and the dunning case.

All items of an account are of one currency, that of the account; the amounts are its minor units.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.collections.domain.actions.notice import NOTICE
from services.collections.domain.actions.suspend import SUSPEND
from services.collections.domain.item_evaluation import DueDunningStep, ItemEvaluation
from services.collections.domain.policy_step import ActionKind, PolicyStep


@dataclass(frozen=True, slots=True)
class InvoiceInNotice:
    """One invoice in a message, with the step that it takes by it and what was dunnable."""

    evaluation: ItemEvaluation
    action: DueDunningStep


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """The steps of one account that fall on the same instant: one message."""

    at: datetime
    items: tuple[InvoiceInNotice, ...]
    """By invoice number."""

    @property
    def main_template(self) -> str:
        """The template of the furthest step in it: the gravest news decides how the message speaks."""
        furthest = max(self.items, key=lambda item: item.action.day)
        return furthest.action.template or furthest.action.step


@dataclass(frozen=True, slots=True)
class DueSuspension:
    """A subscription to suspend, with every invoice that causes it and what is dunnable there."""

    subscription_id: UUID
    step: str
    at: datetime
    causes: tuple[tuple[UUID, int], ...]
    """Invoice id and dunnable amount, by invoice number."""


def group_notices_by_message(evaluations: Iterable[ItemEvaluation]) -> tuple[NoticeMessage, ...]:
    """The notices to send, one message for each instant, in the order of time."""
    due: defaultdict[datetime, list[InvoiceInNotice]] = defaultdict(list)
    for evaluation, action in _list_actions(evaluations, NOTICE):
        due[action.at].append(InvoiceInNotice(evaluation, action))
    return tuple(NoticeMessage(at, tuple(due[at])) for at in sorted(due))


def assess_access_statement(
    evaluation: ItemEvaluation, suspended: Collection[UUID]
) -> Literal["ends", "ended", "unaffected"]:
    """Assess what a notice of an invoice may say of access, where these subscriptions of the account are suspended.

    Access ends only where the policy suspends and something dunnable belongs to a subscription that is not suspended.
    """
    suspends = any(rung.step.kind.ends_access for rung in evaluation.ladder)
    if not suspends or not evaluation.dunnable_subscriptions:
        return "unaffected"
    return "ends" if evaluation.dunnable_subscriptions - frozenset(suspended) else "ended"


def group_suspensions(evaluations: Iterable[ItemEvaluation]) -> tuple[DueSuspension, ...]:
    """The subscriptions to suspend, each once with all its causes, in the order of time."""
    due: defaultdict[UUID, list[tuple[ItemEvaluation, DueDunningStep, int]]] = defaultdict(list)
    for evaluation, action in _list_actions(evaluations, SUSPEND):
        for subscription_id, amount in action.subscriptions:
            due[subscription_id].append((evaluation, action, amount))
    suspensions = (_merge_causes(subscription_id, causes) for subscription_id, causes in due.items())
    return tuple(sorted(suspensions, key=lambda suspension: (suspension.at, suspension.subscription_id)))


def _merge_causes(subscription_id: UUID, causes: list[tuple[ItemEvaluation, DueDunningStep, int]]) -> DueSuspension:
    _, action, _ = max(causes, key=lambda cause: cause[1].at)
    dunnable = tuple((evaluation.invoice_id, amount) for evaluation, _, amount in causes)
    return DueSuspension(subscription_id, action.step, action.at, dunnable)


def _list_actions(
    evaluations: Iterable[ItemEvaluation], kind: ActionKind
) -> list[tuple[ItemEvaluation, DueDunningStep]]:
    """The actions of a kind in the order that holds at one instant: by invoice number."""
    ordered = sorted(evaluations, key=lambda evaluation: evaluation.number)
    return [(evaluation, action) for evaluation in ordered for action in evaluation.actions if action.kind == kind]


def list_not_dunnable(
    noticed_rounds: Iterable[tuple[UUID, int]], evaluations: Iterable[ItemEvaluation]
) -> frozenset[UUID]:
    """The invoices of a notice, each with its round in it, that are dunnable no more, or in another round."""
    rounds = {evaluation.invoice_id: evaluation.round for evaluation in evaluations if evaluation.dunnable_minor > 0}
    return frozenset(invoice_id for invoice_id, number in noticed_rounds if rounds.get(invoice_id) != number)


def is_case_open(evaluations: Iterable[ItemEvaluation]) -> bool:
    """Whether the account has a dunning case: an item is overdue in its round with something open."""
    return any(evaluation.is_overdue_and_open for evaluation in evaluations)


def find_case_stage(evaluations: Iterable[ItemEvaluation]) -> PolicyStep | None:
    """The furthest step that any item of the case has taken."""
    stages = [j.stage for j in evaluations if j.stage and j.is_overdue_and_open]
    return max(stages, key=lambda step: step.day, default=None)


def find_next_evaluation(evaluations: Iterable[ItemEvaluation]) -> datetime | None:
    """When the account is to be judged again if no new fact comes before."""
    return min((evaluation.next.at for evaluation in evaluations if evaluation.next), default=None)
