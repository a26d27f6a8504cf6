"""Values that more than one event carries."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

TaxStatus = Literal["standard", "exempt", "reverse_charge"]
"""How an account is taxed."""


class EventValue(BaseModel):
    """A part of a payload; readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LineBalance(EventValue):
    """Open amount of one line of an invoice, and how much of it is disputed or in flight; minor units."""

    line: int
    subscription_id: UUID | None
    open_minor: int
    disputed_minor: int
    in_flight_minor: int
    written_off_minor: int


AccessWarning = Literal["ends", "ended", "unaffected"]
"""Statement of a notice on access: it ends if the invoice stays unpaid, has ended, or does not depend on it."""


class StepItem(EventValue):
    """One invoice in a step of the policy, with the amount that was dunnable then; minor units.

    A message speaks of each invoice by the `template` of the invoice's own step; both are null in news about
    access.
    """

    invoice_id: UUID
    number: str
    round: int
    step: str
    policy_version: int
    dunnable_minor: int
    currency: str
    template: str | None = None
    access: AccessWarning | None = None
