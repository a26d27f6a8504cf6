"""The reconciliations of vendor invoices: which file is the current one, and what it came to."""

import dataclasses
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.invoicing.files.repository import PATIENCE
from services.invoicing.vendor_costs.domain.line_verdicts import ReconciliationVerdictSum, Verdict
from services.invoicing.vendor_costs.repository import customer_sum_queries
from services.invoicing.vendor_costs.tables import ReconciliationRow
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit


async def find_reconciliation(unit: Unit, invoice_id: UUID) -> ReconciliationRow | None:
    """The reconciliation of a vendor invoice that was not replaced."""
    query = select(ReconciliationRow).where(
        ReconciliationRow.vendor_invoice_id == invoice_id, col(ReconciliationRow.replaced_at).is_(None)
    )
    return (await unit.session.exec(query)).first()


async def list_reconciliation_verdict_sums(unit: Unit, reconciliation_id: UUID) -> list[ReconciliationVerdictSum]:
    """The sums of a reconciliation by verdict, in the order of the verdicts."""
    rows = await unit.connection.fetch(
        "SELECT verdict, comparisons, lines, billed_minor, expected_minor FROM reconciliation_sums"
        " WHERE reconciliation_id = $1",
        reconciliation_id,
    )
    rows_by_verdict = {row["verdict"]: row for row in rows}
    billed = await customer_sum_queries.list_customer_billed_sums(unit, reconciliation_id)
    verdict_sums = [
        ReconciliationVerdictSum(verdict, *list(rows_by_verdict[verdict])[1:])
        for verdict in Verdict
        if verdict in rows_by_verdict
    ]
    return [
        dataclasses.replace(verdict_sum, billed_to_customers=tuple(billed.get(verdict_sum.verdict, ())))
        for verdict_sum in verdict_sums
    ]


async def insert_reconciliation(unit: Unit, row: ReconciliationRow) -> None:
    """Write a reconciliation, which its lines and differences refer to."""
    unit.session.add(row)
    await unit.session.flush()


async def insert_reconciliation_verdict_sums(
    unit: Unit, reconciliation_id: UUID, verdict_sums: Iterable[ReconciliationVerdictSum]
) -> None:
    """Write what it came to."""
    verdict_sums = list(verdict_sums)
    rows = [
        (
            verdict_sum.verdict,
            verdict_sum.comparisons,
            verdict_sum.lines,
            verdict_sum.billed_minor,
            verdict_sum.expected_minor,
        )
        for verdict_sum in verdict_sums
    ]
    await unit.connection.execute(
        "INSERT INTO reconciliation_sums (reconciliation_id, verdict, comparisons, lines, billed_minor, expected_minor)"
        " SELECT $1, * FROM unnest($2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[])",
        reconciliation_id,
        *split_into_columns(rows, 5),
    )
    await customer_sum_queries.insert_customer_billed_sums(
        unit,
        reconciliation_id,
        ((verdict_sum.verdict, verdict_sum.billed_to_customers) for verdict_sum in verdict_sums),
    )


async def has_decided_vendor_differences(unit: Unit, reconciliation_id: UUID) -> bool:
    """Whether a person has decided about a difference of it."""
    decided: bool = await unit.connection.fetchval(
        "SELECT EXISTS (SELECT FROM vendor_differences WHERE reconciliation_id = $1 AND state = 'decided')",
        reconciliation_id,
    )
    return decided


async def delete_replaced_reconciliation(unit: Unit, reconciliation_id: UUID, actor: str, reason: str) -> None:
    """Remove the lines and differences of a reconciliation; that it was, and who replaced it and why, stays."""
    for table in ("reconciliation_lines", "vendor_differences"):
        await unit.connection.execute(
            f"DELETE FROM {table} WHERE reconciliation_id = $1", reconciliation_id, timeout=PATIENCE
        )
    await unit.connection.execute(
        "UPDATE reconciliations SET replaced_at = $2, replaced_by = $3, replaced_why = $4 WHERE id = $1",
        reconciliation_id,
        unit.now,
        actor,
        reason,
    )


_CREDITS = """
SELECT id AS difference_id, vendor_customer_id, vendor_subscription_id, -billed_minor AS amount_minor
FROM vendor_differences
WHERE reconciliation_id = $1 AND lower(charge_type) = 'customercredit' AND billed_minor < 0 ORDER BY id
"""


async def list_vendor_credit_lines(unit: Unit, reconciliation_id: UUID) -> Sequence[asyncpg.Record]:
    """List what the vendor credits by a reconciliation (minor units, without tax), in the order of its file."""
    rows: Sequence[asyncpg.Record] = await unit.connection.fetch(_CREDITS, reconciliation_id)
    return rows
