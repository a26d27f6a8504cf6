"""Bill runs over REST."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from services.invoicing.billing.repository import bill_run_queries
from services.invoicing.billing.tables import BillRunRow
from services.invoicing.billing.use_cases import bill_run_control
from services.invoicing.billing.use_cases.bill_run_control import BillRunDateRefused
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from shared.persistence.database import Unit
from shared.pure.fields import Day, ReasonIn, RequestBody, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1", tags=["bill runs"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["bill runs"], dependencies=[needs("invoicing:billing")], responses=PROBLEMS)


class BillRunIn(RequestBody):
    """A run for a date: everything that is due by then is billed."""

    model_config = set_model_example(run_date="2026-04-01", at_once=False)

    run_date: Day
    at_once: bool = Field(default=False, description="issue without drafts that somebody approves")


class BilledTotalsOut(BaseModel):
    """Total of a run in one currency; minor units. `credits` counts the accounts that get something back."""

    currency: str
    invoices: int
    total_minor: int
    credits: int
    credited_minor: int


class BillRunOut(BaseModel):
    """A run: its accounts by state, and what its drafts and invoices come to."""

    model_config = set_model_example(
        id="01a20d80-5f10-7b6c-a4a3-9a8d7c6b5e40",
        run_date="2026-04-01",
        state="drafted",
        at_once=False,
        started_by="billing",
        started_at="2026-04-01T06:00:00Z",
        decided_by=None,
        reason=None,
        finished_at="2026-04-01T06:00:09Z",
        accounts={"drafted": 814, "nothing": 14, "set_aside": 1},
        totals=[{"currency": "EUR", "invoices": 812, "total_minor": 48211904, "credits": 2, "credited_minor": 22392}],
    )

    id: UUID
    run_date: date
    state: str
    at_once: bool
    started_by: str
    started_at: datetime
    decided_by: str | None
    reason: str | None
    finished_at: datetime | None
    accounts: dict[str, int]
    totals: list[BilledTotalsOut]

    @classmethod
    async def build_bill_run_answer(cls, unit: Unit, row: BillRunRow) -> Self:
        """The answer for a run as it is now."""
        counts = await bill_run_queries.count_bill_run_accounts(unit, row.id)
        totals = [BilledTotalsOut(**total) for total in await bill_run_queries.compute_bill_run_totals(unit, row.id)]
        return cls.model_validate(row.model_dump() | {"accounts": counts, "totals": totals})


class UnbilledAccountOut(BaseModel):
    """An account that could not be billed, and why."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2", reason="no tax rate for standard in FR on 2026-03-02"
    )

    account_id: UUID
    reason: str


class CreditOut(BaseModel):
    """An account whose reversals outweigh its charges: the total (below 0) is given back by these credit notes.

    They are issued on approval; `reason` says what of it stays unbilled, since no line can be credited with it.
    """

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        state="credited",
        currency="EUR",
        total_minor=-11196,
        credit_note_ids=["01a20d65-4d12-7a13-8b5f-7d2e3f9c8a51"],
        reason=None,
    )

    account_id: UUID
    state: str
    currency: str
    total_minor: int
    credit_note_ids: list[UUID]
    reason: str | None


