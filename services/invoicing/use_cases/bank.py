"""Bank statements are imported, certain receipts are booked, people decide about the others."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import asyncpg
import orjson
from pydantic import TypeAdapter

from services.invoicing.domain.matching import ENTRY_ALLOWED, EntryState, fits, grams, judge
from services.invoicing.domain.statements import Closing, Entry, EntryKind, camt, tabular
from services.invoicing.domain.statements.tabular import Columns
from services.invoicing.domain.states import moved_to
from services.invoicing.repository import bank as repository
from services.invoicing.repository import incoming
from services.invoicing.repository.incoming import Incoming
from services.invoicing.tables import BankEntryRow, BankImportRow
from services.invoicing.use_cases import payments
from services.invoicing.use_cases.payments import NewPayment
from shared.database import Unit
from shared.errors import Refusal
from shared.events.invoicing import BankStatementImported
from shared.ids import new_id
from shared.money import Money
from shared.telemetry import log

TURNSTILE = "bank imports"
"""The subject that an import locks: of two at once the second sees which entries the first one took."""
BREATHER = 500
"""After so many entries other requests of the process get a turn."""
TOGETHER = 500
"""Entries that are judged at a time."""
COLUMNS = TypeAdapter(Columns)


class NotAReceipt(Refusal):
    """Only money that came in can be booked; what was taken back is a payment to be reversed."""

    code = "not_a_receipt"


async def put_mapping(unit: Unit, name: str, columns: Columns, actor: str) -> None:
    """Say what the columns of a bank's CSV mean."""
    await repository.save_mapping(unit, name, orjson.dumps(asdict(columns)).decode(), actor)


async def columns_of(unit: Unit, name: str) -> Columns:
    """What a mapping says. Raises NotFound."""
    return COLUMNS.validate_python((await repository.mapping(unit, name)).columns)


@dataclass(slots=True)
class _File:
    """A file while it is read."""

    body: bytes
    columns: Columns | None
    closing: Closing | None = None

    @property
    def hash(self) -> str:
        """The same for the same file read by the same mapping."""
        told = b"" if self.columns is None else orjson.dumps(asdict(self.columns))
        return sha256(told + b"\n" + self.body).hexdigest()

    def _read(self) -> Iterator[Entry | Closing]:
        return camt.read(self.body) if self.columns is None else tabular.read(self.body, self.columns)

    async def entries(self) -> AsyncIterator[Incoming]:
        """The entries, as they come in; the newest closing is noted. Raises StatementRefused."""
        for one in self._read():
            if isinstance(one, Closing):
                self.closing = max(self.closing or one, one, key=lambda closing: closing.day)
                continue
            if one.place % BREATHER == 0:
                await asyncio.sleep(0)
            yield _incoming(one)


def _incoming(one: Entry) -> Incoming:
    return (
        one.place,
        new_id(),
        one.account,
        one.key,
        one.kind,
        one.is_credit,
        one.amount,
        one.currency,
        one.booked_on,
        one.payer,
        one.text,
        grams(one.text),
    )


async def take(unit: Unit, body: bytes, mapping: str | None, actor: str) -> tuple[BankImportRow, bool]:
    """Import a file, camt.053 or, with a mapping, CSV; and whether it was imported before, so that nothing changed.

    Entries that were taken before are counted and left alone; certain ones are booked by the sweep that
    this wakes. Raises NotFound, StatementRefused; then nothing of the file is taken.
    """
    file = _File(body, None if mapping is None else await columns_of(unit, mapping))
    import_id = new_id()
    await unit.lock(TURNSTILE, import_id)
    known = await repository.import_of(unit, file.hash)
    if known is not None:
        return known, True
    await incoming.take_in(unit, file.entries())
    repeated = await incoming.drop_repeated(unit)
    await _match(unit)
    counts = await incoming.outcomes(unit)
    row = BankImportRow(
        id=import_id,
        content_hash=file.hash,
        format="camt.053" if mapping is None else "csv",
        closing_date=file.closing.day if file.closing else None,
        certain=counts.get("certain", 0),
        unmatched=counts.get("unmatched", 0),
        kept=counts.get("kept", 0),
        repeated=repeated,
        imported_by=actor,
        imported_at=unit.now,
    )
    await repository.add_import(unit, row)
    unit.publish(
        BankStatementImported(
            import_id=row.id, format=row.format, closing_date=row.closing_date, entries=counts_of(row)
        )
    )
    return row, False


