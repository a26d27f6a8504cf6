"""Bank statements that were imported, their entries and what becomes of them, mappings of columns."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.invoicing.bank.domain.entry_matching import BankEntryState
from services.invoicing.bank.domain.statements.statement_entries import RefusedBankStatementEntry
from services.invoicing.bank.repository.bank_matching_queries import CHOOSE_ENTRY_STATE
from services.invoicing.bank.tables import (
    BankEntryRow,
    BankImportRow,
    BankMappingRow,
    BankProposalRow,
    BankRefusedEntryRow,
)
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound

_ADD_ENTRIES = f"""
INSERT INTO bank_entries (id, import_id, bank_account, entry_key, kind, is_credit, amount_minor, currency, booked_on,
    payer, text, reference, ids, return_reason, state, account_id, invoice_id, debit_id, due_at)
SELECT n.id, $1, n.bank_account, n.entry_key, n.kind, n.is_credit, n.amount, n.currency, n.booked_on, n.payer, n.text,
    n.reference, n.ids, n.return_reason,
    {CHOOSE_ENTRY_STATE},
    c.account_id, c.invoice_id, c.debit_id, CASE WHEN c.id IS NOT NULL THEN $2::timestamptz END
FROM incoming_entries n LEFT JOIN incoming_certain c ON c.id = n.id
ORDER BY n.place
"""


_ADD_REPEATS = """
INSERT INTO bank_repeats (id, import_id, place, entry_id) SELECT id, $1, place, entry_id FROM incoming_repeats
"""


async def insert_bank_import(unit: Unit, row: BankImportRow) -> None:
    """Write an import with the entries that have come in, their proposals, and those that repeat another one."""
    unit.session.add(row)
    await unit.session.flush()
    await insert_bank_entries(unit, row.id)
    await unit.connection.execute(_ADD_REPEATS, row.id)


async def insert_refused_bank_entries(
    unit: Unit, import_id: UUID, entries: Iterable[RefusedBankStatementEntry]
) -> None:
    """Write the entries that were left out of an import."""
    rows = [(import_id, entry.place, entry.account, entry.field, entry.message) for entry in entries]
    await unit.connection.copy_records_to_table(
        "bank_refused_entries", records=rows, columns=["import_id", "place", "bank_account", "field", "message"]
    )


async def list_refused_bank_entries(unit: Unit, import_id: UUID) -> Sequence[BankRefusedEntryRow]:
    """List the entries that were left out of an import, in the order of the file."""
    query = select(BankRefusedEntryRow).where(BankRefusedEntryRow.import_id == import_id)
    return (await unit.session.exec(query.order_by(col(BankRefusedEntryRow.place)))).all()


async def insert_bank_entries(unit: Unit, import_id: UUID) -> None:
    """Write the entries that have come in and their proposals."""
    await unit.connection.execute(_ADD_ENTRIES, import_id, unit.now)
    await unit.connection.execute("INSERT INTO bank_proposals SELECT * FROM incoming_proposals")
    unit.wake_after_commit("sweeps")


async def find_bank_import(unit: Unit, content_hash: str) -> BankImportRow | None:
    """The import of this very file."""
    query = select(BankImportRow).where(BankImportRow.content_hash == content_hash)
    return (await unit.session.exec(query)).first()


async def get_latest_bank_import(unit: Unit) -> BankImportRow:
    """The newest import. Raises NotFound."""
    newest = (col(BankImportRow.imported_at).desc(), col(BankImportRow.id).desc())
    row = (await unit.session.exec(select(BankImportRow).order_by(*newest).limit(1))).first()
    if row is None:
        raise NotFound("no bank statement was imported yet")
    return row


async def count_bank_entry_states(unit: Unit, import_id: UUID) -> dict[str, int]:
    """How many entries of an import are in which state now."""
    rows = await unit.connection.fetch(
        "SELECT state, count(*) AS entries FROM bank_entries WHERE import_id = $1 GROUP BY state ORDER BY state",
        import_id,
    )
    return {row["state"]: row["entries"] for row in rows}


async def find_bank_column_mapping(unit: Unit, name: str) -> BankMappingRow | None:
    """Find the mapping of this name, as it is now."""
    return await unit.session.get(BankMappingRow, name, populate_existing=True)


async def get_column_mapping_row(unit: Unit, name: str) -> BankMappingRow:
    """The mapping of this name. Raises NotFound."""
    row = await find_bank_column_mapping(unit, name)
    if row is None:
        raise NotFound(f"there is no bank mapping {name}")
    return row


_SAVE_MAPPING = """
INSERT INTO bank_mappings (name, columns, changed_by, changed_at) VALUES ($1, $2::text::jsonb, $3, $4)
ON CONFLICT (name) DO UPDATE
SET columns = excluded.columns, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""


