"""Entries of bank statements: the work list, and what people decide."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from services.invoicing.bank.repository import bank_entry_queries
from services.invoicing.bank.tables import BankEntryRow, BankProposalRow
from services.invoicing.bank.use_cases import bank_booking
from services.invoicing.bank.use_cases.bank_booking import BankEntryNotReceipt, BookingDecision
from services.invoicing.bank.use_cases.bank_debits import BankEntryOfDebit
from services.invoicing.payments.api.payment_routes import RemittanceLineIn
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance, UnknownInvoiceLine
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from shared.persistence.database import Unit
from shared.pure.fields import Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.money import CurrencyMismatch
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/bank-entries", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/bank-entries", tags=["bank"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)


class ProposalOut(BaseModel):
    """A customer whose money an entry may be, as it looked when it was imported."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        score=40,
        reasons=["amount_of_invoice", "payer_name"],
    )

    account_id: UUID
    invoice_id: UUID | None
    score: int = Field(description="0 to 100")
    reasons: list[str]


class BankEntryOut(BaseModel):
    """An entry of a bank statement, and what became of it."""

    model_config = set_model_example(
        id="01a20d70-2b41-7d15-8c3e-1b7f60e2a94c",
        import_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        bank_account="DE02120300000000202051",
        kind="receipt",
        is_credit=True,
        amount_minor=25200,
        currency="EUR",
        booked_on="2026-03-30",
        payer="Example Trading GmbH",
        text="invoices of March",
        reference="2026033000017",
        ids=["DD-2026-03-0001"],
        return_reason=None,
        state="unmatched",
        account_id=None,
        invoice_id=None,
        debit_id=None,
        payment_id=None,
        decided_by=None,
        reason=None,
        decided_at=None,
        proposals=[get_model_example(ProposalOut)],
    )

    id: UUID
    import_id: UUID
    bank_account: str
    kind: str
    is_credit: bool
    amount_minor: int
    currency: str
    booked_on: date
    payer: str | None
    text: str
    reference: str | None = Field(description="the bank's, empty if it gives none; null where it was not kept")
    ids: list[str] = Field(
        description="by what the parties call the payment: end-to-end id, structured reference, batch"
    )
    return_reason: str | None = Field(description="why it was returned, such as `AM04` and what the bank adds")
    state: str
    account_id: UUID | None
    invoice_id: UUID | None
    debit_id: UUID | None = Field(description="the direct debit whose money it is")
    payment_id: UUID | None
    decided_by: str | None
    reason: str | None
    decided_at: datetime | None
    proposals: list[ProposalOut]

    @classmethod
    def from_bank_entry_row(cls, row: BankEntryRow, proposals: list[BankProposalRow]) -> Self:
        """The answer for an entry."""
        beside = {"proposals": [proposal.model_dump() for proposal in proposals], "ids": row.ids or []}
        return cls.model_validate(row.model_dump() | beside)


class BankEntryBookingIn(RequestBody):
    """Owner of the money, and why that is so: for an invoice, by a remittance advice, or for the oldest open ones."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        reason="the customer sent the remittance advice",
    )

    account_id: UUID
    invoice_id: UUID | None = None
    remittance: list[RemittanceLineIn] = Field(default=[], max_length=500, description="instead of invoice_id")
    reason: Prose

    @model_validator(mode="after")
    def _invoice_or_remittance(self) -> Self:
        if self.remittance and self.invoice_id is not None:
            raise ValueError("either invoice_id or remittance")
        return self

    def build_booking_decision(self, actor: str) -> BookingDecision:
        """Say what the person decided."""
        advice = [(invoice.number, invoice.amount_minor) for invoice in self.remittance]
        return BookingDecision(self.account_id, self.invoice_id, actor, self.reason, advice)


State = Literal["certain", "unmatched", "booked", "ignored", "kept"]


@reads.get("", name="list_bank_entries", summary="List entries of bank statements")
async def list_entries(read: Read, paging: Paging, state: State | None = None) -> Page[BankEntryOut]:
    """Entries in the order in which they came in; `state=unmatched` is the work list, with proposals."""
    after = paging.get_last_id()

    async def load_bank_entries(unit: Unit) -> list[BankEntryOut]:
        entries_with_proposals = await bank_entry_queries.list_bank_entries(unit, state, after, paging.limit + 1)
        return [BankEntryOut.from_bank_entry_row(*entry) for entry in entries_with_proposals]

    return paging.page(await read(load_bank_entries), key=lambda entry: entry.id)


async def _answer_entry(unit: Unit, row: BankEntryRow) -> BankEntryOut:
    return BankEntryOut.from_bank_entry_row(
        row, (await bank_entry_queries.map_bank_match_proposals(unit, [row.id])).get(row.id, [])
    )


@reads.get("/{entry_id}", name="get_bank_entry", summary="One entry")
async def get_entry(entry_id: UUID, read: Read) -> BankEntryOut:
    """An entry, its proposals and what became of it."""

    async def load_bank_entry(unit: Unit) -> BankEntryOut:
        return await _answer_entry(unit, await bank_entry_queries.get_bank_entry(unit, entry_id))

    return await read(load_bank_entry)


@writes.post(
    "/{entry_id}:book",
    name="book_bank_entry",
    status_code=200,
    response_model=BankEntryOut,
    summary="Book an entry",
    responses=refusals(
        StateMoveRefused,
        BankEntryNotReceipt,
        AmountAboveBalance,
        BankEntryOfDebit,
        CurrencyMismatch,
        UnknownInvoiceLine,
    ),
)
async def book_entry(
    entry_id: UUID, wanted: BankEntryBookingIn, command: Annotated[CommandRunner, perform_command("bank_entry.book")]
) -> Response:
    """Record the payment that an entry is; what is more than the account owes is unapplied cash. Decided once.

    An entry with the reference of a direct debit in flight settles it.
    """

    async def book_and_show_entry(unit: Unit) -> BankEntryOut:
        decision = wanted.build_booking_decision(command.caller.subject)
        return await _answer_entry(unit, await bank_booking.book_bank_entry(unit, entry_id, decision))

    return await command.run(book_and_show_entry, status=200, reason=wanted.reason, subject=wanted.account_id)


@writes.post(
    "/{entry_id}:ignore",
    name="ignore_bank_entry",
    status_code=200,
    response_model=BankEntryOut,
    summary="Ignore an entry",
    responses=refusals(StateMoveRefused),
)
async def ignore_entry(
    entry_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("bank_entry.ignore")]
) -> Response:
    """It is no payment of a customer, or was dealt with by hand, such as a returned debit. Decided once."""

    async def ignore_and_show_entry(unit: Unit) -> BankEntryOut:
        return await _answer_entry(
            unit, await bank_booking.ignore_bank_entry(unit, entry_id, command.caller.subject, reason_body.reason)
        )

    return await command.run(ignore_and_show_entry, status=200, reason=reason_body.reason, subject=entry_id)