def counts_of(row: BankImportRow) -> dict[str, int]:
    """The entries of a file by outcome, as at its import."""
    return {"certain": row.certain, "unmatched": row.unmatched, "kept": row.kept, "repeated": row.repeated}


async def _match(unit: Unit) -> None:
    """Judge what has come in, some entries at a time."""
    last = await incoming.find_candidates(unit)
    for begin in range(0, last, TOGETHER):
        found = await incoming.candidates(unit, begin, begin + TOGETHER)
        await incoming.note(unit, {id_: judge(receipt, ones) for id_, (receipt, ones) in found.items()})
        await asyncio.sleep(0)


async def book_certain(unit: Unit, account_ids: list[str]) -> None:
    """Book the certain entries of these accounts, which are locked, if the facts are still those they were."""
    ids = [UUID(one) for one in account_ids]
    due = await repository.due(unit, ids)
    opened = await repository.open_amounts(unit, ids)
    outcomes = []
    for row in due:
        payment_id = await _booked(unit, row, opened[row["account_id"]])
        state = EntryState.UNMATCHED if payment_id is None else EntryState.BOOKED
        outcomes.append((row["id"], moved_to(ENTRY_ALLOWED, EntryState.CERTAIN, state), payment_id))
    await repository.save_outcomes(unit, outcomes)


async def _booked(unit: Unit, row: asyncpg.Record, opened: dict[UUID, int]) -> UUID | None:
    """The payment that a certain entry becomes, or None; `opened` is what is open of the account's invoices."""
    amount, invoice_id = row["amount_minor"], row["invoice_id"]
    if not fits(amount, opened.get(invoice_id, 0), sum(opened.values())):
        return None
    new = NewPayment(row["account_id"], Money(amount, row["currency"]), invoice_id, [], _reference(row["id"]))
    try:
        async with unit.savepoint():
            payment = await payments.receive(unit, new)
    except Refusal as refusal:
        log.warning("a certain bank entry was refused", entry=str(row["id"]), code=refusal.code)
        return None
    paid = min(amount, opened[invoice_id])
    opened[invoice_id] -= paid
    opened[row["id"]] = paid - amount  # the rest pays others, or waits as unapplied cash: either way it is used
    return payment.id


def _reference(entry_id: UUID) -> str:
    return f"bank entry {entry_id}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose money an entry is, by whom and why."""

    account_id: UUID
    invoice_id: UUID | None
    actor: str
    reason: str


async def book(unit: Unit, entry_id: UUID, decision: Decision) -> BankEntryRow:
    """Book a receipt for an account; what is more than it owes is unapplied cash.

    Raises NotFound, MoveRefused, NotAReceipt, CurrencyMismatch.
    """
    await unit.lock(decision.account_id)
    row = await _to_decide(unit, entry_id, EntryState.BOOKED)
    if row.kind not in (EntryKind.RECEIPT, EntryKind.COLLECTIVE):
        raise NotAReceipt(f"bank entry {entry_id} is a {row.kind}, not a receipt")
    money = Money(row.amount_minor, row.currency)
    new = NewPayment(decision.account_id, money, decision.invoice_id, [], _reference(row.id))
    payment = await payments.receive(unit, new)
    row.account_id, row.invoice_id, row.payment_id = decision.account_id, decision.invoice_id, payment.id
    _note(row, EntryState.BOOKED, decision.actor, decision.reason, unit.now)
    return row


async def ignore(unit: Unit, entry_id: UUID, actor: str, reason: str) -> BankEntryRow:
    """An entry is no payment of a customer, or was dealt with by hand. Raises NotFound, MoveRefused."""
    row = await _to_decide(unit, entry_id, EntryState.IGNORED)
    row.account_id = row.invoice_id = None
    _note(row, EntryState.IGNORED, actor, reason, unit.now)
    return row


async def _to_decide(unit: Unit, entry_id: UUID, wanted: EntryState) -> BankEntryRow:
    """The entry, locked, if it may have this state: of two who decide at once the second is refused."""
    row = await repository.entry(unit, entry_id, locked=True)
    moved_to(ENTRY_ALLOWED, EntryState(row.state), wanted)
    return row


def _note(row: BankEntryRow, wanted: EntryState, actor: str, reason: str, now: datetime) -> None:
    row.state = moved_to(ENTRY_ALLOWED, EntryState(row.state), wanted)
    row.due_at, row.decided_by, row.reason, row.decided_at = None, actor, reason, now
