"""States of disputes, and what may be approved of the disputed amounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from shared.pure.errors import Refusal

QuestionCause = Literal["rejected_before", "too_late"]
"""Why a dispute is a question: a line of it was rejected before, or the policy's days are over."""


class DisputeState(StrEnum):
    """Where a dispute is."""

    QUESTION = "question"
    """It reserves nothing, unless a person with the right admits it as a dispute."""
    REQUESTED = "requested"
    """Committed here; invoicing has not yet reserved the amounts."""
    OPENED = "opened"
    """The amounts are reserved: a fact."""
    UNDER_REVIEW = "under_review"
    """Somebody examines it; the amounts stay reserved."""
    REFUSED = "refused"
    """Invoicing refuses the reservation: it never was a dispute."""
    WAITING_FOR_SECOND_PERSON = "waiting_for_second_person"
    """Somebody would uphold it who may not credit so much; the amounts stay reserved."""
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    """A part is credited, and the rest is released."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_DECIDED = frozenset({DisputeState.UPHELD, DisputeState.PARTLY_UPHELD, DisputeState.REJECTED, DisputeState.WITHDRAWN})
DISPUTE_ALLOWED: Mapping[DisputeState, frozenset[DisputeState]] = {
    DisputeState.QUESTION: frozenset({DisputeState.REQUESTED, DisputeState.WITHDRAWN}),
    DisputeState.REQUESTED: frozenset({DisputeState.OPENED, DisputeState.REFUSED}),
    DisputeState.OPENED: _DECIDED | {DisputeState.UNDER_REVIEW, DisputeState.WAITING_FOR_SECOND_PERSON},
    DisputeState.UNDER_REVIEW: _DECIDED | {DisputeState.WAITING_FOR_SECOND_PERSON},
    DisputeState.WAITING_FOR_SECOND_PERSON: frozenset(
        {
            DisputeState.UPHELD,
            DisputeState.PARTLY_UPHELD,
            DisputeState.OPENED,
            DisputeState.UNDER_REVIEW,
            DisputeState.WITHDRAWN,
        }
    ),
    DisputeState.REFUSED: frozenset(),
    DisputeState.UPHELD: frozenset(),
    DisputeState.PARTLY_UPHELD: frozenset(),
    DisputeState.REJECTED: frozenset(),
    DisputeState.WITHDRAWN: frozenset(),
}
AMENDABLE = frozenset({DisputeState.OPENED, DisputeState.UNDER_REVIEW})
"""States in which somebody may dispute more or less, and in which the outcome is decided."""
UNDECIDED = AMENDABLE | {DisputeState.REQUESTED, DisputeState.WAITING_FOR_SECOND_PERSON}
"""States of a dispute whose outcome is not known."""


class DisputeAmendmentState(StrEnum):
    """Where an amendment of a dispute is."""

    REQUESTED = "requested"
    """Committed here; invoicing has not yet reserved the amounts."""
    DONE = "done"
    REFUSED = "refused"


AMENDMENT_ALLOWED: Mapping[DisputeAmendmentState, frozenset[DisputeAmendmentState]] = {
    DisputeAmendmentState.REQUESTED: frozenset({DisputeAmendmentState.DONE, DisputeAmendmentState.REFUSED}),
    DisputeAmendmentState.DONE: frozenset(),
    DisputeAmendmentState.REFUSED: frozenset(),
}
TAX_REASON = "tax"
"""The reason of a line whose tax is wrong: it is credited in full and invoiced again."""


class ApprovedAmountsRefused(Refusal):
    """The approved amounts are none of this dispute, or nothing is approved."""

    code: ClassVar[str] = "approved_refused"
    status: ClassVar[int] = 422


class DisputeCreditsNothing(Refusal):
    """The reasons of the dispute pause an invoice until its document is right, and credit nothing."""

    code: ClassVar[str] = "credits_nothing"


@dataclass(frozen=True, slots=True)
class DisputeWindow:
    """Days after its issue date on which an invoice may be disputed, by the policy that holds for it."""

    issue_date: date
    days: int
    zone: ZoneInfo
    """Zone of the account, in whose days it is counted unless its legal entity has a business calendar."""

    def is_window_over(self, today: date) -> bool:
        """Say whether a dispute comes too late on a date."""
        return today > self.issue_date + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class DisputeItem:
    """An amount in dispute of one line, why, and what is approved of it once that is known; minor units."""

    line: int
    amount_minor: int
    reason_code: str
    approved_minor: int | None = None


def list_added_dispute_lines(former: Iterable[DisputeItem], items: Iterable[DisputeItem]) -> list[int]:
    """List the lines of which more is disputed than before."""
    before = {item.line: item.amount_minor for item in former}
    return sorted(item.line for item in items if item.amount_minor > before.get(item.line, 0))


def approve_dispute_items(items: Sequence[DisputeItem], approved: Mapping[int, int] | None) -> list[DisputeItem]:
    """Return the items with what is approved of each line; without amounts everything is.

    Raises ApprovedAmountsRefused.
    """
    if approved is None:
        return [replace(item, approved_minor=item.amount_minor) for item in items]
    if unknown := sorted(approved.keys() - {item.line for item in items}):
        raise ApprovedAmountsRefused(f"lines: {', '.join(map(str, unknown))} is not disputed")
    decided = [replace(item, approved_minor=approved.get(item.line, 0)) for item in items]
    if excessive := [item.line for item in decided if (item.approved_minor or 0) > item.amount_minor]:
        raise ApprovedAmountsRefused(f"lines: more is approved of {', '.join(map(str, excessive))} than is disputed")
    if not any(item.approved_minor for item in decided):
        raise ApprovedAmountsRefused("lines: nothing is approved: reject the dispute instead")
    return decided


def is_dispute_approved_fully(items: Sequence[DisputeItem]) -> bool:
    """Say whether everything that is disputed is approved."""
    return all(item.approved_minor == item.amount_minor for item in items)
