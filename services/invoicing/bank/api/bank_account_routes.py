"""Our bank accounts: until when the payments into each are known."""

from datetime import date, datetime
from typing import Annotated, Self

from fastapi import Response
from pydantic import BaseModel, Field

from services.invoicing.bank.repository import bank_knowledge_queries
from services.invoicing.bank.tables import BankAccountRow
from services.invoicing.bank.use_cases import bank_booking
from shared.persistence.database import Unit
from shared.pure.fields import Name, ReasonIn, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/bank-accounts", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/bank-accounts", tags=["bank"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)


class BankAccountOut(BaseModel):
    """A bank account of ours; nobody waits for statements of a closed one."""

    model_config = set_model_example(
        bank_account="DE02120300000000202051",
        closing_date="2026-03-30",
        known_until="2026-03-31T00:00:00Z",
        is_closed=False,
        closed_by=None,
        reason=None,
        closed_at=None,
    )

    bank_account: str
    closing_date: date = Field(description="of its newest statement")
    known_until: datetime
    is_closed: bool
    closed_by: str | None
    reason: str | None
    closed_at: datetime | None

    @classmethod
    def from_bank_account_row(cls, row: BankAccountRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class BankAccountsOut(BaseModel):
    """All bank accounts of which statements came."""

    model_config = set_model_example(bank_accounts=[get_model_example(BankAccountOut)])

    bank_accounts: list[BankAccountOut]


@reads.get("", summary="List our bank accounts")
async def list_bank_accounts(read: Read) -> BankAccountsOut:
    """Suspensions that wait for bank data wait for the oldest of them that is not closed."""
    rows = await read(bank_knowledge_queries.list_bank_account_rows)
    return BankAccountsOut(bank_accounts=[BankAccountOut.from_bank_account_row(row) for row in rows])


@writes.post(
    "/{bank_account:path}:close",
    status_code=200,
    response_model=BankAccountOut,
    summary="Say that statements of a bank account come no more",
)
async def close_bank_account(
    bank_account: Name, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("bank_account.close")]
) -> Response:
    """Nobody waits for its statements any more. One that closes later than the last opens it again.

    It is called as the bank calls it, `19-2000145399/0800` too.
    """
    actor, reason = command.caller.subject, reason_body.reason

    async def close_and_show_account(unit: Unit) -> BankAccountOut:
        return BankAccountOut.from_bank_account_row(
            await bank_booking.close_own_bank_account(unit, bank_account, actor, reason)
        )

    return await command.run(close_and_show_account, status=200, reason=reason)
