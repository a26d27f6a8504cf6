"""Changes of an account that a decision wants, each with what it makes of the account's facts.

The repository has one statement for each kind (`decision_queries`), which does to the tables what `apply_to` does to
the facts: a test loads the account again and compares.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from services.collections.domain.dunning_account import AnnouncedDeferral, DunningAccount, OpenDunningCase
from services.collections.domain.dunning_item import Effect, ItemFacts, Outcome, SuspensionRelease, TakenDunningStep
from services.collections.domain.suspension import SuspensionState
from services.collections.domain.suspension_record import RecordedSuspensionCause, SuspensionRecord


class NewSuspension(NamedTuple):
    """A suspension is requested; its causes come apart."""

    suspension: SuspensionRecord

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account with it."""
        return account.replace_suspension(self.suspension)


class NewSuspensionCauses(NamedTuple):
    """Invoices on which a suspension rests from `at` on, beside those on which it rests already.

    One that caused it before in the same round, and was settled meanwhile, causes it again.
    """

    suspension_id: UUID
    causes: tuple[RecordedSuspensionCause, ...]
    at: datetime

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account whose suspension rests on them, as the step of each."""
        suspension = account.find_suspension(self.suspension_id)
        assert suspension is not None, "only what is requested or effective gets causes"
        rounds = {invoice_id: cause.round for invoice_id, cause in suspension.causes.items()}
        added = {cause.invoice_id: cause for cause in self.causes if rounds.get(cause.invoice_id) != cause.round}
        effect: Effect = "in_effect" if suspension.state is SuspensionState.EFFECTIVE else "awaited"

        def add_step(item: ItemFacts) -> ItemFacts:
            if (cause := added.get(item.invoice_id)) is None:
                return item
            place = suspension.id, cause.round
            step = TakenDunningStep(suspension.step, cause.round, self.at, "requested", effect=effect)
            others = (former for former in item.taken if (former.suspension_id, former.round) != place)
            return replace(item, taken=(*others, replace(step, suspension_id=suspension.id)))

        return account.replace_items(add_step).replace_suspension(
            replace(suspension, causes={**suspension.causes, **added})
        )


class EndedSuspensionCauses(NamedTuple):
    """Invoices that cause a suspension no longer."""

    suspension_id: UUID
    invoice_ids: frozenset[UUID]

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account whose suspension rests on the others; what it did for these is over."""
        suspension = account.find_suspension(self.suspension_id)
        assert suspension is not None, "only what is requested or effective loses causes"
        others = {id_: cause for id_, cause in suspension.causes.items() if id_ not in self.invoice_ids}
        account = account.replace_suspension(replace(suspension, causes=others))
        return _set_effect(account, self.suspension_id, "over", self.invoice_ids)


class SuspensionMove(NamedTuple):
    """A suspension is in another state from `at` on; `reason` says in words why it ends."""

    suspension_id: UUID
    state: SuspensionState
    at: datetime
    reason: str | None = None

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account as the suspension leaves it; one that was withdrawn never happened."""
        suspension = account.find_suspension(self.suspension_id)
        assert suspension is not None, "what has ended moves no more"
        if self.state is SuspensionState.EFFECTIVE:
            moved = replace(suspension, state=self.state, effective_at=self.at)
            return _set_effect(account.replace_suspension(moved), self.suspension_id, "in_effect", moved.causes)
        account = account.remove_suspension(self.suspension_id)
        if self.state is SuspensionState.WITHDRAWN:
            return account.replace_items(lambda item: _forget_suspension(item, self.suspension_id))
        return _set_effect(account, self.suspension_id, "over", account.items_by_invoice)


class NewSuspensionRelease(NamedTuple):
    """A person's release, at `at` and to the end of the local day `until`, of what these invoices have suspended."""

    suspension_id: UUID
    invoice_ids: tuple[UUID, ...]
    at: datetime
    until: date

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account whose invoices have it."""
        release = SuspensionRelease(self.at, self.until)
        return account.replace_items(
            lambda item: (
                replace(item, releases=(*item.releases, release)) if item.invoice_id in self.invoice_ids else item
            )
        )


def _set_effect(
    account: DunningAccount, suspension_id: UUID, effect: Effect, invoice_ids: Iterable[UUID]
) -> DunningAccount:
    """The account in which a suspension has this effect for these invoices."""
    concerned = frozenset(invoice_ids)

    def set_effect(item: ItemFacts) -> ItemFacts:
        if item.invoice_id not in concerned:
            return item
        taken = (replace(step, effect=effect) if step.suspension_id == suspension_id else step for step in item.taken)
        return replace(item, taken=tuple(taken))

    return account.replace_items(set_effect)


def _forget_suspension(item: ItemFacts, suspension_id: UUID) -> ItemFacts:
    return replace(item, taken=tuple(step for step in item.taken if step.suspension_id != suspension_id))


class NewDunningCase(NamedTuple):
    """The account has a dunning case."""

    case: OpenDunningCase

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account with it."""
        return replace(account, case=self.case)


