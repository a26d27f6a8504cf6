"""Chargebacks of card payments over REST."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field, model_validator

from services.invoicing.payments.domain.chargebacks import ChargebackState, ChargedBackPart, PaidLineAmount
from services.invoicing.payments.repository import chargeback_queries
from services.invoicing.payments.repository.chargeback_queries import ChargebackSearchCriteria, search_chargebacks
from services.invoicing.payments.tables.chargeback_tables import ChargebackRow
from services.invoicing.payments.use_cases import chargeback_handling
from services.invoicing.payments.use_cases.chargeback_handling import (
    ChargebackDateRefused,
    ChargebackReferenceKnown,
    NewChargeback,
    UnknownChargebackReason,
)
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance, PaymentAlreadyReversed
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Name, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.money import CurrencyMismatch, MoneyModel, PositiveMinor
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1", tags=["chargebacks"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/chargebacks", tags=["chargebacks"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)


class ChargebackPartIn(RequestBody):
    """An amount of what the payment pays of a line, in minor units."""

    model_config = set_model_example(invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", line=1, amount_minor=5040)

    invoice_id: UUID
    line: int = Field(ge=1, le=100_000, strict=True)
    amount_minor: PositiveMinor


class ChargebackIn(RequestBody):
    """An amount that a card network took back of a payment, and until when it takes an answer (the day counts)."""

    model_config = set_model_example(
        payment_id="01a20d63-20aa-7d15-8c3e-1b7f60e2a94c",
        amount={"amount_minor": 5040, "currency": "EUR"},
        network_reference="CB-74837",
        reason_code="not_received",
        booked_on="2026-04-20",
        answer_by="2026-05-10",
        network_fee_minor=1500,
        allocations=[],
    )

    payment_id: UUID
    amount: MoneyModel
    network_reference: Name = Field(
        description="how the network calls it: the same again is answered with what is kept"
    )
    reason_code: Code
    booked_on: Day
    answer_by: Day
    network_fee_minor: int | None = Field(
        default=None,
        ge=0,
        le=10**12,
        strict=True,
        description="what the network takes for it, in the currency of the amount: shown, and not posted here",
    )
    allocations: list[ChargebackPartIn] = Field(
        default=[], max_length=500, description="if left out: its unapplied cash, then the newest allocations"
    )

    @model_validator(mode="after")
    def _answered_after_booking(self) -> Self:
        if self.answer_by < self.booked_on:
            raise ValueError("answer_by: comes before booked_on")
        return self

    def build_new_chargeback(self) -> NewChargeback:
        """Build the chargeback to be opened."""
        wanted = [PaidLineAmount(part.invoice_id, part.line, part.amount_minor) for part in self.allocations]
        fields = self.model_dump(include={"payment_id", "network_reference", "reason_code", "booked_on", "answer_by"})
        fields["network_fee_minor"] = self.network_fee_minor
        return NewChargeback(**fields, amount=self.amount.money(), wanted=wanted)


class ChargebackOut(BaseModel):
    """A chargeback; of the amount, `cash_minor` had paid nothing."""

    model_config = set_model_example(
        id="01a20d66-0c11-7e42-9d0a-52b0f7a1c3de",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        payment_id="01a20d63-20aa-7d15-8c3e-1b7f60e2a94c",
        network_reference="CB-74837",
        reason_code="not_received",
        amount_minor=5040,
        cash_minor=0,
        currency="EUR",
        booked_on="2026-04-20",
        answer_by="2026-05-10",
        state="open",
        opened_at="2026-04-21T08:30:00Z",
        decided_at=None,
        network_fee_minor=1500,
    )

    id: UUID
    account_id: UUID
    payment_id: UUID
    network_reference: str
    reason_code: str
    amount_minor: int
    cash_minor: int
    currency: str
    booked_on: date
    answer_by: date
    state: ChargebackState
    opened_at: datetime
    decided_at: datetime | None
    network_fee_minor: int | None = Field(description="what the network takes for it; null while nobody said it")

    @classmethod
    def from_chargeback_row(cls, row: ChargebackRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class ChargebackPartOut(BaseModel):
    """An amount of a line that the payment had paid; `is_recovery`: after it had been written off."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", line=1, amount_minor=5040, is_recovery=False
    )

    invoice_id: UUID
    line: int
    amount_minor: int
    is_recovery: bool

    @classmethod
    def list_from_chargeback_part(cls, part: ChargedBackPart) -> list[Self]:
        """Build the answers for what a chargeback took."""
        return [
            cls(invoice_id=paid.invoice_id, line=paid.line, amount_minor=paid.amount, is_recovery=paid.is_recovery)
            for paid in part.allocations
        ]


