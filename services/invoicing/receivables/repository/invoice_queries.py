"""Issued invoices and their balances."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import asyncpg
from sqlmodel import select

from services.invoicing.receivables.domain.invoice_balances import Invoice, InvoiceLine
from services.invoicing.receivables.tables import InvoiceRow
from shared.persistence.bulk_rows import Integer, RowParameters, split_into_columns
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

_TAX_OF = "SELECT line, amount_minor, tax_minor FROM invoice_lines WHERE invoice_id = $1"


async def map_taxed_line_amounts(unit: Unit, invoice_id: UUID) -> dict[int, tuple[int, int]]:
    """The amount of each line of an invoice, and the tax in it."""
    rows = await unit.connection.fetch(_TAX_OF, invoice_id)
    return {row["line"]: (row["amount_minor"], row["tax_minor"]) for row in rows}


async def get_invoice(unit: Unit, invoice_id: UUID) -> InvoiceRow:
    """The issued document. Raises NotFound."""
    row = await unit.session.get(InvoiceRow, invoice_id)
    if row is None:
        raise NotFound(f"there is no invoice {invoice_id}")
    return row


async def is_invoice_reference_taken(unit: Unit, account_id: UUID, reference: str) -> bool:
    """Whether the account has an invoice with this external reference."""
    query = select(InvoiceRow.id).where(InvoiceRow.account_id == account_id, InvoiceRow.external_reference == reference)
    return (await unit.session.exec(query)).first() is not None


_INVOICES = """
SELECT i.id, i.account_id, i.number, i.currency, i.due_date, s.overdue_at, s.judge_at,
       l.line, l.subscription_id, b.amount_minor, b.paid_minor, b.credited_minor, b.reserved_minor,
       b.in_flight_minor, b.written_off_minor, b.charged_back_minor