class RunDifferenceOut(BaseModel):
    """An account that is billed another total than in the month before; minor units."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2", currency="EUR", total_minor=30240, before_minor=25200
    )

    account_id: UUID
    currency: str
    total_minor: int
    before_minor: int


@writes.post(
    "/bill-runs",
    name="start_bill_run",
    status_code=201,
    response_model=BillRunOut,
    summary="Start a bill run",
    responses=refusals(BillRunDateRefused),
)
async def start_run(run: BillRunIn, command: Annotated[CommandRunner, perform_command("bill_run.start")]) -> Response:
    """Workers bill the accounts in chunks from now on; announces `BillRunStarted` and then `BillRunFinished`."""

    async def start_and_show_run(unit: Unit) -> BillRunOut:
        row, _ = await bill_run_control.start_bill_run(
            unit, run.run_date, at_once=run.at_once, actor=command.caller.subject
        )
        return await BillRunOut.build_bill_run_answer(unit, row)

    return await command.run(start_and_show_run)


@reads.get("/bill-runs", summary="List bill runs")
async def list_bill_runs(read: Read, paging: Paging) -> Page[BillRunOut]:
    """Runs in the order of their ids."""
    after = paging.get_last_id()

    async def load_bill_runs(unit: Unit) -> list[BillRunOut]:
        return [
            await BillRunOut.build_bill_run_answer(unit, row)
            for row in await bill_run_queries.list_bill_run_rows(unit, after, paging.limit + 1)
        ]

    return paging.page(await read(load_bill_runs), key=lambda run: run.id)


@reads.get("/bill-runs/{run_id}", name="get_bill_run", summary="One bill run")
async def get_run(run_id: UUID, read: Read) -> BillRunOut:
    """How far the run is, and what it comes to."""

    async def load_bill_run(unit: Unit) -> BillRunOut:
        return await BillRunOut.build_bill_run_answer(unit, await bill_run_queries.get_bill_run(unit, run_id))

    return await read(load_bill_run)


@reads.get("/bill-runs/{run_id}/set-aside", summary="The accounts that could not be billed")
async def list_unbilled_accounts(run_id: UUID, read: Read, paging: Paging) -> Page[UnbilledAccountOut]:
    """The accounts that were set aside, each with the reason."""
    after = paging.get_last_id()

    async def load_skipped_accounts(unit: Unit) -> list[UnbilledAccountOut]:
        await bill_run_queries.get_bill_run(unit, run_id)
        return [
            UnbilledAccountOut(**row)
            for row in await bill_run_queries.list_skipped_accounts(unit, run_id, after, paging.limit + 1)
        ]

    return paging.page(await read(load_skipped_accounts), key=lambda skipped_account: skipped_account.account_id)


@reads.get(
    "/bill-runs/{run_id}/credits", name="list_bill_run_credits", summary="The accounts that are given something back"
)
async def list_credits(run_id: UUID, read: Read, paging: Paging) -> Page[CreditOut]:
    """The accounts whose reversals outweigh their charges, with the credit notes, or with why there are none."""
    after = paging.get_last_id()

    async def load_run_credits(unit: Unit) -> list[CreditOut]:
        await bill_run_queries.get_bill_run(unit, run_id)
        return [
            CreditOut(**row)
            for row in await bill_run_queries.list_bill_run_credits(unit, run_id, after, paging.limit + 1)
        ]

    return paging.page(await read(load_run_credits), key=lambda credit: credit.account_id)


@reads.get(
    "/bill-runs/{run_id}/differences",
    name="list_bill_run_differences",
    summary="Whose total is another than last month",
)
async def list_run_differences(run_id: UUID, read: Read, paging: Paging) -> Page[RunDifferenceOut]:
    """By account: what the run bills beside what was billed in the month before its date."""
    after = paging.get_last_id()

    async def load_run_differences(unit: Unit) -> list[RunDifferenceOut]:
        row = await bill_run_queries.get_bill_run(unit, run_id)
        return [
            RunDifferenceOut(**difference)
            for difference in await bill_run_queries.list_bill_run_differences(unit, row, after, paging.limit + 1)
        ]

    return paging.page(await read(load_run_differences), key=lambda difference: difference.account_id)


Move = Callable[[Unit, UUID, str, str], Awaitable[BillRunRow]]
"""What a person does with a run: which one, who it is, and why."""


async def _move_run(move: Move, run_id: UUID, reason_body: ReasonIn, command: CommandRunner) -> Response:
    async def move_and_show_run(unit: Unit) -> BillRunOut:
        return await BillRunOut.build_bill_run_answer(
            unit, await move(unit, run_id, command.caller.subject, reason_body.reason)
        )

    return await command.run(move_and_show_run, status=200, reason=reason_body.reason, subject=run_id)


@writes.post(
    "/bill-runs/{run_id}:approve",
    name="approve_bill_run",
    status_code=200,
    response_model=BillRunOut,
    summary="Approve the drafts",
    responses=refusals(StateMoveRefused),
)
async def approve_run(
    run_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("bill_run.approve")]
) -> Response:
    """Issue every draft of the run: as an invoice or, below 0, as credit notes."""
    return await _move_run(bill_run_control.approve_bill_run, run_id, reason_body, command)


@writes.post(
    "/bill-runs/{run_id}:discard",
    name="discard_bill_run",
    status_code=200,
    response_model=BillRunOut,
    summary="Discard the drafts",
    responses=refusals(StateMoveRefused),
)
async def discard_run(
    run_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("bill_run.discard")]
) -> Response:
    """Issue nothing; what the drafts would have billed waits for another run."""
    return await _move_run(bill_run_control.discard_bill_run, run_id, reason_body, command)


@writes.post(
    "/bill-runs/{run_id}:retry",
    name="retry_bill_run",
    status_code=200,
    response_model=BillRunOut,
    summary="Try again who was set aside",
    responses=refusals(StateMoveRefused),
)
async def retry_run(
    run_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("bill_run.retry")]
) -> Response:
    """Try the accounts again that were set aside, once what kept them is mended."""
    return await _move_run(bill_run_control.retry_bill_run, run_id, reason_body, command)
