"""A step of the collection policy, and the interface of the kind of action that it does.

Days count from an invoice's due date; times are local times of the account.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import time
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictInt,
    ValidationInfo,
)

from services.collections.domain.dunning_item import Effect, Outcome, TakenDunningStep
from services.collections.domain.dunning_timeline import DunnableSpan

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")

Fault = tuple[str, str]
"""Where in the document (`steps[2].day`), and what is wrong there."""


class ActionKind(Protocol):
    """Kind of action that a step can do, with all its rules; `actions/registry.py` finds it by its name."""

    @property
    def name(self) -> str:
        """Name in the document, and of its texts: `<name>` on the policy page, `step_<name>` in mails."""

    @property
    def outcome(self) -> Outcome:
        """Outcome of a step of this kind that was just taken."""

    @property
    def replaces_missed(self) -> bool:
        """Whether only the furthest of several due steps is taken, and stands for the missed ones before it."""

    @property
    def ends_access(self) -> bool:
        """Whether it ends access: texts name the products concerned, and what its notices announce ends with it."""

    @property
    def is_forgotten_on_release(self) -> bool:
        """Whether a step of this kind counts no more once a person's release of the suspension is over."""

    @property
    def awaits_fresh_facts(self) -> bool:
        """Whether the sweep only asks for fresh facts, and the step is taken, or not, when they are there."""

    @property
    def page_notes(self) -> tuple[str, ...]:
        """Keys of the texts that the policy page adds to a step of this kind."""

    def list_order_faults(self, place: str, step: "PolicyStep", before: tuple["PolicyStep", ...]) -> Iterator[Fault]:
        """List the faults of a step's place among the steps before it."""

    def list_field_faults(
        self, place: str, step: "PolicyStep", before: tuple["PolicyStep", ...], templates: Collection[str]
    ) -> Iterator[Fault]:
        """List the faults of what a step says: its template, its required notices, its day."""

    def assess_basis(self, standing: Mapping[str, TakenDunningStep]) -> Effect:
        """Assess what a step of this kind rests on, by the steps that stand, each under the name of its kind.

        It can be due only where that is in effect, and is foreseen where it is in effect or awaited.
        """

    def find_step_obstacle(self, span: DunnableSpan) -> str | None:
        """Find why a step that is due otherwise waits, by what is dunnable in a span."""

    def list_subscriptions(self, span: DunnableSpan) -> tuple[tuple[UUID, int], ...]:
        """List the subscriptions that it concerns, each with what is dunnable for it (minor units), by id."""


def _clock_time(value: object) -> time:
    """HH:MM, and nothing else that YAML may have made of it."""
    if isinstance(value, time):
        return value
    if isinstance(value, int):
        raise ValueError('put the time in quotes, as in "10:00": without them YAML reads it as a number')
    if not isinstance(value, str) or not (digits := _CLOCK.fullmatch(value)):
        raise ValueError('must be a local time between "00:00" and "23:59", written HH:MM')
    return time(int(digits[1]), int(digits[2]))


def _find_action_kind(value: object, validation: ValidationInfo) -> ActionKind:
    """Find the kind of a name among those that the parser hands in as context."""
    context: Any = validation.context
    kinds: Mapping[str, ActionKind] = context["kinds"]
    if isinstance(value, str) and value in kinds:
        return kinds[value]
    *others, last = (repr(name) for name in kinds)
    raise ValueError(f"Input should be {', '.join(others)} or {last}")


LocalTime = Annotated[time, BeforeValidator(_clock_time), PlainSerializer(lambda at: f"{at:%H:%M}")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class PolicyPart(BaseModel):
    """Part of the document; it has no other fields than those that are declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class RequiredNotice(PolicyPart):
    """A notice that must have reached the next hop this many local calendar dates before a step."""

    notice: Name
    days_before: Annotated[StrictInt, Field(ge=1, le=365)]


class PolicyStep(PolicyPart):
    """Action on one day of the ladder."""

    name: Name
    day: Annotated[StrictInt, Field(ge=-90, le=730)]
    """Days after the due date; negative before it."""
    at: LocalTime
    kind: Annotated[
        ActionKind, PlainValidator(_find_action_kind), PlainSerializer(lambda kind: kind.name), Field(alias="action")
    ]
    """Kind of action of the step; the document calls it its action."""
    template: str | None = None
    requires: tuple[RequiredNotice, ...] = ()
