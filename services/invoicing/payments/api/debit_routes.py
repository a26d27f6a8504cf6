"""Direct debits over REST."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.payments.api.payment_routes import LineAmount
from services.invoicing.payments.domain.debit_states import DebitState
from services.invoicing.payments.repository import debit_queries
from services.invoicing.payments.tables.debit_tables import DebitRow
from services.invoicing.payments.use_cases import direct_debits
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from shared.persistence.database import Unit
from shared.pure.fields import Code, Name, RequestBody, set_model_example
from shared.pure.money import CurrencyMismatch, MoneyModel
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/debits", tags=["debits"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/debits", tags=["debits"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS)


class DebitIn(RequestBody):
    """A debit that is sent to the bank: of what is due of an invoice, or of a part of it."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", amount=None, reference="DD-2026-03-0001"
    )

    invoice_id: UUID
    amount: MoneyModel | None = Field(default=None, description="all that is due if left out")
    reference: Code = Field(description="the end-to-end id at the bank; once for an account")


class FailureIn(RequestBody):
    """The bank's reason."""

    model_config = set_model_example(failure="AC04 account closed")

    failure: Name


class DebitOut(BaseModel):
    """A direct debit; while it is initiated its amounts are in flight, and nobody is reminded of them."""

    model_config = set_model_example(
        id="01a20d66-1d21-7b02-8c3f-5e6f7a8b9c0d",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        amount_minor=25200,
        currency="EUR",
        reference="DD-2026-03-0001",
        lines=[{"line": 1, "amount_minor": 25200}],
        state="initiated",
        initiated_at="2026-03-28T06:00:00Z",
        ended_at=None,
        failure=None,
        payment_id=None,
    )

    id: UUID
    account_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str
    reference: str
    lines: list[LineAmount]
    state: str
    initiated_at: datetime
    ended_at: datetime | None
    failure: str | None
    payment_id: UUID | None

    @classmethod
    def from_debit_row(cls, row: DebitRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row.model_dump() | {"lines": LineAmount.list_from_line_amounts(row.lines)})


@writes.post(
    "",
    status_code=201,
    response_model=DebitOut,
    summary="Initiate a debit",
    responses=refusals(AmountAboveBalance, ExternalReferenceTaken, CurrencyMismatch),
)
async def initiate_debit(
    debit: DebitIn, command: Annotated[CommandRunner, perform_command("debit.initiate")]
) -> Response:
    """Its amounts are in flight from now on; announces `PaymentInitiated`."""

    async def initiate_and_show_debit(unit: Unit) -> DebitOut:
        amount = debit.amount.money() if debit.amount else None
        return DebitOut.from_debit_row(
            await direct_debits.initiate_direct_debit(unit, debit.invoice_id, amount, debit.reference)
        )

    return await command.run(initiate_and_show_debit, subject=debit.invoice_id)


@writes.post(
    "/{debit_id}:settle",
    status_code=200,
    response_model=DebitOut,
    summary="Settled",
    responses=refusals(StateMoveRefused, AmountAboveBalance),
)
async def settle_debit(debit_id: UUID, command: Annotated[CommandRunner, perform_command("debit.settle")]) -> Response:
    """The bank has paid: it is a payment of its invoice; announces `PaymentReceived`.

    Nothing changes if an entry of a bank statement has settled it before.
    """

    async def settle_and_show_debit(unit: Unit) -> DebitOut:
        return DebitOut.from_debit_row(await direct_debits.settle_direct_debit(unit, debit_id))

    return await command.run(settle_and_show_debit, status=200, subject=debit_id)


@writes.post(
    "/{debit_id}:fail",
    status_code=200,
    response_model=DebitOut,
    summary="Failed",
    responses=refusals(StateMoveRefused),
)
async def fail_debit(
    debit_id: UUID, failure_body: FailureIn, command: Annotated[CommandRunner, perform_command("debit.fail")]
) -> Response:
    """The bank refused it: nothing of it is in flight any more; announces `PaymentFailed`."""

    async def fail_and_show_debit(unit: Unit) -> DebitOut:
        return DebitOut.from_debit_row(await direct_debits.fail_direct_debit(unit, debit_id, failure_body.failure))

    return await command.run(fail_and_show_debit, status=200, subject=debit_id)


@reads.get("", summary="List debits")
async def list_debits(
    read: Read,
    paging: Paging,
    state: Annotated[DebitState | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
) -> Page[DebitOut]:
    """Debits in the order of their ids."""
    after = paging.get_last_id()
    rows = await read(
        lambda unit: debit_queries.list_debit_rows(unit, state and state.value, account_id, after, paging.limit + 1)
    )
    return paging.page([DebitOut.from_debit_row(row) for row in rows], key=lambda row: row.id)


@reads.get("/{debit_id}", summary="One debit")
async def get_debit(debit_id: UUID, read: Read) -> DebitOut:
    """Get a direct debit as it is now."""
    return DebitOut.from_debit_row(await read(lambda unit: debit_queries.get_debit_row(unit, debit_id)))
