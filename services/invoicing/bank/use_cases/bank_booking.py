"""Bank statements are imported, certain receipts are booked, people decide about the others."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from uuid import UUID

import asyncpg
import orjson
from pydantic import TypeAdapter

from services.invoicing.bank.domain.entry_matching import (
    ENTRY_ALLOWED,
    BankEntryState,
    is_matched_amount_owed,
    match_bank_entry,
)
from services.invoicing.bank.domain.statements.statement_entries import BankEntryKind
from services.invoicing.bank.domain.statements.tabular import BankColumnMapping
from services.invoicing.bank.repository import (
    bank_duplicate_queries,
    bank_entry_queries,
    bank_knowledge_queries,
    bank_matching_queries,
)
from services.invoicing.bank.tables import BankAccountRow, BankEntryRow, BankImportRow
from services.invoicing.bank.use_cases import bank_debits
from services.invoicing.bank.use_cases.bank_files import BankStatementFile
from services.invoicing.payments.repository.payment_queries import RecordedPayment
from services.invoicing.payments.use_cases import payment_recording
from services.invoicing.payments.use_cases.payment_recording import NewPayment
from services.invoicing.settings.domain.approval_states import check_state_move
from shared.base.telemetry import log
from shared.events.invoicing import BankStatementImported
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, Unavailable
from shared.pure.ids import new_id
from shared.pure.money import Money

TURNSTILE = "bank imports"
"""The subject that an import locks: of two at once the second sees which entries the first one took."""
TOGETHER = 500
"""Entries that are judged at a time."""
COLUMNS = TypeAdapter(BankColumnMapping)


class BankEntryNotReceipt(Refusal):
    """Only money that came in can be booked; what was taken back is a payment to be reversed."""

    code = "not_a_receipt"


async def change_bank_column_mapping(unit: Unit, name: str, columns: BankColumnMapping, actor: str) -> None:
    """Say what the columns of a bank's CSV mean."""
    await bank_entry_queries.save_bank_column_mapping(unit, name, orjson.dumps(asdict(columns)).decode(), actor)


async def get_bank_column_mapping(unit: Unit, name: str) -> BankColumnMapping:
    """Get the columns that a mapping names. Raises NotFound."""
    return COLUMNS.validate_python((await bank_entry_queries.get_column_mapping_row(unit, name)).columns)


async def import_bank_statement(unit: Unit, body: bytes, mapping: str | None, actor: str) -> tuple[BankImportRow, bool]:
    """Import a file, camt.053 or, with a mapping, CSV; and whether it was imported before, so that nothing changed.

    Entries that were taken before are listed beside those and left alone; certain ones are booked by the sweep
    that this wakes. An entry that is refused by itself is listed, and payments into its bank account are known no
    longer than before. Raises NotFound, BankStatementRefused; then nothing of the file is taken.
    """
    file = BankStatementFile(body, None if mapping is None else await get_bank_column_mapping(unit, mapping))
    import_id, file_format = new_id(), "camt.053" if mapping is None else "csv"
    await unit.lock_subjects(TURNSTILE, import_id)
    former_import = await bank_entry_queries.find_bank_import(unit, file.statement_content_hash)
    if former_import is not None:
        unit.record_nothing()
        return former_import, True
    await bank_matching_queries.stage_bank_entries(unit, file.read_bank_entries(), file.former_keys)
    repeated = await bank_duplicate_queries.set_aside_repeated_entries(unit)
    await bank_duplicate_queries.doubt_entries_across_formats(unit, file_format)
    await match_incoming_bank_entries(unit)
    counts = await bank_matching_queries.count_bank_match_outcomes(unit)
    row = BankImportRow(
        id=import_id,
        content_hash=file.statement_content_hash,
        format=file_format,
        closing_date=max(file.closings.values(), default=None),
        certain=counts.get("certain", 0),
        unmatched=counts.get("unmatched", 0),
        kept=counts.get("kept", 0),
        repeated=repeated,
        imported_by=actor,
        imported_at=unit.now,
    )
    await bank_entry_queries.insert_bank_import(unit, row)
    await bank_entry_queries.insert_refused_bank_entries(unit, row.id, file.refused)
    await bank_knowledge_queries.save_bank_statement_closings(unit, file.complete_statement_closings)
    _publish_import(unit, row, len(file.refused))
    unit.record(AuditedChange("bank_import", row.id))
    return row, False