class DunningCaseUpdate(NamedTuple):
    """The furthest step of the open case, or the due date of its oldest overdue invoice, is another one."""

    case: OpenDunningCase

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account with them."""
        return replace(account, case=self.case)


class DunningCaseEnd(NamedTuple):
    """Nothing that is overdue is left."""

    case_id: UUID

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account without a case."""
        return replace(account, case=None)


class StepDeferral(NamedTuple):
    """A step of an invoice waits."""

    invoice_id: UUID
    deferral: AnnouncedDeferral

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account of which that is known."""
        return replace(account, deferrals={**account.deferrals, self.invoice_id: self.deferral})


class EndedStepDeferrals(NamedTuple):
    """Nothing of these invoices waits any more."""

    invoice_ids: frozenset[UUID]

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account in which it does not."""
        waiting = {id_: deferral for id_, deferral in account.deferrals.items() if id_ not in self.invoice_ids}
        return replace(account, deferrals=waiting)


class NewDunningStep(NamedTuple):
    """A step that is taken at `taken_at`, or that another one stood for; a notice has yet to be sent."""

    invoice_id: UUID
    round: int
    step: str
    outcome: Literal["notice", "skipped", "requested"]
    taken_at: datetime
    instant: datetime
    policy_version: int
    dunnable_minor: int
    notice_id: UUID | None
    replaced_by: str | None
    attempt: int

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account with it; a suspension or termination that was only asked for has no effect."""
        outcome: Outcome = "pending" if self.outcome == "notice" else self.outcome
        effect: Effect = "over" if outcome == "requested" else "in_effect"
        taken = TakenDunningStep(self.step, self.round, self.taken_at, outcome, None, self.replaced_by, effect)
        return account.replace_items(
            lambda item: replace(item, taken=(*item.taken, taken)) if item.invoice_id == self.invoice_id else item
        )


class NewNotice(NamedTuple):
    """A notice of steps that is to be sent; `items` are its invoices as they are stored."""

    id: UUID
    template: str
    items: tuple[dict[str, Any], ...]

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account as it was: its steps are changes of their own."""
        return account


class FreshFactsQuestion(NamedTuple):
    """Invoicing is to be asked before a suspension is requested."""

    def apply_to(self, account: DunningAccount) -> DunningAccount:
        """The account as it was, until the answer comes."""
        return account


SuspensionChange = NewSuspension | NewSuspensionCauses | EndedSuspensionCauses | SuspensionMove | NewSuspensionRelease
CaseChange = NewDunningCase | DunningCaseUpdate | DunningCaseEnd
StepChange = StepDeferral | EndedStepDeferrals | NewDunningStep | NewNotice | FreshFactsQuestion
AccountChange = SuspensionChange | CaseChange | StepChange
