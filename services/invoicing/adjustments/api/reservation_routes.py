"""Reservations: escalation holds the amounts of a dispute before the dispute is a fact."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.invoicing.adjustments.use_cases import dispute_reservations
from services.invoicing.adjustments.use_cases.approval_decisions import AboveApprovalLimit
from services.invoicing.adjustments.use_cases.dispute_reservations import (
    DisputeAlreadyReserved,
    DisputeApprovalAboveReserved,
    DisputeReservationReleased,
    DisputeUpholdingAuthorised,
)
from services.invoicing.payments.api.payment_routes import LineAmount
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance, UnknownInvoiceLine
from shared.persistence.database import Unit
from shared.pure.actor_names import MAX_SUBJECT_CHARS
from shared.pure.fields import Code, ReasonIn, RequestBody, set_model_example
from shared.pure.hidden_characters import SEEN_ON_LINE, check_one_line_text
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(
    prefix="/v1/reservations", tags=["reservations"], dependencies=[needs("invoicing:disputes")], responses=PROBLEMS
)


releases = Router(
    prefix="/v1/reservations", tags=["reservations"], dependencies=[needs("invoicing:credits")], responses=PROBLEMS
)


Subject = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_SUBJECT_CHARS, pattern=SEEN_ON_LINE),
    AfterValidator(check_one_line_text),
]
"""A person as their token names them."""


class ReservationIn(RequestBody):
    """The amounts of a dispute, line by line; the Idempotency-Key is the dispute's id."""

    model_config = set_model_example(
        dispute_id="01a20d65-5762-7361-96ef-cdb432a61f08",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        lines=[{"line": 1, "amount_minor": 5040}],
    )

    dispute_id: UUID
    invoice_id: UUID
    lines: list[LineAmount] = Field(min_length=1, max_length=500)


class ReservationOut(BaseModel):
    """Amounts that are reserved for a dispute."""

    model_config = set_model_example(
        dispute_id="01a20d65-5762-7361-96ef-cdb432a61f08",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        lines=[{"line": 1, "amount_minor": 5040}],
        is_reserved=True,
    )

    dispute_id: UUID
    invoice_id: UUID
    lines: list[LineAmount]
    is_reserved: bool

    @classmethod
    def from_dispute_reservation(cls, dispute_id: UUID, reservation: tuple[UUID, list[tuple[int, int]], bool]) -> Self:
        """The answer for what is reserved."""
        invoice_id, lines, is_reserved = reservation
        amounts = [LineAmount(line=line, amount_minor=amount) for line, amount in lines]
        return cls(dispute_id=dispute_id, invoice_id=invoice_id, lines=amounts, is_reserved=is_reserved)


@writes.post(
    "",
    status_code=201,
    response_model=ReservationOut,
    summary="Hold amounts for a dispute",
    responses=refusals(AmountAboveBalance, DisputeAlreadyReserved, UnknownInvoiceLine),
)
async def reserve_amounts(
    reservation: ReservationIn, command: Annotated[CommandRunner, perform_command("dispute.reserve")]
) -> Response:
    """Reserve amounts of an invoice's lines, paid or not: what is open of them is not dunnable from now on.

    409 if a line was billed for less than that and what other disputes reserve.
    """
    lines = [(line.line, line.amount_minor) for line in reservation.lines]

    async def reserve_for_dispute(unit: Unit) -> ReservationOut:
        await dispute_reservations.reserve_disputed_amounts(unit, reservation.dispute_id, reservation.invoice_id, lines)
        reservation_rows = await dispute_reservations.get_dispute_reservation(unit, reservation.dispute_id)
        return ReservationOut.from_dispute_reservation(reservation.dispute_id, reservation_rows)

    return await command.run(reserve_for_dispute, subject=reservation.invoice_id)


class AmendmentIn(RequestBody):
    """Other amounts of a dispute; the Idempotency-Key is the dispute's id and the number."""

    model_config = set_model_example(amendment=1, lines=[{"line": 1, "amount_minor": 7560}])

    amendment: int = Field(ge=1, le=1_000_000, strict=True, description="counts up with each amendment of the dispute")
    lines: list[LineAmount] = Field(min_length=1, max_length=500)


