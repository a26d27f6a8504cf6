"""Balances: what is open, disputed and in flight of an invoice, with the account's sequence."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

import asyncpg
from pydantic import BaseModel, Field

from services.invoicing.receivables.domain.invoice_balances import compute_disputed_minor
from services.invoicing.receivables.repository import balance_queries
from shared.contracts.invoice_balances import MOST_BALANCES
from shared.events.values import LineBalance
from shared.pure.errors import NotFound
from shared.pure.fields import RequestBody, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1", tags=["balances"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class BalanceOut(BaseModel):
    """The balance of an invoice at one moment; of two, the one with the higher sequence is the later."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        number="GS-DE-00000001",
        currency="EUR",
        due_date="2026-03-31",
        sequence=5,
        changed_at="2026-04-02T09:30:00Z",
        total_minor=25200,
        open_minor=25200,
        disputed_minor=5040,
        disputed_paid_minor=0,
        in_flight_minor=0,
        credited_minor=0,
        written_off_minor=0,
        lines=[
            {
                "line": 1,
                "subscription_id": "01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
                "open_minor": 25200,
                "disputed_minor": 5040,
                "in_flight_minor": 0,
                "written_off_minor": 0,
            }
        ],
    )

    invoice_id: UUID
    account_id: UUID
    number: str
    currency: str
    due_date: date
    sequence: int = Field(description="the account's sequence at this moment, as events carry it")
    changed_at: datetime = Field(description="when the balance became what it is (business time)")
    total_minor: int
    open_minor: int
    disputed_minor: int
    disputed_paid_minor: int = Field(description="in dispute and not open: it holds nothing back unless it reopens")
    in_flight_minor: int
    credited_minor: int
    written_off_minor: int
    lines: list[LineBalance]


class BalancesIn(RequestBody):
    """The invoices asked for."""

    model_config = set_model_example(invoice_ids=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7"])

    invoice_ids: list[UUID] = Field(min_length=1, max_length=MOST_BALANCES)


class BalancesOut(BaseModel):
    """The balances of the invoices that there are, and the ids of which there is none."""

    model_config = set_model_example(
        balances=[get_model_example(BalanceOut)], unknown=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b8"]
    )

    balances: list[BalanceOut]
    unknown: list[UUID]


@reads.get("/invoices/{invoice_id}/balance", summary="The balance of an invoice")
async def get_balance(invoice_id: UUID, read: Read) -> BalanceOut:
    """Get what is owed of one invoice now."""
    balances = _balances(await read(lambda unit: balance_queries.list_invoice_balance_rows(unit, [invoice_id])))
    if not balances:
        raise NotFound(f"there is no invoice {invoice_id}")
    return balances[0]


@reads.post("/balances:batch", summary="The balances of several invoices")
async def get_balances(asked: BalancesIn, read: Read) -> BalancesOut:
    """Get what is owed of these invoices, all at the same moment. Changes nothing, so it needs no key."""
    balances = _balances(await read(lambda unit: balance_queries.list_invoice_balance_rows(unit, asked.invoice_ids)))
    there = {balance.invoice_id for balance in balances}
    return BalancesOut(balances=balances, unknown=[asked_id for asked_id in asked.invoice_ids if asked_id not in there])


def _balances(rows: Iterable[asyncpg.Record]) -> list[BalanceOut]:
    return [_balance(list(lines)) for _, lines in groupby(rows, key=lambda row: row["id"])]


def _balance(rows: Sequence[asyncpg.Record]) -> BalanceOut:
    head = rows[0]
    lines = [
        LineBalance(
            line=row["line"],
            subscription_id=row["subscription_id"],
            open_minor=row["open_minor"],
            disputed_minor=compute_disputed_minor(row["reserved_minor"], row["charged_back_minor"], row["open_minor"]),
            in_flight_minor=row["in_flight_minor"],
            written_off_minor=row["written_off_minor"],
        )
        for row in rows
    ]
    return BalanceOut(
        invoice_id=head["id"],
        account_id=head["account_id"],
        number=head["number"],
        currency=head["currency"],
        due_date=head["due_date"],
        sequence=head["sequence"],
        changed_at=head["changed_at"],
        total_minor=head["total_minor"],
        open_minor=sum(line.open_minor for line in lines),
        disputed_minor=sum(line.disputed_minor for line in lines),
        disputed_paid_minor=sum(max(row["reserved_minor"] - row["open_minor"], 0) for row in rows),
        in_flight_minor=sum(line.in_flight_minor for line in lines),
        credited_minor=sum(row["credited_minor"] for row in rows),
        written_off_minor=sum(line.written_off_minor for line in lines),
        lines=lines,
    )
