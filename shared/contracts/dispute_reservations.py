"""Reservations of disputed amounts in invoicing, and who may credit them; minor units.

A repeat is known by its body: the order of these fields stays.
"""

from typing import Literal
from uuid import UUID

from shared.pure.fields import RequestBody


class ReservedAmount(RequestBody):
    """Amount of a line of the disputed invoice."""

    line: int
    amount_minor: int


class DisputeReservationRequest(RequestBody):
    """Amounts of a dispute that shall be reserved."""

    dispute_id: UUID
    invoice_id: UUID
    lines: list[ReservedAmount]


class DisputeReservationAmendment(RequestBody):
    """Amounts that shall be reserved for a dispute instead, by the number of its amendment."""

    amendment: int
    lines: list[ReservedAmount]


class CreditAuthorisation(RequestBody):
    """Question whether a person may decide about a dispute; `approved` is set where a part of it is credited."""

    actor: str
    roles: list[str]
    outcome: Literal["upheld", "declined"]
    lines: list[ReservedAmount]
    approved: list[ReservedAmount] | None = None