async def save_bank_column_mapping(unit: Unit, name: str, column_mapping: str, actor: str) -> None:
    """Write a mapping, given as JSON, in the place of a former one."""
    await unit.connection.execute(_SAVE_MAPPING, name, column_mapping, actor, unit.now)


async def list_bank_entries(
    unit: Unit, state: str | None, after: UUID | None, limit: int
) -> list[tuple[BankEntryRow, list[BankProposalRow]]]:
    """Entries, of one state if it is given, in the order of their ids, each with its proposals."""
    rows = await list_rows_after(unit, BankEntryRow, after, limit, state=state)
    proposed = await map_bank_match_proposals(unit, [row.id for row in rows])
    return [(row, proposed.get(row.id, [])) for row in rows]


async def map_bank_match_proposals(unit: Unit, entry_ids: Sequence[UUID]) -> dict[UUID, list[BankProposalRow]]:
    """The proposals for these entries, the best first."""
    query = select(BankProposalRow).where(col(BankProposalRow.entry_id).in_(entry_ids))
    proposals_by_entry: dict[UUID, list[BankProposalRow]] = {}
    for row in (await unit.session.exec(query.order_by(col(BankProposalRow.rank)))).all():
        proposals_by_entry.setdefault(row.entry_id, []).append(row)
    return proposals_by_entry


async def get_bank_entry(unit: Unit, entry_id: UUID, *, locked: bool = False) -> BankEntryRow:
    """The entry, locked for its decision if wanted. Raises NotFound."""
    row = await unit.session.get(BankEntryRow, entry_id, with_for_update=locked or None, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no bank entry {entry_id}")
    return row


_DUE = """
SELECT id, account_id, invoice_id, debit_id, amount_minor, currency FROM bank_entries
WHERE account_id = ANY($1::uuid[]) AND due_at <= $2
ORDER BY account_id, booked_on, id FOR NO KEY UPDATE
"""


async def list_certain_bank_entries(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """The certain entries of these accounts, which are locked."""
    return await unit.connection.fetch(_DUE, account_ids, unit.now)  # type: ignore[no-any-return]


async def map_open_invoice_amounts(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Map the invoices of these accounts to what is open of them."""
    rows = await unit.connection.fetch(
        "SELECT account_id, invoice_id, open_minor FROM invoice_states"
        " WHERE account_id = ANY($1::uuid[]) AND open_minor > 0",
        account_ids,
    )
    open_by_account: dict[UUID, dict[UUID, int]] = {id_: {} for id_ in account_ids}
    for row in rows:
        open_by_account[row["account_id"]][row["invoice_id"]] = row["open_minor"]
    return open_by_account


_SAVE_BOOKED = """
UPDATE bank_entries e SET state = n.state, payment_id = n.payment_id, due_at = NULL,
    decided_at = CASE WHEN n.payment_id IS NOT NULL THEN $1::timestamptz END,
    account_id = CASE WHEN n.payment_id IS NOT NULL THEN e.account_id END,
    invoice_id = CASE WHEN n.payment_id IS NOT NULL THEN e.invoice_id END,
    debit_id = CASE WHEN n.payment_id IS NOT NULL THEN e.debit_id END
FROM unnest($2::uuid[], $3::text[], $4::uuid[]) AS n (id, state, payment_id) WHERE e.id = n.id
"""


async def save_certain_entry_outcomes(unit: Unit, outcomes: Iterable[tuple[UUID, BankEntryState, UUID | None]]) -> None:
    """Save what became of certain entries: booked as this payment, or waiting for a person after all."""
    await unit.connection.execute(_SAVE_BOOKED, unit.now, *split_into_columns(outcomes, 3))
