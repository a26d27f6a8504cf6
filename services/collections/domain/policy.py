"""The collection policy: one document that drives the software and that a customer can read.

Days count from an invoice's due date; times are local times of the account.
"""

import re
from collections.abc import Collection, Iterator
from datetime import time
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StrictInt, ValidationError

from services.collections.domain.plain_yaml import YamlRefused, parse_plain_yaml
from shared.pure.errors import Refusal

TEMPLATES = frozenset({"upcoming", "reminder_1", "reminder_2", "final_notice"})
"""The notices that can be written."""
WARNING_TEMPLATES = frozenset({"final_notice"})
"""Those that say that access will end."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")

ActionKind = Literal["notice", "suspend", "terminate"]
"""What a step does."""

Fault = tuple[str, str]
"""Where in the document (`steps[2].day`), and what is wrong there."""


class PolicyDocumentRefused(Refusal):
    """The document is no policy; `faults` names each field and what is wrong with it."""

    code: ClassVar[str] = "policy_refused"
    status: ClassVar[int] = 422

    def __init__(self, faults: list[Fault]) -> None:
        message_text = "; ".join(f"{field}: {message}" if field else message for field, message in faults)
        errors = [{"field": field, "message": message} for field, message in faults]
        super().__init__(message_text, errors=errors)
        self.faults = faults


def _clock_time(value: object) -> time:
    """HH:MM, and nothing else that YAML may have made of it."""
    if isinstance(value, time):
        return value
    if isinstance(value, int):
        raise ValueError('put the time in quotes, as in "10:00": without them YAML reads it as a number')
    if not isinstance(value, str) or not (digits := _CLOCK.fullmatch(value)):
        raise ValueError('must be a local time between "00:00" and "23:59", written HH:MM')
    return time(int(digits[1]), int(digits[2]))


LocalTime = Annotated[time, BeforeValidator(_clock_time), PlainSerializer(lambda at: f"{at:%H:%M}")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Required(_Part):
    """A notice that must have reached the next hop this many local calendar dates before a step."""

    notice: Name
    days_before: Annotated[StrictInt, Field(ge=1, le=365)]


class Step(_Part):
    """Action on one day of the ladder."""

    name: Name
    day: Annotated[StrictInt, Field(ge=-90, le=730)]
    """Days after the due date; negative before it."""
    at: LocalTime
    action: ActionKind
    template: str | None = None
    requires: tuple[Required, ...] = ()


class Limits(_Part):
    """Past both of these within an hour of the business clock, a person must approve suspensions."""

    suspensions_per_hour: Annotated[StrictInt, Field(ge=0)]
    share_of_accounts_percent: Annotated[StrictInt, Field(ge=0, le=100)]

    def allows_more_suspensions_than(self, other: "Limits") -> bool:
        """Say whether more can go out in some hour than by the other limits."""
        return (
            self.suspensions_per_hour > other.suspensions_per_hour
            or self.share_of_accounts_percent > other.share_of_accounts_percent
        )


class Policy(_Part):
    """A policy whose steps can all come true; `parse_collection_policy` makes it."""

    name: Name
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=50)]
    guard: Limits
    bank_data_hours: Annotated[StrictInt, Field(ge=1, le=8760)] | None = None
    """Access is not ended while payments are not known for so long, or while a receipt may be the account's."""
    dispute_window_days: Annotated[StrictInt, Field(ge=1, le=3650)] | None = None
    """Days after its issue date on which an invoice may be disputed; later it is a question. None: no limit."""
    after_release_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    """Local days that an invoice stays wholly held after a dispute or a promise that held it wholly has ended."""


def parse_collection_policy(text: str, templates: Collection[str] = TEMPLATES) -> Policy:
    """The policy that a YAML document (or JSON, which is YAML too) describes; else `PolicyDocumentRefused`."""
    try:
        policy = Policy.model_validate(_parse_document(text))
    except ValidationError as error:
        raise PolicyDocumentRefused([_fault(problem["loc"], problem["msg"]) for problem in error.errors()]) from None
    if faults := list(_list_faults(policy, templates)):
        raise PolicyDocumentRefused(faults)
    return policy


