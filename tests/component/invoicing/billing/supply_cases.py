"""Charges of supplies in every state that a statement meets, and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
from hypothesis import strategies as st

from tests.component.shadow_tables import hide_tables, insert_rows

TABLES = (
    "charges",
    "invoices",
    "invoice_lines",
    "line_balances",
    "credit_notes",
    "credit_note_lines",
    "drafts",
    "draft_lines",
    "credited_charges",
)
ACCOUNT = UUID(int=1)
INVOICES = [UUID(int=number) for number in (11, 12)]
DRAFTS = {UUID(int=21): 5000, UUID(int=22): -5000}
"""The total of each draft."""
CYCLES = [(date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 2, 1), date(2026, 3, 1))]
KINDS_OF_OTHERS = ("setup", "usage", "vendor_difference")
BILL = UUID(int=31)


@dataclass(frozen=True)
class Reduction:
    """Amounts taken off a line, with tax; `by_runs` of what was credited."""

    credited: int
    written_off: int
    by_runs: int


@dataclass(frozen=True)
class Case:
    """A charge: its supply, its amounts without tax, and its line, if it has one."""

    subscription_id: UUID
    kind: str
    cycle: tuple[date, date]
    second: int
    """When it was charged."""
    net: int
    settled: int
    lapsed: int
    document_id: UUID | None
    tax: int
    reduction: Reduction
    is_settled_by_credits: bool
    withheld: int = 0
    """So much less is collected for its line, since a reversal stands beside it."""

    @property
    def collectable_minor(self) -> int:
        """Amount that is collected for its line; nothing for a reversal's."""
        return max(0, self.line_minor - self.withheld)

    @property
    def supply(self) -> tuple[UUID, str, tuple[date, date]]:
        return self.subscription_id, self.kind if self.kind in KINDS_OF_OTHERS else "cycle", self.cycle

    @property
    def line_minor(self) -> int:
        """Amount of its line, with tax."""
        return self.net - self.settled - self.lapsed + self.tax

    @property
    def credit_tax_minor(self) -> int:
        """Tax of what credit notes settled."""
        return self.settled // 5

    @property
    def is_reduced(self) -> bool:
        return self.document_id in INVOICES and self.reduction.credited + self.reduction.written_off > 0


@st.composite
def draw_case(draw: st.DrawFn) -> Case:
    """Draw a charge or a reversal; only what has an amount above 0 on an invoice is reduced."""
    kind = draw(st.sampled_from(["cycle", "reversal", "reversal", "change", *KINDS_OF_OTHERS]))
    subscription_id = draw(st.sampled_from([UUID(int=41), UUID(int=41), UUID(int=42)]))
    cycle = draw(st.sampled_from([CYCLES[0], CYCLES[0], CYCLES[1]]))
    document_id = draw(st.sampled_from([None, None, *INVOICES, *INVOICES, *DRAFTS]))
    return _draw_amounts(draw, subscription_id, kind, cycle, document_id)


@st.composite
def draw_forgiven_case(draw: st.DrawFn) -> Case:
    """Draw a charge on an invoice or a pending reversal, all of one supply: much is forgiven, much is reversed."""
    kind = draw(st.sampled_from(["cycle", "reversal"]))
    return _draw_amounts(draw, UUID(int=41), kind, CYCLES[0], None if kind == "reversal" else INVOICES[0])