FROM invoice_states s
JOIN invoices i ON i.id = s.invoice_id
JOIN invoice_lines l ON l.invoice_id = i.id
JOIN line_balances b ON b.invoice_id = l.invoice_id AND b.line = l.line
WHERE {which}
ORDER BY i.id, l.line
"""
_OPEN = _INVOICES.format(
    which="(s.account_id = ANY($1::uuid[]) AND s.open_minor > 0) OR s.invoice_id = ANY($2::uuid[])"
)
_DUE = _INVOICES.format(which="s.account_id = ANY($1::uuid[]) AND s.judge_at <= $2")


async def map_open_invoices(unit: Unit, account_id: UUID, also: Iterable[UUID] = ()) -> dict[UUID, Invoice]:
    """The open invoices of an account, and these of it, with the state of their lines."""
    return (await map_account_open_invoices(unit, [account_id], also)).get(account_id, {})


async def map_account_open_invoices(
    unit: Unit, account_ids: Iterable[UUID], also: Iterable[UUID] = ()
) -> dict[UUID, dict[UUID, Invoice]]:
    """The open invoices of these accounts, and these, with the state of their lines, by account."""
    invoices_by_account: dict[UUID, dict[UUID, Invoice]] = {}
    for invoice in _invoices(await unit.connection.fetch(_OPEN, list(account_ids), list(also))).values():
        invoices_by_account.setdefault(invoice.account_id, {})[invoice.id] = invoice
    return invoices_by_account


async def map_invoices_to_evaluate(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, Invoice]:
    """The invoices of these accounts whose being overdue is due to be judged."""
    return _invoices(await unit.connection.fetch(_DUE, account_ids, unit.now))


def _invoices(rows: Iterable[asyncpg.Record]) -> dict[UUID, Invoice]:
    return {id_: _invoice(list(lines)) for id_, lines in groupby(rows, key=lambda row: row["id"])}


def _invoice(rows: Sequence[asyncpg.Record]) -> Invoice:
    head = rows[0]
    lines = tuple(
        InvoiceLine(
            row["line"],
            row["subscription_id"],
            row["amount_minor"],
            row["paid_minor"],
            row["credited_minor"],
            row["reserved_minor"],
            row["in_flight_minor"],
            row["written_off_minor"],
            row["charged_back_minor"],
        )
        for row in rows
    )
    return Invoice(
        head["id"],
        head["account_id"],
        head["number"],
        head["currency"],
        head["due_date"],
        lines,
        head["overdue_at"],
        head["judge_at"],
    )


async def map_invoice_due_amounts(
    unit: Unit, invoices: Iterable[UUID], instants: Iterable[datetime]
) -> dict[UUID, int]:
    """Map each invoice to what was due of it at its instant (facts at that instant count)."""
    rows = await unit.connection.fetch(
        "SELECT DISTINCT ON (c.invoice_id) c.invoice_id, c.due_minor"
        " FROM unnest($1::uuid[], $2::timestamptz[]) AS asked (invoice_id, at)"
        " JOIN balance_changes c ON c.invoice_id = asked.invoice_id AND c.at <= asked.at"
        " ORDER BY c.invoice_id, c.sequence DESC",
        list(invoices),
        list(instants),
    )
    return {row["invoice_id"]: row["due_minor"] for row in rows}


class ManualInvoice(NamedTuple):
    """A row of `invoices` as it is issued by hand."""

    id: UUID
    account_id: UUID
    legal_entity: str
    number: str
    external_reference: str | None
    currency: str
    issue_date: date
    due_date: date
    total_minor: int
    issued_at: datetime


class ManualInvoiceLine(NamedTuple):
    """A line of an invoice by hand as it is issued; amounts in minor units, the rate in basis points.

    `tax_minor` is included in `amount_minor`.
    """

    line: Integer
    description: str
    amount_minor: int
    tax_minor: int
    tax_rate_bp: Integer | None
    subscription_id: UUID | None
    tax_class: str


_INVOICE = RowParameters(ManualInvoice)
_LINES = RowParameters(ManualInvoiceLine, first=_INVOICE.next)
_JUDGE_AT, _SEQUENCE = f"${_LINES.next}", f"${_LINES.next + 1}"
_ADD = f"""
WITH invoice AS (
    INSERT INTO invoices ({_INVOICE.columns}) VALUES ({_INVOICE.values})
), new AS (
    SELECT * FROM unnest({_LINES.typed_arrays}) AS new ({_LINES.columns})
), lines AS (
    INSERT INTO invoice_lines (invoice_id, line, account_id, description, net_minor, tax_minor, tax_rate_bp,
        amount_minor, subscription_id, tax_class)
    SELECT {_INVOICE["id"]}, line, {_INVOICE["account_id"]}, description, amount_minor - tax_minor, tax_minor,
        tax_rate_bp, amount_minor, subscription_id, tax_class
    FROM new
), balances AS (
    INSERT INTO line_balances (invoice_id, line, account_id, amount_minor, paid_minor, credited_minor,
        reserved_minor, in_flight_minor, written_off_minor, charged_back_minor)
    SELECT {_INVOICE["id"]}, line, {_INVOICE["account_id"]}, amount_minor, 0, 0, 0, 0, 0, 0 FROM new
), states AS (
    INSERT INTO invoice_states (invoice_id, account_id, open_minor, changed_at, overdue_at, judge_at)
    VALUES ({_INVOICE["id"]}, {_INVOICE["account_id"]}, {_INVOICE["total_minor"]}, {_INVOICE["issued_at"]}, NULL,
        {_JUDGE_AT})
)
INSERT INTO balance_changes (invoice_id, sequence, account_id, at, due_minor)
VALUES ({_INVOICE["id"]}, {_SEQUENCE}, {_INVOICE["account_id"]}, {_INVOICE["issued_at"]}, {_INVOICE["total_minor"]})
"""


async def insert_issued_invoice(
    unit: Unit, row: InvoiceRow, invoice: Invoice, lines: Sequence[ManualInvoiceLine], sequence: int
) -> None:
    """Write an issued invoice with its lines and their first state, which the event `sequence` announces."""
    await unit.connection.execute(
        _ADD, *_INVOICE.pick_row(row), *_LINES.split_columns(lines), invoice.judge_at, sequence
    )
    unit.wake_after_commit("sweeps")


class ChangedLine(NamedTuple):
    """Amounts of an invoice's line after a change, in minor units."""

    invoice_id: UUID
    line: Integer
    paid: int
    credited: int
    reserved: int
    in_flight: int
    written_off: int
    charged_back: int