def _publish_import(unit: Unit, row: BankImportRow, refused: int) -> None:
    unit.publish(
        BankStatementImported(
            import_id=row.id,
            format=row.format,
            closing_date=row.closing_date,
            entries=count_imported_bank_entries(row),
            unreadable_entries=refused,
        )
    )


async def close_own_bank_account(unit: Unit, bank_account: str, actor: str, reason: str) -> BankAccountRow:
    """Statements of a bank account of ours come no more, so nobody waits for them; a newer one opens it again.

    Raises NotFound. Closed again, nothing changes.
    """
    await unit.lock_subjects(TURNSTILE)
    row = await bank_knowledge_queries.get_bank_account(unit, bank_account)
    if row.is_closed:
        unit.record_nothing()
        return row
    before = row.model_dump()
    row.is_closed, row.closed_by, row.reason, row.closed_at = True, actor, reason, unit.now
    unit.session.add(row)
    await unit.session.flush()
    unit.record(AuditedChange("bank_account", bank_account, None, before, row.model_dump()))
    return row


def count_imported_bank_entries(row: BankImportRow) -> dict[str, int]:
    """The entries of a file by outcome, as at its import."""
    return {"certain": row.certain, "unmatched": row.unmatched, "kept": row.kept, "repeated": row.repeated}


async def match_incoming_bank_entries(unit: Unit) -> None:
    """Judge what has come in, some entries at a time."""
    last = await bank_matching_queries.stage_bank_match_candidates(unit)
    for begin in range(0, last, TOGETHER):
        evidence_by_entry = await bank_matching_queries.map_bank_match_evidence(unit, begin, begin + TOGETHER)
        await bank_matching_queries.stage_bank_match_results(
            unit, {id_: match_bank_entry(*evidence) for id_, evidence in evidence_by_entry.items()}
        )
        await asyncio.sleep(0)


async def book_certain_bank_entries(unit: Unit, account_ids: list[str]) -> None:
    """Book the certain entries of these accounts, which are locked, if the facts are still those they were."""
    ids = [UUID(account_id) for account_id in account_ids]
    opened = await bank_debits.map_undebited_open_amounts(unit, ids)
    for entries in _one_of_each_account(await bank_entry_queries.list_certain_bank_entries(unit, ids)):
        booked = await _list_payments(unit, entries, opened)
        states = [
            BankEntryState.UNMATCHED if booked_entry is None else BankEntryState.BOOKED for booked_entry in booked
        ]
        moved = [check_state_move(ENTRY_ALLOWED, BankEntryState.CERTAIN, state) for state in states]
        await bank_entry_queries.save_certain_entry_outcomes(
            unit, list(zip([row["id"] for row in entries], moved, booked, strict=True))
        )


def _one_of_each_account(due: Iterable[asyncpg.Record]) -> Iterator[list[asyncpg.Record]]:
    """Entries that can be booked together: what one pays is not open any more for the next of its account."""
    of_account: dict[UUID, list[asyncpg.Record]] = {}
    for row in due:
        of_account.setdefault(row["account_id"], []).append(row)
    for together in zip_longest(*of_account.values()):
        yield [row for row in together if row is not None]


async def _list_payments(
    unit: Unit, entries: Sequence[asyncpg.Record], opened: Mapping[UUID, dict[UUID, int]]
) -> list[UUID | None]:
    """The payment that each entry becomes, or None; `opened` is what is open of each account's invoices."""
    settled = await bank_debits.settle_debits_by_entries(unit, [row for row in entries if row["debit_id"]])
    wanted = [row for row in entries if not row["debit_id"] and _fits(row, opened[row["account_id"]])]
    outcomes = dict(
        zip(
            [row["id"] for row in wanted],
            await _record_payments(unit, [_payment_of(row) for row in wanted]),
            strict=True,
        )
    )
    booked: list[UUID | None] = []
    for row in entries:
        if row["debit_id"]:
            booked.append(settled.get(row["id"]))
            continue
        outcome = outcomes.get(row["id"])
        if isinstance(outcome, Refusal):
            log.warning("a certain bank entry was refused", entry=str(row["id"]), code=outcome.code)
        elif outcome is not None:
            _use(row, opened[row["account_id"]])
        booked.append(outcome.id if isinstance(outcome, RecordedPayment) else None)
    return booked


