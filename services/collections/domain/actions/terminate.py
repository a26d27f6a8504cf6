"""The termination: a person is asked to decide about the end of what is suspended."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from services.collections.domain.actions.step_faults import (
    list_repetition_faults,
    list_requirement_faults,
    list_template_faults,
)
from services.collections.domain.actions.suspend import SUSPEND
from services.collections.domain.dunning_item import Effect, Outcome, TakenDunningStep
from services.collections.domain.dunning_timeline import DunnableSpan
from services.collections.domain.policy_step import Fault, PolicyStep


@dataclass(frozen=True)
class TerminateAction:
    """Request to a person to end the subscriptions; it follows a suspension of the round, and never comes without."""

    name: ClassVar[str] = "terminate"
    outcome: ClassVar[Outcome] = "requested"
    replaces_missed: ClassVar[bool] = False
    ends_access: ClassVar[bool] = False
    is_forgotten_on_release: ClassVar[bool] = True
    awaits_fresh_facts: ClassVar[bool] = False
    page_notes: ClassVar[tuple[str, ...]] = ("by_person",)

    def list_order_faults(self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...]) -> Iterator[Fault]:
        """List the faults of a termination among the steps before it."""
        yield from list_repetition_faults(place, step, before)
        if all(other.kind != SUSPEND for other in before):
            yield f"{place}.action", "terminate must come after a suspend step"

    def list_field_faults(
        self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...], templates: Collection[str]
    ) -> Iterator[Fault]:
        """List the faults of what a termination says."""
        yield from list_template_faults(place, step)
        yield from list_requirement_faults(place, step)

    def assess_basis(self, standing: Mapping[str, TakenDunningStep]) -> Effect:
        """Assess the suspension that a termination rests on."""
        suspension = standing.get(SUSPEND.name)
        return suspension.effect if suspension else "over"

    def find_step_obstacle(self, span: DunnableSpan) -> str | None:
        """Find why a due termination waits: it never does."""
        return None

    def list_subscriptions(self, span: DunnableSpan) -> tuple[tuple[UUID, int], ...]:
        """List the subscriptions that it concerns: those of the suspension on which it rests, not of this invoice."""
        return ()


TERMINATE = TerminateAction()
