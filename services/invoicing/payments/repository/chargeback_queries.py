"""Chargebacks, their lines and reasons, and what of a payment is with the card network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlmodel import select

from services.invoicing.payments.domain.chargebacks import ChargebackState, ChargedBackPart
from services.invoicing.payments.repository import allocation_queries
from services.invoicing.payments.tables.chargeback_tables import ChargebackReasonRow, ChargebackRow
from services.invoicing.receivables.domain.invoice_balances import Allocation
from shared.persistence.bulk_rows import Integer, RowParameters
from shared.persistence.coded_lists import find_coded_row, list_coded_rows, put_coded_row
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class ChargebackSearchCriteria:
    """Criteria of the chargebacks that are wanted; None is any. Before `answer_before` open ones are to be answered."""

    state: str | None = None
    account_id: UUID | None = None
    payment_id: UUID | None = None
    answer_before: date | None = None


async def list_chargeback_reasons(unit: Unit) -> Sequence[ChargebackReasonRow]:
    """List the reasons of chargebacks by their codes."""
    return await list_coded_rows(unit, ChargebackReasonRow)


async def find_chargeback_reason(unit: Unit, code: str) -> ChargebackReasonRow | None:
    """Find a reason as it is now."""
    return await find_coded_row(unit, ChargebackReasonRow, code)


async def put_chargeback_reason_row(unit: Unit, row: ChargebackReasonRow) -> dict[str, Any] | None:
    """Write a reason, new or changed; return the values of the one that it replaces."""
    return await put_coded_row(unit, row)


async def get_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow:
    """Get a chargeback as it is now. Raises NotFound."""
    row = await unit.session.get(ChargebackRow, chargeback_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no chargeback {chargeback_id}")
    return row


async def find_chargeback_by_reference(unit: Unit, network_reference: str) -> ChargebackRow | None:
    """Find the chargeback that the network calls so."""
    query = select(ChargebackRow).where(ChargebackRow.network_reference == network_reference)
    return (await unit.session.exec(query)).first()


async def has_open_chargeback(unit: Unit, payment_id: UUID) -> bool:
    """Say whether the network has a part of the payment and has not decided about it."""
    query = "SELECT EXISTS (SELECT FROM chargebacks WHERE payment_id = $1 AND state = 'open')"
    return bool(await unit.connection.fetchval(query, payment_id))


async def load_charged_back_part(unit: Unit, row: ChargebackRow) -> ChargedBackPart:
    """Load what a chargeback took."""
    return (await load_charged_back_parts(unit, [row]))[row.id]


async def load_charged_back_parts(unit: Unit, rows: Sequence[ChargebackRow]) -> Mapping[UUID, ChargedBackPart]:
    """Load what chargebacks took, by their ids."""
    lines = await unit.connection.fetch(
        "SELECT chargeback_id, invoice_id, line, amount_minor, is_recovery FROM chargeback_lines"
        " WHERE chargeback_id = ANY($1::uuid[]) ORDER BY chargeback_id, invoice_id, line, is_recovery",
        [row.id for row in rows],
    )
    payments = {row.id: row.payment_id for row in rows}
    allocations: dict[UUID, list[Allocation]] = {row.id: [] for row in rows}
    for chargeback_id, *fields in lines:
        allocations[chargeback_id].append(Allocation(payments[chargeback_id], *fields))
    return {row.id: ChargedBackPart(tuple(allocations[row.id]), row.cash_minor) for row in rows}


class OpenedChargeback(NamedTuple):
    """A row of `chargebacks` as it is opened."""

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
    state: str
    opened_at: datetime
    network_fee_minor: int | None


class ChargebackLine(NamedTuple):
    """An amount that a chargeback took from a line."""

    invoice_id: UUID
    line: Integer
    amount_minor: int
    is_recovery: bool


_OPENED = RowParameters(OpenedChargeback)
_LINES = RowParameters(ChargebackLine, first=_OPENED.next)
_INSERT = f"""
WITH chargeback AS (
    INSERT INTO chargebacks ({_OPENED.columns}) VALUES ({_OPENED.values}) ON CONFLICT (network_reference) DO NOTHING
    RETURNING id, account_id
), lines AS (
    INSERT INTO chargeback_lines (chargeback_id, account_id, {_LINES.columns})
    SELECT c.id, c.account_id, n.* FROM chargeback c, unnest({_LINES.typed_arrays}) AS n ({_LINES.columns})
)
SELECT id FROM chargeback
"""


async def insert_chargeback(unit: Unit, row: ChargebackRow, part: ChargedBackPart) -> bool:
    """Write a chargeback with what it took; whether nobody did under the same reference meanwhile."""
    lines = [ChargebackLine(paid.invoice_id, paid.line, paid.amount, paid.is_recovery) for paid in part.allocations]
    return await unit.connection.fetchval(_INSERT, *_OPENED.pick_row(row), *_LINES.split_columns(lines)) is not None


async def save_chargeback_decision(unit: Unit, chargeback_id: UUID, state: ChargebackState) -> None:
    """Write what the network decided."""
    await unit.connection.execute(
        "UPDATE chargebacks SET state = $2, decided_at = $3 WHERE id = $1", chargeback_id, state.value, unit.now
    )


_MOVE_CASH = """
UPDATE payments SET unapplied_minor = unapplied_minor - $2, charged_back_minor = charged_back_minor + $2 WHERE id = $1
"""


async def take_chargeback_from_payment(unit: Unit, payment_id: UUID, part: ChargedBackPart, amount_minor: int) -> None:
    """Take an amount out of a payment: it pays what it took no more, and the network has it."""
    await allocation_queries.reduce_freed_allocations(unit, part.allocations)
    await unit.connection.execute(_MOVE_CASH, payment_id, amount_minor)


async def return_chargeback_to_payment(unit: Unit, payment_id: UUID, amount_minor: int) -> None:
    """Return an amount from the network to a payment, as unapplied cash."""
    await unit.connection.execute(_MOVE_CASH, payment_id, -amount_minor)


_LIST = """
SELECT id, account_id, payment_id, network_reference, reason_code, amount_minor, cash_minor, currency, booked_on,
    answer_by, state, opened_at, decided_at, network_fee_minor
FROM chargebacks
"""


def build_chargeback_search(
    criteria: ChargebackSearchCriteria, after: UUID | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of ids, and its arguments."""
    conditions = (
        ("state = {}", criteria.state),
        ("account_id = {}", criteria.account_id),
        ("payment_id = {}", criteria.payment_id),
        ("answer_by < {}", criteria.answer_before),
        ("id > {}", after),
    )
    always = ["state = 'open'"] if criteria.answer_before else []
    return build_list_query(_LIST, conditions, "id", limit, always)


async def search_chargebacks(
    unit: Unit, criteria: ChargebackSearchCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Find chargebacks in the order of their ids, after this one."""
    query, arguments = build_chargeback_search(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]
