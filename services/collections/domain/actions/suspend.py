"""The suspension: access to the subscriptions of an unpaid invoice ends, and comes back when it is paid."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from services.collections.domain.actions.notice import NOTICE
from services.collections.domain.actions.step_faults import list_repetition_faults, list_template_faults
from services.collections.domain.dunning_item import Effect, Outcome, TakenDunningStep
from services.collections.domain.dunning_timeline import DunnableSpan
from services.collections.domain.policy_step import Fault, PolicyStep, RequiredNotice


@dataclass(frozen=True)
class SuspendAction:
    """End of access after the notices that warn of it; it is requested on fresh facts only."""

    name: ClassVar[str] = "suspend"
    outcome: ClassVar[Outcome] = "requested"
    replaces_missed: ClassVar[bool] = False
    ends_access: ClassVar[bool] = True
    is_forgotten_on_release: ClassVar[bool] = True
    awaits_fresh_facts: ClassVar[bool] = True
    page_notes: ClassVar[tuple[str, ...]] = ("concerned",)

    def list_order_faults(self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...]) -> Iterator[Fault]:
        """List the faults of a suspension among the steps before it."""
        yield from list_repetition_faults(place, step, before)

    def list_field_faults(
        self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...], templates: Collection[str]
    ) -> Iterator[Fault]:
        """List the faults of what a suspension says."""
        yield from list_template_faults(place, step)
        if step.day <= 0:
            yield f"{place}.day", "access is not suspended before the day after the due date"
        if not step.requires:
            yield f"{place}.requires", "a suspend step requires at least one notice"
        for index, required in enumerate(step.requires):
            yield from _list_warning_faults(f"{place}.requires[{index}]", step, required, before)

    def assess_basis(self, standing: Mapping[str, TakenDunningStep]) -> Effect:
        """Assess what a suspension rests on: its notices, which the step itself requires."""
        return "in_effect"

    def find_step_obstacle(self, span: DunnableSpan) -> str | None:
        """Find why a due suspension waits: it needs a subscription to suspend."""
        return None if span.dunnable_by_subscription else "nothing that is dunnable belongs to a subscription"

    def list_subscriptions(self, span: DunnableSpan) -> tuple[tuple[UUID, int], ...]:
        """List the subscriptions to suspend, each with what is dunnable for it (minor units), by id."""
        return tuple(sorted(span.dunnable_by_subscription.items()))


SUSPEND = SuspendAction()


def _list_warning_faults(
    place: str, step: PolicyStep, required: RequiredNotice, before: tuple[PolicyStep, ...]
) -> Iterator[Fault]:
    notice = next((other for other in before if other.name == required.notice), None)
    if notice is None or notice.kind != NOTICE:
        yield f"{place}.notice", f"{required.notice} is no notice before {step.name}"
    elif notice.day <= 0:
        yield f"{place}.notice", f"{required.notice} goes out before anything is overdue"
    elif step.day - notice.day < required.days_before:
        between = step.day - notice.day
        yield f"{place}.days_before", f"only {between} days lie between {required.notice} and {step.name}"