class ChargebackDetailsOut(ChargebackOut):
    """A chargeback and what it took its money from."""

    model_config = set_model_example(
        **get_model_example(ChargebackOut), allocations=[get_model_example(ChargebackPartOut)]
    )

    allocations: list[ChargebackPartOut]


@writes.post(
    "",
    status_code=201,
    response_model=ChargebackDetailsOut,
    summary="Record a chargeback",
    responses=refusals(
        PaymentAlreadyReversed,
        AmountAboveBalance,
        ChargebackDateRefused,
        ChargebackReferenceKnown,
        CurrencyMismatch,
        UnknownChargebackReason,
    ),
)
async def open_chargeback(
    chargeback: ChargebackIn, command: Annotated[CommandRunner, perform_command("chargeback.open")]
) -> Response:
    """Reverse a part of a payment and reserve what it reopens, in one step; announces `ChargebackOpened`.

    The same `network_reference` again is answered with the chargeback that is kept; with other contents 409.
    """

    async def open_chargeback_once(unit: Unit) -> ChargebackDetailsOut:
        row = await chargeback_handling.open_chargeback(unit, chargeback.build_new_chargeback())
        return await _load_details(unit, row)

    return await command.run(open_chargeback_once, subject=chargeback.payment_id)


@writes.post(
    "/{chargeback_id}:win",
    status_code=200,
    response_model=ChargebackDetailsOut,
    summary="Record that a chargeback is won",
    responses=refusals(StateMoveRefused),
)
async def win_chargeback(
    chargeback_id: UUID, grounds: ReasonIn, command: Annotated[CommandRunner, perform_command("chargeback.win")]
) -> Response:
    """Book the money again on what it had paid; what is not owed there any more is unapplied cash."""

    async def win_and_show_chargeback(unit: Unit) -> ChargebackDetailsOut:
        return await _load_details(unit, await chargeback_handling.win_chargeback(unit, chargeback_id))

    return await command.run(win_and_show_chargeback, status=200, reason=grounds.reason, subject=chargeback_id)


@writes.post(
    "/{chargeback_id}:lose",
    status_code=200,
    response_model=ChargebackDetailsOut,
    summary="Record that a chargeback is lost",
    responses=refusals(StateMoveRefused),
)
async def lose_chargeback(
    chargeback_id: UUID, grounds: ReasonIn, command: Annotated[CommandRunner, perform_command("chargeback.lose")]
) -> Response:
    """Release what is reserved: what is open of it is dunnable, with all notices again where it had been paid."""

    async def lose_and_show_chargeback(unit: Unit) -> ChargebackDetailsOut:
        return await _load_details(unit, await chargeback_handling.lose_chargeback(unit, chargeback_id))

    return await command.run(lose_and_show_chargeback, status=200, reason=grounds.reason, subject=chargeback_id)


async def _load_details(unit: Unit, row: ChargebackRow) -> ChargebackDetailsOut:
    parts = ChargebackPartOut.list_from_chargeback_part(await chargeback_queries.load_charged_back_part(unit, row))
    return ChargebackDetailsOut(**ChargebackOut.from_chargeback_row(row).model_dump(), allocations=parts)


@reads.get("/chargebacks", summary="List chargebacks")
async def list_chargebacks(
    read: Read,
    paging: Paging,
    state: Annotated[ChargebackState | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
    payment_id: Annotated[UUID | None, Query()] = None,
    answer_before: Annotated[Day | None, Query(description="open, and to be answered before this day")] = None,
) -> Page[ChargebackOut]:
    """Chargebacks in the order of their ids, which is that in which they were recorded."""
    criteria = ChargebackSearchCriteria(state and state.value, account_id, payment_id, answer_before)
    after = paging.get_last_id()
    rows = await read(lambda unit: search_chargebacks(unit, criteria, after, paging.limit + 1))
    return paging.page([ChargebackOut.model_validate(dict(row)) for row in rows], key=lambda row: row.id)


@reads.get("/chargebacks/{chargeback_id}", summary="One chargeback")
async def get_chargeback(chargeback_id: UUID, read: Read) -> ChargebackDetailsOut:
    """The chargeback, and what it took its money from."""

    async def load_chargeback(unit: Unit) -> ChargebackDetailsOut:
        return await _load_details(unit, await chargeback_queries.get_chargeback(unit, chargeback_id))

    return await read(load_chargeback)
