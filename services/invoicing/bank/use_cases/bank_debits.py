"""Entries of bank statements that are the money of direct debits: each is paid once, in whatever order it comes."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.invoicing.bank.domain.carried_debit import DebitNamedByBankEntry
from services.invoicing.bank.domain.entry_matching import is_full_debit_payment, list_entry_references
from services.invoicing.bank.repository import bank_entry_queries
from services.invoicing.bank.repository.carried_debit_queries import list_debits_by_references
from services.invoicing.bank.tables import BankEntryRow
from services.invoicing.payments.domain.debit_states import DebitState
from services.invoicing.payments.repository.debit_queries import (
    get_debit_row,
    list_debits_by_id,
    list_invoices_being_debited,
)
from services.invoicing.payments.use_cases import direct_debits
from shared.base.telemetry import log
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, Unavailable


class BankEntryOfDebit(Refusal):
    """The entry carries the reference of a debit, and is not the payment that the decision says."""

    code = "entry_of_debit"


async def settle_debits_by_entries(unit: Unit, entries: Sequence[asyncpg.Record]) -> dict[UUID, UUID]:
    """Settle the debits that certain entries of different accounts, which are locked, are the money of.

    Returns the payment of each entry; that of a debit that was settled before is its entry's too. An entry is left
    out if its debit was refused, or has an entry.
    """
    debits_by_id = {row["id"]: row for row in await list_debits_by_id(unit, [entry["debit_id"] for entry in entries])}
    payments: dict[UUID, UUID] = {}
    settling: list[tuple[UUID, asyncpg.Record]] = []
    for entry in entries:
        debit = debits_by_id[entry["debit_id"]]
        if debit["state"] == DebitState.INITIATED:
            settling.append((entry["id"], debit))
        elif debit["state"] == DebitState.SETTLED and not debit["has_entry"]:
            payments[entry["id"]] = debit["payment_id"]
    return payments | await _settle(unit, settling)


async def _settle(unit: Unit, settling: Sequence[tuple[UUID, asyncpg.Record]]) -> dict[UUID, UUID]:
    """Settle debits together; where one is refused, each by itself."""
    if not settling:
        return {}
    try:
        async with unit.savepoint():
            received = await direct_debits.settle_direct_debits(unit, [debit for _, debit in settling])
            return {entry_id: payment.id for (entry_id, _), payment in zip(settling, received, strict=True)}
    except Unavailable:
        raise
    except Refusal as refusal:
        if len(settling) == 1:
            log.warning("the debit of a bank entry was not settled", entry=str(settling[0][0]), code=refusal.code)
            return {}
    payments: dict[UUID, UUID] = {}
    for pair in settling:
        payments |= await _settle(unit, [pair])
    return payments


async def find_debit_to_settle(
    unit: Unit, entry: BankEntryRow, account_id: UUID, invoice_id: UUID | None, *, has_remittance: bool = False
) -> DebitNamedByBankEntry | None:
    """Find the debit of an account that an entry is the money of, if a person books it, perhaps for an invoice.

    Raises BankEntryOfDebit if the entry carries the reference of a debit whose money has not come in, and is of another
    amount or for another invoice: booked as a receipt, it would be there twice once that debit is settled.
    """
    numbers = list_entry_references(entry.text, entry.ids or ())
    unpaid = [debit for debit in await list_debits_by_references(unit, account_id, numbers) if debit.awaits_bank_entry]
    if not unpaid:
        return None
    debit = unpaid[0]
    is_paid = len(unpaid) == 1 and is_full_debit_payment(debit, entry.amount_minor, entry.currency)
    if not is_paid or has_remittance or invoice_id not in (None, debit.invoice_id):
        raise BankEntryOfDebit(
            f"bank entry {entry.id} carries the reference of debit {debit.id}: it is booked for that debit's invoice"
            " and amount, or the debit is settled or has failed, and the entry is ignored"
        )
    return debit


async def settle_debit_by_entry(unit: Unit, carried: DebitNamedByBankEntry) -> UUID:
    """Settle a debit that an entry is the money of, unless it was settled before; its payment."""
    is_settled = carried.state is DebitState.SETTLED
    row = await (
        get_debit_row(unit, carried.id) if is_settled else direct_debits.turn_debit_into_payment(unit, carried.id)
    )
    assert row.payment_id is not None
    return row.payment_id


async def map_undebited_open_amounts(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Get what is open of each invoice of these accounts, without those of which a debit is in flight."""
    in_flight = await list_invoices_being_debited(unit, account_ids)
    opened = await bank_entry_queries.map_open_invoice_amounts(unit, account_ids)
    return {
        account_id: {id_: amount for id_, amount in amounts.items() if id_ not in in_flight}
        for account_id, amounts in opened.items()
    }