async def _record_payments(unit: Unit, news: Sequence[NewPayment]) -> list[RecordedPayment | Refusal]:
    """Receive them together; where what one does cannot be told (its event is too large), each by itself."""
    try:
        async with unit.savepoint():
            return await payment_recording.record_received_payments(unit, news)
    except Unavailable:
        raise
    except Refusal as refusal:
        if len(news) == 1:
            return [refusal]
    return [outcome for new in news for outcome in await _record_payments(unit, [new])]


def _fits(row: asyncpg.Record, opened: Mapping[UUID, int]) -> bool:
    return is_matched_amount_owed(row["amount_minor"], opened.get(row["invoice_id"], 0), sum(opened.values()))


def _payment_of(row: asyncpg.Record) -> NewPayment:
    money = Money(row["amount_minor"], row["currency"])
    return NewPayment(row["account_id"], money, row["invoice_id"], [], _reference(row["id"]))


def _use(row: asyncpg.Record, opened: dict[UUID, int]) -> None:
    """Take what an entry paid from what is open; its rest pays others, or waits as unapplied cash."""
    paid = min(row["amount_minor"], opened[row["invoice_id"]])
    opened[row["invoice_id"]] -= paid
    opened[row["id"]] = paid - row["amount_minor"]


def _reference(entry_id: UUID) -> str:
    return f"bank entry {entry_id}"


@dataclass(frozen=True, slots=True)
class BookingDecision:
    """Decision whose money an entry is, for one invoice or by remittance (invoice number, minor units), and why."""

    account_id: UUID
    invoice_id: UUID | None
    actor: str
    reason: str
    remittance: Sequence[tuple[str, int]] = ()


async def book_bank_entry(unit: Unit, entry_id: UUID, decision: BookingDecision) -> BankEntryRow:
    """Book a receipt for an account; what is more than it owes is unapplied cash.

    One that carries the reference of a debit in flight settles that debit.
    Raises NotFound, StateMoveRefused, BankEntryNotReceipt, CurrencyMismatch, AmountAboveBalance, BankEntryOfDebit.
    """
    await unit.lock_subjects(decision.account_id)
    row = await _to_decide(unit, entry_id, BankEntryState.BOOKED)
    if row.kind not in (BankEntryKind.RECEIPT, BankEntryKind.COLLECTIVE):
        raise BankEntryNotReceipt(f"bank entry {entry_id} is a {row.kind}, not a receipt")
    money = Money(row.amount_minor, row.currency)
    named = decision.invoice_id
    debit = await bank_debits.find_debit_to_settle(
        unit, row, decision.account_id, named, has_remittance=bool(decision.remittance)
    )
    if debit is None:
        new = NewPayment(decision.account_id, money, named, [], _reference(row.id), decision.remittance)
        booked = {
            "invoice_id": named,
            "debit_id": None,
            "payment_id": (await payment_recording.record_received_payment(unit, new)).id,
        }
    else:
        payment_id = await bank_debits.settle_debit_by_entry(unit, debit)
        booked = {"invoice_id": debit.invoice_id, "debit_id": debit.id, "payment_id": payment_id}
    booked["account_id"] = decision.account_id
    _note(unit, row, BankEntryState.BOOKED, decided_by=decision.actor, reason=decision.reason, **booked)
    return row


async def ignore_bank_entry(unit: Unit, entry_id: UUID, actor: str, reason: str) -> BankEntryRow:
    """An entry is no payment of a customer, or was dealt with by hand. Raises NotFound, StateMoveRefused."""
    row = await _to_decide(unit, entry_id, BankEntryState.IGNORED)
    meant_for = {"account_id": None, "invoice_id": None, "debit_id": None}
    _note(unit, row, BankEntryState.IGNORED, decided_by=actor, reason=reason, **meant_for)
    return row


async def _to_decide(unit: Unit, entry_id: UUID, wanted: BankEntryState) -> BankEntryRow:
    """The entry, locked, if it may have this state: of two who decide at once the second is refused."""
    row = await bank_entry_queries.get_bank_entry(unit, entry_id, locked=True)
    check_state_move(ENTRY_ALLOWED, BankEntryState(row.state), wanted)
    return row


def _note(unit: Unit, row: BankEntryRow, wanted: BankEntryState, **fields: object) -> None:
    before = row.model_dump()
    row.state = check_state_move(ENTRY_ALLOWED, BankEntryState(row.state), wanted)
    row.sqlmodel_update(fields | {"due_at": None, "decided_at": unit.now})
    unit.record(AuditedChange("bank_entry", row.id, row.account_id, before, row.model_dump()))
