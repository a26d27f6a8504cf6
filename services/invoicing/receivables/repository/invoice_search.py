"""Invoices by what people ask for, and one invoice with its lines and what paid it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.invoicing.receivables.repository.charge_columns import CHARGE_COLUMNS, USAGE_JOIN
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

STATE_CONDITIONS = {
    "open": "s.open_minor > 0 AND s.overdue_at IS NULL",
    "overdue": "s.open_minor > 0 AND s.overdue_at IS NOT NULL",
    "closed": "s.open_minor = 0",
}
"""Conditions by which invoices of a state are found: those that `compute_invoice_state` of the domain says."""


@dataclass(frozen=True, slots=True)
class InvoiceSearchCriteria:
    """Criteria of the invoices that are wanted; None is any. `due_from` and `due_to` are inclusive."""

    account_id: UUID | None = None
    number: str | None = None
    external_reference: str | None = None
    legal_entity: str | None = None
    state: str | None = None
    due_from: date | None = None
    due_to: date | None = None
    updated_since: datetime | None = None

    def list_invoice_conditions(self) -> list[tuple[str, Any]]:
        """List the comparisons that are asked for, each with one value.

        Numbers begin with the code of their legal entity, by which the index of numbers finds them.
        """
        compared = (
            ("i.account_id =", self.account_id),
            ("i.legal_entity =", self.legal_entity if self.number is None else self.number.rpartition("-")[0]),
            ("i.number =", self.number),
            ("i.legal_entity =", None if self.number is None else self.legal_entity),
            ("i.external_reference =", self.external_reference),
            ("i.due_date >=", self.due_from),
            ("i.due_date <=", self.due_to),
            ("s.changed_at >=", self.updated_since),
        )
        return [(comparison, value) for comparison, value in compared if value is not None]


COMPUTE_INVOICE_STATE = (
    "CASE WHEN s.open_minor = 0 THEN 'closed' WHEN s.overdue_at IS NULL THEN 'open' ELSE 'overdue' END"
)
"""`compute_invoice_state` of the domain, over `invoice_states s`."""
_HEAD = f"""
SELECT i.id, i.account_id, i.legal_entity, i.number, i.external_reference, i.currency, i.issue_date, i.due_date,
    i.total_minor, i.issued_at, s.open_minor, s.changed_at AS updated_at, {COMPUTE_INVOICE_STATE} AS state
FROM invoices i JOIN invoice_states s ON s.invoice_id = i.id
"""


def build_invoice_search(criteria: InvoiceSearchCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of ids, and its arguments; it names only what is asked for."""
    conditions = criteria.list_invoice_conditions()
    if after is not None:
        conditions.append(("i.id >", after))
    clauses = [f"{comparison} ${place}" for place, (comparison, _) in enumerate(conditions, 1)]
    if criteria.state is not None:
        clauses.append(STATE_CONDITIONS[criteria.state])
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    return f"{_HEAD} {where}ORDER BY i.id LIMIT ${len(conditions) + 1}", [*(value for _, value in conditions), limit]


async def search_invoices(
    unit: Unit, criteria: InvoiceSearchCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Find invoices in the order of their ids, after this one."""
    query, arguments = build_invoice_search(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


_LINES = f"""
SELECT l.line, l.description, {CHARGE_COLUMNS},
    l.net_minor, l.tax_minor, l.tax_rate_bp, coalesce(l.tax_class, p.tax_class) AS tax_class, l.amount_minor,
    l.subscription_id
FROM invoice_lines l LEFT JOIN charges c ON c.id = l.charge_id LEFT JOIN plans p ON p.id = c.plan_id
{USAGE_JOIN}
WHERE l.invoice_id = $1 ORDER BY l.line
"""
_ALLOCATIONS = """
SELECT a.payment_id, a.invoice_id, i.number, a.line, a.amount_minor, a.is_recovery, a.allocated_at, a.reversed_at
FROM allocations a JOIN invoices i ON i.id = a.invoice_id
WHERE a.{column} = $1 ORDER BY a.allocated_at, i.number, a.line, a.id
"""


@dataclass(frozen=True, slots=True)
class InvoiceWithAllocations:
    """An invoice with its lines and what of payments went to them; amounts in minor units of its currency."""

    head: asyncpg.Record
    lines: list[asyncpg.Record]
    allocations: list[asyncpg.Record]


async def get_invoice_details(unit: Unit, invoice_id: UUID) -> InvoiceWithAllocations:
    """Read an invoice whole. Raises NotFound."""
    head = await unit.connection.fetchrow(f"{_HEAD} WHERE i.id = $1", invoice_id)
    if head is None:
        raise NotFound(f"there is no invoice {invoice_id}")
    lines = await unit.connection.fetch(_LINES, invoice_id)
    allocations = await unit.connection.fetch(_ALLOCATIONS.format(column="invoice_id"), invoice_id)
    return InvoiceWithAllocations(head, lines, allocations)


async def list_allocation_records(unit: Unit, payment_id: UUID) -> list[asyncpg.Record]:
    """List what of a payment went to which lines, in the order in which it did."""
    return await unit.connection.fetch(_ALLOCATIONS.format(column="payment_id"), payment_id)  # type: ignore[no-any-return]