def check_suspension_notices(policy: Policy) -> None:
    """Refuse a policy that would end access after a notice that does not warn of it. Raises PolicyDocumentRefused.

    It is asked of what is published: versions that were published before it was asked stay as they are.
    """
    templates = {step.name: step.template for step in policy.steps}
    faults = [
        (f"steps[{index}].requires[{place}].notice", f"{required.notice} does not warn that access ends")
        for index, step in enumerate(policy.steps)
        for place, required in enumerate(step.requires)
        if templates[required.notice] not in WARNING_TEMPLATES
    ]
    if faults:
        raise PolicyDocumentRefused(faults)


def _parse_document(text: str) -> object:
    try:
        return parse_plain_yaml(text)
    except YamlRefused as error:
        raise PolicyDocumentRefused([(error.field, error.message)]) from None


def _fault(place: tuple[int | str, ...], message: str) -> Fault:
    """A problem with its place written as people write it: `steps[2].day`."""
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return field.removeprefix("."), message.removeprefix("Value error, ")


def _list_faults(policy: Policy, templates: Collection[str]) -> Iterator[Fault]:
    """List faults of several fields together: whether the steps fit."""
    yield from _faults_of_order(policy.steps)
    for index, step in enumerate(policy.steps):
        place = f"steps[{index}]"
        yield from _faults_of_template(place, step, templates)
        yield from _faults_of_requirements(place, step, policy.steps[:index])


def _faults_of_order(steps: tuple[Step, ...]) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        place, before = f"steps[{index}]", steps[:index]
        if any(step.name == other.name for other in before):
            yield f"{place}.name", f"{step.name} is there twice"
        if before and step.day <= before[-1].day:
            yield f"{place}.day", f"must be after day {before[-1].day} of {before[-1].name}"
        if step.action == "notice":
            continue
        if any(step.action == other.action for other in before):
            yield f"{place}.action", f"there can be only one step that does {step.action}"
        if step.action == "terminate" and all(other.action != "suspend" for other in before):
            yield f"{place}.action", "terminate must come after a suspend step"


def _faults_of_template(place: str, step: Step, templates: Collection[str]) -> Iterator[Fault]:
    if step.action != "notice":
        if step.template is not None:
            yield f"{place}.template", "only a notice has a template"
    elif step.template is None:
        yield f"{place}.template", "a notice needs a template"
    elif step.template not in templates:
        yield f"{place}.template", f"{step.template!r} is not one of {', '.join(sorted(templates))}"


def _faults_of_requirements(place: str, step: Step, before: tuple[Step, ...]) -> Iterator[Fault]:
    if step.action != "suspend":
        if step.requires:
            yield f"{place}.requires", "only a suspend step requires notices"
        return
    if step.day <= 0:
        yield f"{place}.day", "access is not suspended before the day after the due date"
    if not step.requires:
        yield f"{place}.requires", "a suspend step requires at least one notice"
    for index, required in enumerate(step.requires):
        yield from _faults_of_requirement(f"{place}.requires[{index}]", step, required, before)


def _faults_of_requirement(place: str, step: Step, required: Required, before: tuple[Step, ...]) -> Iterator[Fault]:
    notice = next((other for other in before if other.name == required.notice), None)
    if notice is None or notice.action != "notice":
        yield f"{place}.notice", f"{required.notice} is no notice before {step.name}"
    elif notice.day <= 0:
        yield f"{place}.notice", f"{required.notice} goes out before anything is overdue"
    elif step.day - notice.day < required.days_before:
        between = step.day - notice.day
        yield f"{place}.days_before", f"only {between} days lie between {required.notice} and {step.name}"
