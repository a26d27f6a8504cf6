"""Entries of files that are equal to entries that were taken before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from services.invoicing.bank.tables import BankEntryRow, BankRepeatRow
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class RepeatedBankEntry:
    """A repeat beside the entry that it repeats."""

    row: BankRepeatRow
    entry: BankEntryRow


async def get_repeated_bank_entry(unit: Unit, repeat_id: UUID, *, locked: bool = False) -> RepeatedBankEntry:
    """Get a repeat, locked for its decision if wanted. Raises NotFound."""
    row = await unit.session.get(BankRepeatRow, repeat_id, with_for_update=locked or None, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no repeat of a bank entry {repeat_id}")
    (repeat,) = await _join_entries(unit, [row])
    return repeat


async def list_repeated_bank_entries(
    unit: Unit, import_id: UUID | None, after: UUID | None, limit: int
) -> list[RepeatedBankEntry]:
    """List repeats in the order of their ids, those of one import if it is given."""
    return await _join_entries(unit, await list_rows_after(unit, BankRepeatRow, after, limit, import_id=import_id))


async def _join_entries(unit: Unit, rows: Sequence[BankRepeatRow]) -> list[RepeatedBankEntry]:
    entries = await _entries_by_id(unit, {row.entry_id for row in rows})
    return [RepeatedBankEntry(row, entries[row.entry_id]) for row in rows]


async def _entries_by_id(unit: Unit, entry_ids: Iterable[UUID]) -> dict[UUID, BankEntryRow]:
    query = select(BankEntryRow).where(col(BankEntryRow.id).in_(entry_ids))
    return {row.id: row for row in (await unit.session.exec(query)).all()}


async def save_bank_repeat_decision(unit: Unit, row: BankRepeatRow) -> None:
    """Save what a person decided about a repeat."""
    unit.session.add(row)
    await unit.session.flush()
