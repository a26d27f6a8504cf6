"""Queries of what a customer owes us beside what we owe the vendor for it: of one account, or of all."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.invoicing.receivables.repository.line_amounts import BALANCES_WITH_OPEN_MINOR, COMPUTE_DISPUTED_MINOR
from shared.persistence.database import Unit

_OWED = f"""
SELECT i.currency, sum(b.open_minor) AS open_minor,
    coalesce(sum(b.open_minor) FILTER (WHERE s.overdue_at IS NOT NULL), 0) AS overdue_minor,
    sum({COMPUTE_DISPUTED_MINOR}) AS disputed_minor
FROM invoice_states s
JOIN invoices i ON i.id = s.invoice_id
JOIN {BALANCES_WITH_OPEN_MINOR} b
    ON b.invoice_id = s.invoice_id
WHERE s.open_minor > 0 AND ($1::uuid IS NULL OR s.account_id = $1)
GROUP BY i.currency ORDER BY i.currency
"""
_UNPAID_OF_ALL = """
SELECT due_date, currency, sum(total_minor) AS total_minor FROM vendor_invoices
WHERE state = 'received' AND $1::uuid IS NULL GROUP BY due_date, currency ORDER BY due_date, currency
"""
_UNPAID_OF_ACCOUNT = """
SELECT v.due_date, v.currency, sum(l.total_minor) AS total_minor
FROM reconciliation_lines l
JOIN reconciliations r ON r.id = l.reconciliation_id AND r.replaced_at IS NULL
JOIN vendor_invoices v ON v.id = r.vendor_invoice_id AND v.state = 'received'
WHERE l.account_id = $1
GROUP BY v.due_date, v.currency ORDER BY v.due_date, v.currency
"""
_CONTESTED_OF_ALL = """
SELECT v.currency, sum(c.contested_minor) AS contested_minor
FROM contested_amounts c JOIN vendor_invoices v ON v.id = c.vendor_invoice_id AND v.state = 'received'
WHERE c.ended_at IS NULL AND $1::uuid IS NULL GROUP BY v.currency ORDER BY v.currency
"""
_ACCRUED = """
SELECT currency, sum(amount_minor) AS accrued_minor FROM vendor_charges
WHERE $1::uuid IS NULL OR account_id = $1 GROUP BY currency ORDER BY currency
"""
COMPUTE_VENDOR_COMMITMENT = """t.vendor_unit_cost_minor * t.quantity * (
            (extract(year FROM t.term_end) - extract(year FROM t.vendor_next_from)) * 12
            + extract(month FROM t.term_end) - extract(month FROM t.vendor_next_from)
        )::int / t.vendor_period_months"""
"""`compute_vendor_commitment` of the domain, over `terms t` of which `IS_TERM_COMMITTED`; in whole months."""
IS_TERM_COMMITTED = "t.ended_on IS NULL AND t.vendor_next_from < t.term_end"
"""Condition under which the vendor will charge more of `terms t`."""
_COMMITTED = f"""
SELECT vendor_currency AS currency, sum(rest) AS committed_minor,
    coalesce(sum(rest) FILTER (WHERE NOT bills_on), 0) AS stopped_by_suspension_minor, max(term_end) AS until
FROM (
    SELECT t.vendor_currency, t.term_end, v.vendor_bills_while_suspended AS bills_on,
        {COMPUTE_VENDOR_COMMITMENT} AS rest
    FROM terms t JOIN plan_versions v USING (plan_id, version)
    WHERE {IS_TERM_COMMITTED} AND ($1::uuid IS NULL OR t.account_id = $1)
) AS terms
GROUP BY vendor_currency ORDER BY vendor_currency
"""
_BILLED = """
SELECT i.currency, sum(l.net_minor) AS billed_minor FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id
WHERE $1::uuid IS NULL OR l.account_id = $1 GROUP BY i.currency ORDER BY i.currency
"""


def _as_integers(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read sums, which may be more than 64 bits hold, as integers."""
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}


async def sum_exposure_parts(unit: Unit, account_id: UUID | None) -> dict[str, list[dict[str, Any]]]:
    """Each part by currency, in minor units; of one account, or of all of them.

    What the vendor has billed is an account's by the lines of the reconciliation; for all it is its whole invoices,
    reconciled or not, with lines of nobody's too. What is contested of those is in all, and of no account.
    """
    queries = {
        "owed_to_us": _OWED,
        "vendor_invoices": _UNPAID_OF_ALL if account_id is None else _UNPAID_OF_ACCOUNT,
        "vendor_accrued": _ACCRUED,
        "vendor_committed": _COMMITTED,
        "billed": _BILLED,
    }
    if account_id is None:
        queries["vendor_contested"] = _CONTESTED_OF_ALL
    return {
        name: [_as_integers(row) for row in await unit.connection.fetch(query, account_id)]
        for name, query in queries.items()
    }
