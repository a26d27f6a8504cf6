"""A notice: a message to the customer."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from services.collections.domain.actions.step_faults import list_requirement_faults
from services.collections.domain.dunning_item import Effect, Outcome, TakenDunningStep
from services.collections.domain.dunning_timeline import DunnableSpan
from services.collections.domain.policy_step import Fault, PolicyStep


@dataclass(frozen=True)
class NoticeAction:
    """Message to the customer, written from a template; of several that are due only the furthest goes out."""

    name: ClassVar[str] = "notice"
    outcome: ClassVar[Outcome] = "pending"
    replaces_missed: ClassVar[bool] = True
    ends_access: ClassVar[bool] = False
    is_forgotten_on_release: ClassVar[bool] = False
    awaits_fresh_facts: ClassVar[bool] = False
    page_notes: ClassVar[tuple[str, ...]] = ()

    def list_order_faults(self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...]) -> Iterator[Fault]:
        """List the faults of its place: a notice may stand anywhere."""
        yield from ()

    def list_field_faults(
        self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...], templates: Collection[str]
    ) -> Iterator[Fault]:
        """List the faults of what a notice says."""
        if step.template is None:
            yield f"{place}.template", "a notice needs a template"
        elif step.template not in templates:
            yield f"{place}.template", f"{step.template!r} is not one of {', '.join(sorted(templates))}"
        yield from list_requirement_faults(place, step)

    def assess_basis(self, standing: Mapping[str, TakenDunningStep]) -> Effect:
        """Assess what a notice rests on: nothing else."""
        return "in_effect"

    def find_step_obstacle(self, span: DunnableSpan) -> str | None:
        """Find why a due notice waits: it never does."""
        return None

    def list_subscriptions(self, span: DunnableSpan) -> tuple[tuple[UUID, int], ...]:
        """List the subscriptions that it concerns: a notice is about invoices."""
        return ()


NOTICE = NoticeAction()
