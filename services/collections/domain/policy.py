"""The collection policy: one document that drives the software and that a customer can read."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field, StrictInt, ValidationError

from services.collections.domain.actions.registry import ACTION_KINDS
from services.collections.domain.plain_yaml import YamlRefused, parse_plain_yaml
from services.collections.domain.policy_step import ActionKind, Fault, Name, PolicyPart, PolicyStep
from shared.pure.errors import Refusal

TEMPLATES = frozenset({"upcoming", "reminder_1", "reminder_2", "final_notice"})
"""The notices that can be written."""
WARNING_TEMPLATES = frozenset({"final_notice"})
"""Those that say that access will end."""


class PolicyDocumentRefused(Refusal):
    """The document is no policy; `faults` names each field and what is wrong with it."""

    code: ClassVar[str] = "policy_refused"
    status: ClassVar[int] = 422

    def __init__(self, faults: list[Fault]) -> None:
        message_text = "; ".join(f"{field}: {message}" if field else message for field, message in faults)
        errors = [{"field": field, "message": message} for field, message in faults]
        super().__init__(message_text, errors=errors)
        self.faults = faults


class SuspensionLimits(PolicyPart):
    """Past both of these within an hour of the business clock, a person must approve suspensions."""

    suspensions_per_hour: Annotated[StrictInt, Field(ge=0)]
    share_of_accounts_percent: Annotated[StrictInt, Field(ge=0, le=100)]

    def allows_more_suspensions_than(self, other: "SuspensionLimits") -> bool:
        """Say whether more can go out in some hour than by the other limits."""
        return (
            self.suspensions_per_hour > other.suspensions_per_hour
            or self.share_of_accounts_percent > other.share_of_accounts_percent
        )


class Policy(PolicyPart):
    """A policy whose steps can all come true; `parse_collection_policy` makes it."""

    name: Name
    steps: Annotated[tuple[PolicyStep, ...], Field(min_length=1, max_length=50)]
    guard: SuspensionLimits
    bank_data_hours: Annotated[StrictInt, Field(ge=1, le=8760)] | None = None
    """Access is not ended while payments are not known for so long, or while a receipt may be the account's."""
    dispute_window_days: Annotated[StrictInt, Field(ge=1, le=3650)] | None = None
    """Days after its issue date on which an invoice may be disputed; later it is a question. None: no limit."""
    after_release_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    """Local days that an invoice stays wholly held after a dispute or a promise that held it wholly has ended."""


def parse_collection_policy(
    text: str, templates: Collection[str] = TEMPLATES, kinds: Mapping[str, ActionKind] = ACTION_KINDS
) -> Policy:
    """Parse a YAML document (or JSON, which is YAML too) to a policy of these kinds of action.

    Raises PolicyDocumentRefused.
    """
    try:
        policy = Policy.model_validate(_parse_document(text), context={"kinds": kinds})
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
    yield from _list_order_faults(policy.steps)
    for index, step in enumerate(policy.steps):
        yield from step.kind.list_field_faults(f"steps[{index}]", step, policy.steps[:index], templates)


def _list_order_faults(steps: tuple[PolicyStep, ...]) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        place, before = f"steps[{index}]", steps[:index]
        if any(step.name == other.name for other in before):
            yield f"{place}.name", f"{step.name} is there twice"
        if before and step.day <= before[-1].day:
            yield f"{place}.day", f"must be after day {before[-1].day} of {before[-1].name}"
        yield from step.kind.list_order_faults(place, step, before)