@writes.post(
    "/{dispute_id}:amend",
    status_code=200,
    response_model=ReservationOut,
    summary="Reserve other amounts for a dispute",
    responses=refusals(
        AmountAboveBalance,
        DisputeAlreadyReserved,
        DisputeReservationReleased,
        UnknownInvoiceLine,
        DisputeUpholdingAuthorised,
    ),
)
async def amend_reservation(
    dispute_id: UUID, wanted: AmendmentIn, command: Annotated[CommandRunner, perform_command("dispute.amend")]
) -> Response:
    """Reserve these amounts instead of the former ones, in one step: what is not disputed any more is dunnable again.

    409 if a line was billed for less than that and what other disputes reserve: then the former amounts stay.
    """
    lines = [(line.line, line.amount_minor) for line in wanted.lines]

    async def amend_for_dispute(unit: Unit) -> ReservationOut:
        await dispute_reservations.amend_dispute_reservation(unit, dispute_id, wanted.amendment, lines)
        return ReservationOut.from_dispute_reservation(
            dispute_id, await dispute_reservations.get_dispute_reservation(unit, dispute_id)
        )

    return await command.run(amend_for_dispute, status=200, subject=dispute_id)


class AuthorisationIn(RequestBody):
    """A person who would decide about a dispute, with their roles; the Idempotency-Key names them and the outcome."""

    model_config = set_model_example(
        actor="operator",
        roles=["billing_lead"],
        outcome="upheld",
        lines=[{"line": 1, "amount_minor": 5040}],
    )

    actor: Subject
    roles: list[Code] = Field(max_length=100)
    outcome: Literal["upheld", "declined"] = Field(description="declined: not to uphold it, which gives nothing")
    lines: list[LineAmount] = Field(min_length=1, max_length=500)
    approved: list[LineAmount] | None = Field(
        default=None, min_length=1, max_length=500, description="what is credited of the lines; null: all of them"
    )


class AuthorisationOut(BaseModel):
    """The outcome that a person may decide, and the amount that it credits."""

    model_config = set_model_example(
        dispute_id="01a20d65-5762-7361-96ef-cdb432a61f08", outcome="upheld", amount_minor=5040, currency="EUR"
    )

    dispute_id: UUID
    outcome: str
    amount_minor: int
    currency: str


@writes.post(
    "/{dispute_id}:authorise",
    status_code=200,
    response_model=AuthorisationOut,
    summary="Ask whether a person may decide about a dispute",
    responses=refusals(DisputeAlreadyReserved, AboveApprovalLimit, DisputeApprovalAboveReserved),
)
async def authorise_outcome(
    dispute_id: UUID, question: AuthorisationIn, command: Annotated[CommandRunner, perform_command("dispute.authorise")]
) -> Response:
    """Authorise a person to credit what is reserved, as if they credited it; 403 above the limit of their roles.

    To uphold it counts for what the person gives that day, and for what the account is given.
    """
    lines = [(line.line, line.amount_minor) for line in question.lines]
    approved = None
    if question.approved is not None:
        approved = [(line.line, line.amount_minor) for line in question.approved]
    asked = dispute_reservations.DisputeUpholdingQuestion(
        question.actor, question.roles, lines, question.outcome, approved
    )

    async def authorise_dispute_outcome(unit: Unit) -> AuthorisationOut:
        amount = await dispute_reservations.authorise_disputed_credit(unit, dispute_id, asked)
        return AuthorisationOut(
            dispute_id=dispute_id, outcome=question.outcome, amount_minor=amount.minor, currency=amount.currency
        )

    return await command.run(authorise_dispute_outcome, status=200, subject=dispute_id)


@releases.post(
    "/{dispute_id}:release",
    status_code=200,
    response_model=ReservationOut,
    summary="Release what is reserved for a dispute",
    responses=refusals(DisputeReservationReleased, DisputeUpholdingAuthorised),
)
async def release_reservation(
    dispute_id: UUID, grounds: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.release")]
) -> Response:
    """Release amounts that a dispute reserves without end: what is open of them is dunnable again.

    The dispute itself stays as it is at escalation, where it can be rejected or withdrawn, and not upheld any more.
    """

    async def release_for_dispute(unit: Unit) -> ReservationOut:
        await dispute_reservations.release_dispute_reservation(unit, dispute_id)
        return ReservationOut.from_dispute_reservation(
            dispute_id, await dispute_reservations.get_dispute_reservation(unit, dispute_id)
        )

    return await command.run(release_for_dispute, status=200, reason=grounds.reason, subject=dispute_id)
