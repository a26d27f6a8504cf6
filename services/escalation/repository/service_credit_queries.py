"""Service credits, their types, and the credits of vendor invoices."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.escalation.tables import ServiceCreditRow, ServiceCreditTypeRow, VendorCreditRow
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.coded_lists import find_coded_row, list_coded_rows, put_coded_row
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound


async def list_service_credit_types(unit: Unit) -> Sequence[ServiceCreditTypeRow]:
    """List the types of service credits by their codes."""
    return await list_coded_rows(unit, ServiceCreditTypeRow)


async def find_service_credit_type(unit: Unit, code: str) -> ServiceCreditTypeRow | None:
    """Find a type of service credits as it is now."""
    return await find_coded_row(unit, ServiceCreditTypeRow, code)


async def put_credit_type_row(unit: Unit, row: ServiceCreditTypeRow) -> dict[str, Any] | None:
    """Write a type of service credits, new or changed; return the values of the one that it replaces."""
    return await put_coded_row(unit, row)


async def get_service_credit(unit: Unit, service_credit_id: UUID) -> ServiceCreditRow:
    """Get a service credit as it is in the database now. Raises NotFound."""
    row = await unit.session.get(ServiceCreditRow, service_credit_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no service credit {service_credit_id}")
    return row


async def save_service_credit(unit: Unit, row: ServiceCreditRow) -> None:
    """Write a service credit, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def list_service_credits(
    unit: Unit, account_id: UUID | None, case_id: UUID | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[ServiceCreditRow]:
    """List service credits in the order of their ids, after this one."""
    return await list_rows_after(
        unit, ServiceCreditRow, after, limit, account_id=account_id, case_id=case_id, state=state
    )


async def list_urgent_service_credits(unit: Unit, until: date, limit: int) -> Sequence[ServiceCreditRow]:
    """List the drafts whose last day comes by a day, the most urgent first."""
    query = select(ServiceCreditRow).where(ServiceCreditRow.state == "draft", col(ServiceCreditRow.last_day) <= until)
    return (
        await unit.session.exec(query.order_by(col(ServiceCreditRow.last_day), col(ServiceCreditRow.id)).limit(limit))
    ).all()


async def list_due_service_credits(
    unit: Unit, account_ids: Sequence[UUID], until: datetime
) -> Sequence[ServiceCreditRow]:
    """List the service credits of accounts of which something is to be announced by an instant."""
    query = select(ServiceCreditRow).where(
        col(ServiceCreditRow.wake_at) <= until, col(ServiceCreditRow.account_id).in_(account_ids)
    )
    return (await unit.session.exec(query.order_by(col(ServiceCreditRow.id)))).all()


UNMATCHED = "service_credit_id IS NULL AND set_aside_at IS NULL"
"""The condition of credits of the vendor's that wait for somebody."""
_SAVE_CREDITS = """
INSERT INTO vendor_credits (difference_id, vendor_invoice_id, reconciliation_id, vendor_customer_id,
    vendor_subscription_id, currency, amount_minor, received_at)
SELECT difference_id, $1, $2, customer, subscription, $3, amount, $4
FROM unnest($5::uuid[], $6::text[], $7::text[], $8::bigint[]) AS c (difference_id, customer, subscription, amount)
ON CONFLICT (difference_id) DO NOTHING
"""


async def save_vendor_credits(
    unit: Unit,
    invoice_id: UUID,
    reconciliation_id: UUID,
    currency: str,
    credits: Sequence[tuple[UUID, str | None, str | None, int]],
) -> None:
    """Keep the credits of a vendor invoice; those of a former file of it that nobody has matched are dropped."""
    await unit.connection.execute(
        "DELETE FROM vendor_credits WHERE vendor_invoice_id = $1 AND reconciliation_id <> $2"
        " AND service_credit_id IS NULL",
        invoice_id,
        reconciliation_id,
    )
    await unit.connection.execute(
        _SAVE_CREDITS, invoice_id, reconciliation_id, currency, unit.now, *split_into_columns(credits, 4)
    )


async def list_vendor_credits(
    unit: Unit, service_credit_id: UUID | None, is_matched: bool | None, after: UUID | None, limit: int
) -> Sequence[asyncpg.Record]:
    """List credits of vendor invoices in the order of their ids, after this one."""
    matched = {None: (), True: ("service_credit_id IS NOT NULL",), False: (UNMATCHED,)}[is_matched]
    conditions = [("service_credit_id = {}", service_credit_id), ("difference_id > {}", after)]
    query, arguments = build_list_query(
        "SELECT * FROM vendor_credits", conditions, "difference_id", limit, always=matched
    )
    rows: Sequence[asyncpg.Record] = await unit.connection.fetch(query, *arguments)
    return rows


async def get_vendor_credit(unit: Unit, difference_id: UUID) -> VendorCreditRow:
    """Get a credit of a vendor invoice, locked. Raises NotFound."""
    query = select(VendorCreditRow).where(VendorCreditRow.difference_id == difference_id).with_for_update()
    row = (await unit.session.exec(query)).first()
    if row is None:
        raise NotFound(f"there is no credit of the vendor's {difference_id}")
    return row


async def save_vendor_credit(unit: Unit, row: VendorCreditRow) -> None:
    """Write that a credit of a vendor invoice is matched or set aside."""
    unit.session.add(row)
    await unit.session.flush()


async def map_vendor_credited_amounts(unit: Unit, service_credit_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Map requests to what the vendor has credited for them, without tax; minor units."""
    rows = await unit.connection.fetch(
        "SELECT service_credit_id, sum(amount_minor)::bigint AS total FROM vendor_credits"
        " WHERE service_credit_id = ANY ($1) GROUP BY service_credit_id",
        service_credit_ids,
    )
    return {row["service_credit_id"]: row["total"] for row in rows}


async def sum_vendor_credited(unit: Unit, service_credit_id: UUID) -> int:
    """Sum what the vendor has credited for a request, without tax; minor units."""
    total: int = await unit.connection.fetchval(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM vendor_credits WHERE service_credit_id = $1",
        service_credit_id,
    )
    return total