class ChangedInvoice(NamedTuple):
    """An invoice after a change of its balance, with the sequence of the event that says so."""

    invoice_id: UUID
    open_minor: int
    overdue_at: datetime | None
    judge_at: datetime | None
    sequence: int
    account_id: UUID
    due_minor: int


_CHANGED_LINES = RowParameters(ChangedLine)
_CHANGED = RowParameters(ChangedInvoice, first=_CHANGED_LINES.next)
_CHANGED_AT = f"${_CHANGED.next}"
_SAVE = f"""
WITH lines AS (
    UPDATE line_balances b
    SET paid_minor = n.paid, credited_minor = n.credited, reserved_minor = n.reserved, in_flight_minor = n.in_flight,
        written_off_minor = n.written_off, charged_back_minor = n.charged_back
    FROM unnest({_CHANGED_LINES.typed_arrays}) AS n ({_CHANGED_LINES.columns})
    WHERE b.invoice_id = n.invoice_id AND b.line = n.line
), new AS (
    SELECT * FROM unnest({_CHANGED.typed_arrays}) AS n ({_CHANGED.columns})
), states AS (
    UPDATE invoice_states s
    SET open_minor = n.open_minor, changed_at = {_CHANGED_AT}, overdue_at = n.overdue_at, judge_at = n.judge_at
    FROM new n WHERE s.invoice_id = n.invoice_id
)
INSERT INTO balance_changes (invoice_id, sequence, account_id, at, due_minor)
SELECT invoice_id, sequence, account_id, {_CHANGED_AT}, due_minor FROM new
"""


async def save_invoice_balances(unit: Unit, changed: Mapping[UUID, tuple[Invoice, int]]) -> None:
    """Save invoices whose balance changed, each with the sequence of the event that says so."""
    if not changed:
        return
    lines = [_build_changed_line(invoice.id, line) for invoice, _ in changed.values() for line in invoice.lines]
    invoices = [
        ChangedInvoice(
            invoice_id=invoice.id,
            open_minor=invoice.open_minor,
            overdue_at=invoice.overdue_at,
            judge_at=invoice.judge_at,
            sequence=sequence,
            account_id=invoice.account_id,
            due_minor=invoice.due_minor,
        )
        for invoice, sequence in changed.values()
    ]
    await unit.connection.execute(
        _SAVE, *_CHANGED_LINES.split_columns(lines), *_CHANGED.split_columns(invoices), unit.now
    )
    unit.wake_after_commit("sweeps")


def _build_changed_line(invoice_id: UUID, line: InvoiceLine) -> ChangedLine:
    return ChangedLine(
        invoice_id=invoice_id,
        line=line.number,
        paid=line.paid,
        credited=line.credited,
        reserved=line.reserved,
        in_flight=line.in_flight,
        written_off=line.written_off,
        charged_back=line.charged_back,
    )


_SAVE_JUDGED = """
UPDATE invoice_states s SET overdue_at = n.overdue_at, judge_at = n.judge_at
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS n (invoice_id, overdue_at, judge_at)
WHERE s.invoice_id = n.invoice_id
"""


async def save_overdue_checks(unit: Unit, invoices: Iterable[Invoice]) -> None:
    """Save what was judged about being overdue; balances stay as they are."""
    rows = [(invoice.id, invoice.overdue_at, invoice.judge_at) for invoice in invoices]
    await unit.connection.execute(_SAVE_JUDGED, *split_into_columns(rows, 3))
