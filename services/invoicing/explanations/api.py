"""Why a line of an invoice is what it is: an answer that support can read to a customer."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Literal, Self
from uuid import UUID

import asyncpg
from fastapi import Path
from pydantic import BaseModel

from services.invoicing.explanations import repository as explanations_repository
from services.invoicing.subscriptions.domain.proration import BillingCycle
from shared.persistence.database import Unit
from shared.pure.fields import set_model_example
from shared.pure.money import Money
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/invoices", tags=["invoices"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
LineNumber = Annotated[int, Path(ge=1, le=100_000)]


class PriceOut(BaseModel):
    """The price by which it was charged: of which version of which plan, for one unit and cycle (minor units)."""

    plan_id: UUID
    plan: str
    version: int
    in_force_from: date
    unit_price_minor: int


class ChargedPeriodOut(BaseModel):
    """Days that were charged of a cycle; ends are exclusive."""

    cycle_from: date
    cycle_to: date
    cycle_days: int
    period_from: date
    period_to: date
    days: int
    quantity: int


class UsageSumOut(BaseModel):
    """Usage of a meter, in how many lines; each was rated by itself and truncated."""

    meter: str
    lines: int
    quantity: str


class ChargeCauseOut(BaseModel):
    """The change that caused it, where one did: who wanted it, and why."""

    change_id: UUID
    kind: str
    effective_on: date
    quantity: int | None
    actor: str | None
    reason: str | None


class SettledChargeOut(BaseModel):
    """A charge that a bill run settled by credit notes, on no invoice, as far as they settle it (minor units)."""

    charge_id: UUID
    kind: str
    net_minor: int
    change_id: UUID | None
    reason: str | None
    arithmetic: str


class LineCreditOut(BaseModel):
    """A credit note that took something off the line; one of a bill run says what it and its like settle together."""

    credit_note_id: UUID
    number: str
    reason_code: str
    amount_minor: int
    settles: list[SettledChargeOut]


class ExplanationOut(BaseModel):
    """Where a line comes from, with the arithmetic in words, and what was credited of it.

    A line that was posted as it is has no price, and no tax. Tax is by the rates that are set here, or what the outside
    tax calculator answered to the request of that id.
    """

    model_config = set_model_example(
        invoice_number="GS-DE-00000017",
        line=2,
        description="Business Premium, 2026-04-03 – 2026-04-30",
        currency="EUR",
        net_minor=11289,
        tax_minor=2145,
        tax_rate_bp=1900,
        amount_minor=13434,
        collectable_minor=2239,
        tax_calculator="rates",
        tax_request_id=None,
        price={
            "plan_id": "01a20d60-1b7a-7d11-8f4e-0c5b9a2f6e21",
            "plan": "Business Premium",
            "version": 1,
            "in_force_from": "2026-01-01",
            "unit_price_minor": 1008,
        },
        period={
            "cycle_from": "2026-04-01",
            "cycle_to": "2026-05-01",
            "cycle_days": 30,
            "period_from": "2026-04-03",
            "period_to": "2026-05-01",
            "days": 28,
            "quantity": 12,
        },
        usage=None,
        cause={
            "change_id": "01a20d70-0a11-7c2d-8d8e-2b5c4f6a7b80",
            "kind": "quantity",
            "effective_on": "2026-04-03",
            "quantity": 12,
            "actor": "sales",
            "reason": "two new colleagues",
        },
        arithmetic="€10.08 × 28 of 30 days × 12 = €112.89, truncated; tax of 19.00 % €21.45; €134.34",
        credits=[
            {
                "credit_note_id": "01a20d65-4d12-7a13-8b5f-7d2e3f9c8a51",
                "number": "GS-DE-CN-00000001",
                "reason_code": "proration",
                "amount_minor": 2239,
                "settles": [
                    {
                        "charge_id": "01a20d71-3c2e-7f90-9a41-6b5d4e3c2a19",
                        "kind": "reversal",
                        "net_minor": -1882,
                        "change_id": "01a20d71-2b1d-7e8f-8930-5a4c3d2b1908",
                        "reason": "two colleagues fewer",
                        "arithmetic": "€10.08 × 28 of 30 days × -2 = -€18.81, truncated",
                    }
                ],
            }
        ],
    )

    invoice_number: str
    line: int
    description: str
    currency: str
    net_minor: int
    tax_minor: int
    tax_rate_bp: int | None
    amount_minor: int
    collectable_minor: int | None
    tax_calculator: Literal["rates", "outside"] | None
    tax_request_id: UUID | None
    price: PriceOut | None
    period: ChargedPeriodOut | None
    usage: UsageSumOut | None
    cause: ChargeCauseOut | None
    arithmetic: str
    credits: list[LineCreditOut]

    @classmethod
    def from_explained_line(cls, row: asyncpg.Record, credits: Iterable[asyncpg.Record]) -> Self:
        """The answer for a line with all that it comes from, and for its credit notes by charge that they settle."""
        charged = row["charge_id"] is not None
        return cls(
            invoice_number=row["number"],
            **{name: row[name] for name in _OWN},
            tax_calculator=_calculator(row),
            price=_price(row) if charged else None,
            period=_period(row) if charged else None,
            usage=_usage(row) if row["meter"] else None,
            cause=_cause(row) if row["change_kind"] else None,
            arithmetic=_arithmetic(row),
            credits=[
                _build_line_credit(list(rows), row["currency"])
                for _, rows in groupby(credits, key=itemgetter("number"))
            ],
        )


_OWN = (
    "line",
    "description",
    "currency",
    "net_minor",
    "tax_minor",
    "tax_rate_bp",
    "amount_minor",
    "collectable_minor",
    "tax_request_id",
)


def _calculator(row: asyncpg.Record) -> Literal["rates", "outside"] | None:
    if row["tax_request_id"] is not None:
        return "outside"
    return None if row["tax_rate_bp"] is None else "rates"


def _price(row: asyncpg.Record) -> PriceOut:
    return PriceOut(
        plan_id=row["plan_id"],
        plan=row["plan"],
        version=row["version"],
        in_force_from=row["effective_from"],
        unit_price_minor=row["unit_price_minor"],
    )


def _period(row: asyncpg.Record) -> ChargedPeriodOut:
    return ChargedPeriodOut(
        cycle_from=row["cycle_from"],
        cycle_to=row["cycle_to"],
        cycle_days=BillingCycle(row["cycle_from"], row["cycle_to"]).cycle_day_count,
        period_from=row["period_from"],
        period_to=row["period_to"],
        days=BillingCycle(row["period_from"], row["period_to"]).cycle_day_count,
        quantity=row["quantity"],
    )


def _usage(row: asyncpg.Record) -> UsageSumOut:
    return UsageSumOut(meter=row["meter"], lines=row["usage_lines"], quantity=f"{row['used'].normalize():f}")


def _cause(row: asyncpg.Record) -> ChargeCauseOut:
    return ChargeCauseOut(
        change_id=row["reference"],
        kind=row["change_kind"],
        effective_on=row["effective_on"],
        quantity=row["change_quantity"],
        actor=row["actor"],
        reason=row["reason"],
    )


def _build_line_credit(rows: Sequence[asyncpg.Record], currency: str) -> LineCreditOut:
    first = rows[0]
    return LineCreditOut(
        **{name: first[name] for name in ("credit_note_id", "number", "reason_code", "amount_minor")},
        settles=[_build_settled_charge(row, currency) for row in rows if row["charge_id"] is not None],
    )


def _build_settled_charge(row: asyncpg.Record, currency: str) -> SettledChargeOut:
    return SettledChargeOut(
        **{name: row[name] for name in ("charge_id", "kind", "net_minor", "change_id", "reason")},
        arithmetic=_product(row, row["elsewhere_minor"], currency),
    )


def _arithmetic(row: asyncpg.Record) -> str:
    def as_money(minor: int) -> str:
        return str(Money(minor, row["currency"]))

    tax = ""
    rate = "" if row["tax_rate_bp"] is None else f" of {row['tax_rate_bp'] / 100:.2f} %"
    if calculator := _calculator(row):
        source = ", as the outside tax calculator says" if calculator == "outside" else ""
        tax = f"; tax{rate} {as_money(row['tax_minor'])}{source}; {as_money(row['amount_minor'])}"
    if row["charge_id"] is None:
        included = f", of which tax{rate} {as_money(row['tax_minor'])}" if calculator else ""
        return f"posted as {as_money(row['amount_minor'])}{included}"
    if row["meter"] and (used := _usage(row)):
        return f"{used.lines} lines of usage of {used.meter}, {used.quantity} in all: {as_money(row['net_minor'])}{tax}"
    return f"{_product(row, row['elsewhere_minor'], row['currency'])}{tax}"


def _product(row: asyncpg.Record, elsewhere: int, currency: str) -> str:
    """Compute what a charge costs; `elsewhere`: what of it is in another document."""
    period = _period(row)
    exact = row["unit_price_minor"] * period.days * period.quantity % period.cycle_days == 0
    net = Money(row["net_minor"], currency)
    return (
        f"{Money(row['unit_price_minor'], currency)} × {period.days} of {period.cycle_days} days × {period.quantity}"
        f" = {Money(row['net_minor'] + elsewhere, currency)}{'' if exact else ', truncated'}"
        f"{f', of which {net} here' if elsewhere else ''}"
    )


@reads.get("/{invoice_id}/lines/{line}/explanation", summary="Where a line of an invoice comes from")
async def explain_invoice_line(invoice_id: UUID, line: LineNumber, read: Read) -> ExplanationOut:
    """Price version, days, quantity, the change that caused it, the arithmetic, and what was credited since."""

    async def load_line_explanation(unit: Unit) -> ExplanationOut:
        row = await explanations_repository.get_explained_invoice_line(unit, invoice_id, line)
        credits = await explanations_repository.list_credits_on_line(unit, invoice_id, line)
        return ExplanationOut.from_explained_line(row, credits)

    return await read(load_line_explanation)
