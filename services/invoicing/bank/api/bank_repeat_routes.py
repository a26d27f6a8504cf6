"""Entries that are equal to one that was taken before: listed beside it, and taken after all by a person."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.bank.repository import bank_repeat_queries
from services.invoicing.bank.repository.bank_repeat_queries import RepeatedBankEntry
from services.invoicing.bank.use_cases import repeated_entries
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/bank-repeats", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/bank-repeats", tags=["bank"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)


class RepeatedBankEntryOut(BaseModel):
    """An entry of a file that is equal to one that was taken before: account, day, amount, reference, payer, text."""

    model_config = set_model_example(
        id="01a20d70-2b41-7d15-8c3e-1b7f60e2a94d",
        import_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b8",
        place=7,
        entry_id="01a20d70-2b41-7d15-8c3e-1b7f60e2a94c",
        entry_import_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        entry_state="booked",
        bank_account="DE02120300000000202051",
        is_credit=True,
        amount_minor=25200,
        currency="EUR",
        booked_on="2026-03-30",
        reference="2026033000017",
        payer="Example Trading GmbH",
        text="invoices of March",
        taken_entry_id=None,
        taken_by=None,
        reason=None,
        taken_at=None,
    )

    id: UUID
    import_id: UUID
    place: int = Field(description="of the entry in its file, from 1")
    entry_id: UUID = Field(description="the entry that it repeats")
    entry_import_id: UUID
    entry_state: str
    bank_account: str
    is_credit: bool
    amount_minor: int
    currency: str
    booked_on: date
    reference: str | None
    payer: str | None
    text: str
    taken_entry_id: UUID | None = Field(description="the entry of its own that a person made of it")
    taken_by: str | None
    reason: str | None
    taken_at: datetime | None

    @classmethod
    def from_repeated_bank_entry(cls, repeat: RepeatedBankEntry) -> Self:
        """The answer for a repeat."""
        entry = repeat.entry
        beside = {"entry_import_id": entry.import_id, "entry_state": entry.state}
        return cls.model_validate(entry.model_dump() | repeat.row.model_dump() | beside)


@reads.get("", summary="List entries that repeat another one")
async def list_repeated_entries(
    read: Read, paging: Paging, import_id: Annotated[UUID | None, Query()] = None
) -> Page[RepeatedBankEntryOut]:
    """Repeats in the order in which they came in, those of one import if it is given."""
    after = paging.get_last_id()
    repeats = await read(
        lambda unit: bank_repeat_queries.list_repeated_bank_entries(unit, import_id, after, paging.limit + 1)
    )
    return paging.page(
        [RepeatedBankEntryOut.from_repeated_bank_entry(repeat) for repeat in repeats], key=lambda repeat: repeat.id
    )


@writes.post(
    "/{repeat_id}:take",
    name="take_repeated_entry",
    status_code=200,
    response_model=RepeatedBankEntryOut,
    summary="Take a repeat after all",
    responses=refusals(StateMoveRefused),
)
async def take_repeat(
    repeat_id: UUID, reason: ReasonIn, command: Annotated[CommandRunner, perform_command("bank_repeat.take")]
) -> Response:
    """Take it as an entry of its own, since it is other money than that of the entry that it repeats. Decided once."""

    async def take_repeated_entry(unit: Unit) -> RepeatedBankEntryOut:
        return RepeatedBankEntryOut.from_repeated_bank_entry(
            await repeated_entries.take_repeated_bank_entry(unit, repeat_id, command.caller.subject, reason.reason)
        )

    return await command.run(take_repeated_entry, status=200, reason=reason.reason)