def _draw_amounts(
    draw: st.DrawFn, subscription_id: UUID, kind: str, cycle: tuple[date, date], document_id: UUID | None
) -> Case:
    net = draw(st.one_of(st.integers(1, 50), st.integers(1, 10**12))) * (-1 if kind == "reversal" else 1)
    settled = draw(st.integers(net, 0)) if kind == "reversal" else 0
    lapsed = draw(st.integers(net - settled, 0)) if kind == "reversal" else 0
    line_net = net - settled - lapsed
    tax = draw(st.sampled_from([0, 1, line_net // 5, line_net // 3])) if line_net > 0 else line_net // 5
    gross = max(0, line_net + tax)
    credited = draw(st.one_of(st.sampled_from([0, gross]), st.integers(0, gross)))
    written_off = draw(st.one_of(st.just(0), st.integers(0, gross - credited)))
    by_runs = draw(st.one_of(st.just(0), st.integers(0, credited)))
    return Case(
        subscription_id,
        kind,
        cycle,
        draw(st.integers(0, 3)),
        net,
        settled,
        lapsed,
        document_id,
        tax,
        Reduction(credited, written_off, by_runs),
        draw(st.booleans()),
        draw(st.sampled_from([0, 0, 1, gross])),
    )


def get_charged_at(case: Case) -> datetime:
    """Get the instant of a charge; several may have the same."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=case.second)


async def stage_cases(connection: asyncpg.Connection, cases: Sequence[Case]) -> None:
    """Hide the tables of invoicing, and fill them with these charges, whose ids are their numbers, from 1."""
    await hide_tables(connection, TABLES)
    numbered = list(enumerate(cases, 1))
    await insert_rows(connection, "charges", [_build_charge(number, case) for number, case in numbered])
    await insert_rows(
        connection,
        "credited_charges",
        [
            {
                "account_id": ACCOUNT,
                "bill_id": BILL,
                "charge_id": UUID(int=number),
                "net_minor": case.settled,
                "tax_minor": case.credit_tax_minor,
            }
            for number, case in numbered
            if case.settled and case.is_settled_by_credits
        ],
    )
    await insert_rows(
        connection, "drafts", [{"id": draft_id, "total_minor": total} for draft_id, total in DRAFTS.items()]
    )
    await insert_rows(
        connection,
        "draft_lines",
        [
            {
                "draft_id": case.document_id,
                "charge_id": UUID(int=number),
                "net_minor": case.line_minor - case.tax,
                "tax_minor": case.tax,
            }
            for number, case in numbered
            if case.document_id in DRAFTS
        ],
    )
    await insert_rows(
        connection,
        "invoices",
        [{"id": invoice_id, "account_id": ACCOUNT, "number": str(invoice_id)} for invoice_id in INVOICES],
    )
    await _stage_invoice_lines(connection, [item for item in numbered if item[1].document_id in INVOICES])


def _build_charge(number: int, case: Case) -> dict[str, object]:
    return {
        "id": UUID(int=number),
        "account_id": ACCOUNT,
        "subscription_id": case.subscription_id,
        "kind": case.kind,
        "cycle_from": case.cycle[0],
        "cycle_to": case.cycle[1],
        "amount_minor": case.net,
        "settled_minor": case.settled,
        "lapsed_minor": case.lapsed,
        "invoice_id": case.document_id,
        "due_on": case.cycle[0],
        "currency": "EUR",
        "created_at": get_charged_at(case),
    }


async def _stage_invoice_lines(connection: asyncpg.Connection, billed: Sequence[tuple[int, Case]]) -> None:
    keys = [{"invoice_id": case.document_id, "line": number} for number, case in billed]
    await insert_rows(
        connection,
        "invoice_lines",
        [
            key | {"charge_id": UUID(int=number), "amount_minor": case.line_minor, "tax_minor": case.tax}
            for key, (number, case) in zip(keys, billed, strict=True)
        ],
    )
    await insert_rows(
        connection,
        "line_balances",
        [
            key
            | {
                "account_id": ACCOUNT,
                "amount_minor": case.collectable_minor,
                "credited_minor": case.reduction.credited,
                "written_off_minor": case.reduction.written_off,
            }
            for key, (_, case) in zip(keys, billed, strict=True)
        ],
    )
    notes = [
        (invoice_id, UUID(int=invoice_id.int + shift), bill_id)
        for invoice_id in INVOICES
        for shift, bill_id in ((100, BILL), (200, None))
    ]
    await insert_rows(
        connection,
        "credit_notes",
        [
            {"id": note_id, "account_id": ACCOUNT, "invoice_id": invoice_id, "bill_id": bill_id}
            for invoice_id, note_id, bill_id in notes
        ],
    )
    await insert_rows(
        connection,
        "credit_note_lines",
        [
            {
                "credit_note_id": note_id,
                "line": number,
                "amount_minor": case.reduction.by_runs if bill_id else case.reduction.credited - case.reduction.by_runs,
            }
            for number, case in billed
            for invoice_id, note_id, bill_id in notes
            if invoice_id == case.document_id
        ],
    )
