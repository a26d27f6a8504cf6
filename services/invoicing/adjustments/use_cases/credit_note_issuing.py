"""Credit notes: for an upheld dispute, because a person says so, or since a bill run gives something back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.domain.adjustment_rules import CreditNoteEffect
from services.invoicing.adjustments.repository import credit_note_queries
from services.invoicing.adjustments.tables.credit_note_tables import CreditNoteRow
from services.invoicing.deliveries import repository as deliveries_repository
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.domain import CreditNoteLineShare
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.repository import allocation_queries
from services.invoicing.receivables.domain.invoice_balances import Invoice
from services.invoicing.receivables.repository import invoice_queries, number_queries
from services.invoicing.receivables.use_cases import balance_updates
from shared.events.invoicing import AllocatedAmount, CreditNoteIssued
from shared.persistence.database import Unit
from shared.pure.ids import new_id

DISPUTE = "dispute"
"""The reason code of a credit note for an upheld dispute."""
PRORATION = "proration"
"""That of one by which a bill run gives back what was billed before and is not used."""


@dataclass(frozen=True, slots=True)
class CreditReason:
    """Why something is credited: a code for reports, and the dispute or the bill that it is for."""

    code: str
    dispute_id: UUID | None = None
    bill_id: UUID | None = None


async def issue_credit_note(
    unit: Unit, account: LockedAccount, before: Invoice, credited: CreditNoteEffect, reason: CreditReason
) -> CreditNoteRow:
    """Issue the credit note for what was credited of an invoice; saving the invoice is the caller's."""
    number = await number_queries.take_next_document_number(unit, account.legal_entity, "credit_note")
    row = CreditNoteRow(
        id=new_id(),
        account_id=account.id,
        legal_entity=account.legal_entity,
        number=number,
        invoice_id=before.id,
        dispute_id=reason.dispute_id,
        bill_id=reason.bill_id,
        currency=account.currency,
        total_minor=sum(amount for _, amount in credited.lines),
        reason_code=reason.code,
        issued_at=unit.now,
    )
    await credit_note_queries.insert_credit_note(unit, row, credited.lines)
    await allocation_queries.reduce_freed_allocations(unit, credited.freed)
    await _post(unit, account, row, before, credited, _event_fields(unit, row, credited))
    await deliveries_repository.enqueue_document_delivery(unit, "credit_note", row.id, account.id, row.legal_entity)
    return row


def _event_fields(unit: Unit, row: CreditNoteRow, credited: CreditNoteEffect) -> int:
    return unit.publish(
        CreditNoteIssued(
            account_id=row.account_id,
            credit_note_id=row.id,
            number=row.number,
            invoice_id=row.invoice_id,
            dispute_id=row.dispute_id,
            currency=row.currency,
            total_minor=row.total_minor,
            lines=tuple(
                AllocatedAmount(invoice_id=row.invoice_id, line=line, amount_minor=share)
                for line, share in credited.lines
            ),
            reason_code=row.reason_code,
            freed_cash=balance_updates.build_freed_allocation_fields(credited.freed),
        )
    )


async def _post(
    unit: Unit, account: LockedAccount, row: CreditNoteRow, before: Invoice, credited: CreditNoteEffect, sequence: int
) -> None:
    shares = await _shares(unit, before, credited.lines)
    deferred = await credit_note_queries.credit_deferred_revenue(unit, account.id, before.id, shares)
    freed = sum(allocation.amount for allocation in credited.freed)
    entries = ledger_domain.build_credit_note_entries([share for _, share in shares], deferred, freed)
    await ledger_queries.post_ledger_entries(unit, account, LedgerDocument("credit_note", row.id, sequence), entries)


async def _shares(
    unit: Unit, before: Invoice, lines: Sequence[tuple[int, int]]
) -> list[tuple[int, CreditNoteLineShare]]:
    taxed = await invoice_queries.map_taxed_line_amounts(unit, before.id)
    return [
        (line, CreditNoteLineShare(amount, before.get_invoice_line(line).credited, *taxed[line]))
        for line, amount in lines
    ]
