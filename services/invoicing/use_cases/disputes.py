"""Amounts are held for disputes, and the outcome of a dispute moves the money."""

from collections.abc import Sequence
from uuid import UUID

from services.invoicing.domain import ledger as postings
from services.invoicing.domain import owed
from services.invoicing.domain.ledger import Share
from services.invoicing.domain.owed import Invoice
from services.invoicing.repository import accounts, deliveries, invoices, ledger, payments
from services.invoicing.repository.ledger import Document
from services.invoicing.tables import AccountRow, CreditNoteRow
from services.invoicing.use_cases import balances
from services.invoicing.use_cases.payments import apply_unapplied
from shared.database import Unit
from shared.errors import NotFound, Refusal
from shared.events.invoicing import Allocated, CreditNoteIssued
from shared.ids import new_id


class DisputeKnown(Refusal):
    """This dispute has reserved other amounts before, or is over."""

    code = "dispute_known"


class UnknownDispute(Refusal):
    """Nothing was ever reserved for this dispute, so its outcome cannot move money."""

    code = "unknown_dispute"


async def reserve(unit: Unit, dispute_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]]) -> None:
    """Hold amounts of lines (number, minor units) for a dispute; a repeat changes nothing.

    Raises NotFound, UnknownLine, AmountRefused, DisputeKnown.
    """
    document = await invoices.invoice_row(unit, invoice_id)
    account = await accounts.account(unit, document.account_id)
    await unit.lock(account.id)
    known = await payments.reservations_of(unit, dispute_id)
    if known:
        if known != (invoice_id, sorted(lines), True):
            raise DisputeKnown(f"dispute {dispute_id} is known with other amounts, or is over")
        return
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    after = owed.reserve(before[invoice_id], lines)
    await payments.add_reservations(unit, account.id, dispute_id, invoice_id, lines)
    await balances.save_changed(unit, account.time_zone, before, {invoice_id: after})


async def settle(unit: Unit, dispute_id: UUID, *, upheld: bool) -> None:
    """End a dispute: release what it held and, if it is upheld, credit it, in one transaction.

    Raises UnknownDispute. A repeat changes nothing.
    """
    known = await payments.reservations_of(unit, dispute_id)
    if known is None:
        raise UnknownDispute(f"nothing was reserved for dispute {dispute_id}")
    invoice_id, held, is_held = known
    if not is_held:
        return
    account = await accounts.account(unit, (await invoices.invoice_row(unit, invoice_id)).account_id)
    await unit.lock(account.id)
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    after = owed.release(before[invoice_id], held)
    await payments.mark_released(unit, dispute_id)
    if upheld:
        after, credited = owed.credit(after, held)
        await _credit_note(unit, account, dispute_id, before[invoice_id], credited)
    await balances.save_changed(unit, account.time_zone, before, {invoice_id: after})
    await apply_unapplied(unit, account)


async def _credit_note(
    unit: Unit, account: AccountRow, dispute_id: UUID, before: Invoice, credited: Sequence[tuple[int, int]]
) -> None:
    if not credited:
        return
    number = await payments.next_number(unit, account.legal_entity, "credit_note")
    row = CreditNoteRow(
        id=new_id(),
        account_id=account.id,
        legal_entity=account.legal_entity,
        number=f"{account.legal_entity}-CN-{number:08d}",
        invoice_id=before.id,
        dispute_id=dispute_id,
        currency=account.currency,
        total_minor=sum(amount for _, amount in credited),
        issued_at=unit.now,
    )
    await payments.add_credit_note(unit, row, credited)
    sequence = unit.publish(
        CreditNoteIssued(
            account_id=account.id,
            credit_note_id=row.id,
            number=row.number,
            invoice_id=before.id,
            dispute_id=dispute_id,
            currency=row.currency,
            total_minor=row.total_minor,
            lines=tuple(Allocated(invoice_id=before.id, line=line, amount_minor=share) for line, share in credited),
        )
    )
    taxed = await ledger.amounts_and_tax(unit, before.id)
    shares = [Share(share, before.line(line).credited, *taxed[line]) for line, share in credited]
    await ledger.post(unit, account, Document("credit_note", row.id, sequence), postings.credited(shares))
    await deliveries.want(unit, "credit_note", row.id, account.id, row.legal_entity)


async def held(unit: Unit, dispute_id: UUID) -> tuple[UUID, list[tuple[int, int]], bool]:
    """What is reserved for a dispute, and whether it still is. Raises NotFound."""
    known = await payments.reservations_of(unit, dispute_id)
    if known is None:
        raise NotFound(f"nothing was reserved for dispute {dispute_id}")
    return known
