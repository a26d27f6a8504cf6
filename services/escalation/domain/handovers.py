"""Conditions of a hand-over to the vendor: what must be done before, by the kind of the case.

The programme has the partner look at service health, repair what it can, and hand over five kinds of technical
problems only; a billing question carries our line beside the vendor's, and fraud goes at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class TechnicalProblemCategory(StrEnum):
    """Technical problems that the programme takes."""

    UNDOCUMENTED_PROBLEM = "undocumented_problem"
    """The service does not do what its description says, and nothing documents it."""
    UNAVAILABLE_SERVICE = "unavailable_service"
    BUG = "bug"
    """A bug or irregularity in look or behaviour."""
    NETWORK_OUTAGE = "network_outage"
    """Large in scale."""
    REGIONAL_PROBLEM = "regional_problem"
    """In a region, over several tenants."""


class HandoverRequirement(StrEnum):
    """Parts of a hand-over that may be missing."""

    HEALTH_CHECK = "health_check"
    INCIDENT_END = "incident_end"
    ATTEMPT = "attempt"
    CONSULTED_RESOURCE = "consulted_resource"
    CATEGORY = "category"
    COMPARED_LINE = "compared_line"


MEANINGS: Mapping[HandoverRequirement, str] = {
    HandoverRequirement.HEALTH_CHECK: "nobody has checked service health",
    HandoverRequirement.INCIDENT_END: "the vendor works on an incident that fits: wait for its end, then check again",
    HandoverRequirement.ATTEMPT: "nobody has tried what we can repair ourselves",
    HandoverRequirement.CONSULTED_RESOURCE: "no support resource was consulted",
    HandoverRequirement.CATEGORY: "the problem is in none of the five categories of the programme",
    HandoverRequirement.COMPARED_LINE: (
        "the case links no vendor difference, and nobody says why there is no line of ours"
    ),
}
_TECHNICAL = (
    HandoverRequirement.HEALTH_CHECK,
    HandoverRequirement.INCIDENT_END,
    HandoverRequirement.ATTEMPT,
    HandoverRequirement.CONSULTED_RESOURCE,
    HandoverRequirement.CATEGORY,
)
_BILLING = (HandoverRequirement.COMPARED_LINE,)
REQUIREMENTS: Mapping[str, tuple[HandoverRequirement, ...]] = {
    "technical": _TECHNICAL,
    "vendor_refusal": (HandoverRequirement.ATTEMPT, HandoverRequirement.CONSULTED_RESOURCE),
    "billing_question": _BILLING,
    "dispute": _BILLING,
    "service_credit": _BILLING,
    "task": _BILLING,
    "fraud": (),
}
"""By the kind of a case. A task that goes to the vendor disputes a difference."""


@dataclass(frozen=True, slots=True)
class VendorHandoverFacts:
    """Facts that decide whether a case may be handed over; the health check is the newest."""

    kind: str
    health_result: str | None = None
    has_attempt: bool = False
    has_consulted: bool = False
    category: TechnicalProblemCategory | None = None
    has_line: bool = False
    no_line_reason: str | None = None


def list_missing_handover_steps(
    facts: VendorHandoverFacts, waived: Collection[HandoverRequirement] = ()
) -> tuple[HandoverRequirement, ...]:
    """List what a hand-over still needs, but for what somebody with the right has waived."""
    fulfilled = {
        HandoverRequirement.HEALTH_CHECK: facts.health_result is not None,
        HandoverRequirement.INCIDENT_END: facts.health_result != "incident",
        HandoverRequirement.ATTEMPT: facts.has_attempt,
        HandoverRequirement.CONSULTED_RESOURCE: facts.has_consulted,
        HandoverRequirement.CATEGORY: facts.category is not None,
        HandoverRequirement.COMPARED_LINE: facts.has_line or facts.no_line_reason is not None,
    }
    needed = REQUIREMENTS[facts.kind]
    return tuple(name for name in needed if not fulfilled[name] and name not in waived)
