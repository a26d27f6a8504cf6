"""The work list: what the vendor bills otherwise than we expected, and what was decided about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from services.invoicing.vendor_costs.tables import VendorDifferenceRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class VendorDifferenceCriteria:
    """Criteria of the differences that are wanted; None is any."""

    state: str | None = None
    verdict: str | None = None
    vendor_invoice_id: UUID | None = None
    account_id: UUID | None = None


async def get_vendor_difference_row(unit: Unit, difference_id: UUID) -> VendorDifferenceRow:
    """The difference as it is now; lock its vendor invoice's stream first to decide it. Raises NotFound."""
    row = await unit.session.get(VendorDifferenceRow, difference_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no difference {difference_id}")
    return row


async def list_vendor_difference_rows(
    unit: Unit, asked: VendorDifferenceCriteria, after: UUID | None, limit: int
) -> Sequence[VendorDifferenceRow]:
    """Differences in the order of their ids: by reconciliation, and in it by the first line."""
    query = select(VendorDifferenceRow).order_by(col(VendorDifferenceRow.id)).limit(limit)
    for name in VendorDifferenceCriteria.__dataclass_fields__:
        if (wanted := getattr(asked, name)) is not None:
            query = query.where(getattr(VendorDifferenceRow, name) == wanted)
    if after is not None:
        query = query.where(col(VendorDifferenceRow.id) > after)
    return (await unit.session.exec(query)).all()


async def save_difference_decision(unit: Unit, row: VendorDifferenceRow) -> None:
    """Save what was decided."""
    unit.session.add(row)
    await unit.session.flush()
