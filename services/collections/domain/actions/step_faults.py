"""Faults that steps of several kinds can have in a policy."""

from collections.abc import Iterator

from services.collections.domain.policy_step import Fault, PolicyStep


def list_repetition_faults(place: str, step: PolicyStep, before: tuple[PolicyStep, ...]) -> Iterator[Fault]:
    """List the fault of a second step of a kind that a policy can have once."""
    if any(step.kind == other.kind for other in before):
        yield f"{place}.action", f"there can be only one step that does {step.kind.name}"


def list_template_faults(place: str, step: PolicyStep) -> Iterator[Fault]:
    """List the fault of a template on a step that sends nothing."""
    if step.template is not None:
        yield f"{place}.template", "only a notice has a template"


def list_requirement_faults(place: str, step: PolicyStep) -> Iterator[Fault]:
    """List the fault of required notices on a step that rests on none."""
    if step.requires:
        yield f"{place}.requires", "only a suspend step requires notices"
