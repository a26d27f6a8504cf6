"""Entries that are equal to one that was taken before: a person says which of them are money of their own."""

from collections.abc import AsyncIterator
from uuid import UUID

from services.invoicing.bank.domain.entry_matching import list_entry_references
from services.invoicing.bank.repository import bank_matching_queries, bank_repeat_queries
from services.invoicing.bank.repository.bank_entry_queries import insert_bank_entries
from services.invoicing.bank.repository.bank_matching_queries import IncomingBankEntry
from services.invoicing.bank.repository.bank_repeat_queries import RepeatedBankEntry
from services.invoicing.bank.use_cases import bank_booking
from services.invoicing.settings.domain.approval_states import StateMoveRefused
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id


async def take_repeated_bank_entry(unit: Unit, repeat_id: UUID, actor: str, reason: str) -> RepeatedBankEntry:
    """Take a repeat as an entry of its own, which is matched as if it came in now.

    Raises NotFound, and StateMoveRefused if it was taken before.
    """
    await unit.lock_subjects(bank_booking.TURNSTILE)
    repeat = await bank_repeat_queries.get_repeated_bank_entry(unit, repeat_id, locked=True)
    row = repeat.row
    if row.taken_entry_id is not None:
        raise StateMoveRefused("the repeat was taken before")
    entry = _incoming(repeat)
    await bank_matching_queries.stage_bank_entries(unit, _iterate(entry))
    await bank_booking.match_incoming_bank_entries(unit)
    await insert_bank_entries(unit, row.import_id)
    before = row.model_dump()
    row.taken_entry_id, row.taken_by, row.reason, row.taken_at = entry.id, actor, reason, unit.now
    unit.record(AuditedChange("bank_repeat", row.id, None, before, row.model_dump()))
    await bank_repeat_queries.save_bank_repeat_decision(unit, row)
    return repeat


def _incoming(repeat: RepeatedBankEntry) -> IncomingBankEntry:
    """Copy the entry that is repeated, under a key that no file gives."""
    entry = repeat.entry
    return IncomingBankEntry(
        place=1,
        id=new_id(),
        bank_account=entry.bank_account,
        entry_key=f"{entry.entry_key} repeat {repeat.row.id}",
        kind=entry.kind,
        is_credit=entry.is_credit,
        amount=entry.amount_minor,
        currency=entry.currency,
        booked_on=entry.booked_on,
        payer=entry.payer,
        text=entry.text,
        reference=entry.reference or "",
        ids=entry.ids or [],
        return_reason=entry.return_reason,
        grams=list_entry_references(entry.text, entry.ids or ()),
    )


async def _iterate(entry: IncomingBankEntry) -> AsyncIterator[IncomingBankEntry]:
    yield entry
