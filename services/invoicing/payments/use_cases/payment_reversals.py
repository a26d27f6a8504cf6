"""Payments are taken back: a returned debit, a bounced cheque, a mistake."""

from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.ledger.domain import build_payment_reversal_entries
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.repository import payment_queries, refund_part_queries
from services.invoicing.payments.repository.chargeback_queries import has_open_chargeback
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.payments.use_cases.payment_effects import UnsavedAccountInvoices, split_recoveries
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.domain.invoice_balances import PaymentAlreadyReversed
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from services.invoicing.settings.domain.approval_states import ApprovalState
from shared.events.invoicing import PaymentReversed
from shared.persistence import audit
from shared.persistence.database import Unit
from shared.pure.errors import Refusal


class PaymentCashRefunded(Refusal):
    """The unapplied part of the payment is reserved for a refund, which can be withdrawn, or was paid back."""

    code = "cash_refunded"


async def _check_not_refunded(unit: Unit, payment_id: UUID) -> None:
    """Refuse to reverse a payment of which a part is refunded (docs/decisions/0051). Raises PaymentCashRefunded."""
    refunds = await refund_part_queries.list_refunds_of_payment(unit, payment_id)
    if paid := [str(id_) for id_, state in refunds if state == ApprovalState.CARRIED_OUT]:
        raise PaymentCashRefunded(
            f"a part of payment {payment_id} was paid back by refund {paid[0]}, so it cannot be reversed: claim what"
            " the bank took back by an invoice whose class of tax has the rate 0",
            refund_ids=paid,
        )
    if refunds:
        proposed = [str(id_) for id_, _ in refunds]
        raise PaymentCashRefunded(
            f"a part of payment {payment_id} is held for refund {proposed[0]}: withdraw or decline that first",
            refund_ids=proposed,
        )


class PaymentChargedBack(Refusal):
    """A card network has a part of the payment and has not decided about it, or has all of it."""

    code = "charged_back"


async def _check_not_charged_back(unit: Unit, row: PaymentRow) -> None:
    """Refuse to reverse what the network has: that is neither taken back twice nor booked again later.

    Raises PaymentChargedBack.
    """
    if row.charged_back_minor == row.amount_minor or await has_open_chargeback(unit, row.id):
        raise PaymentChargedBack(
            f"{row.charged_back_minor} of payment {row.id} are charged back: record what is decided first"
        )


async def reverse_received_payment(unit: Unit, payment_id: UUID) -> PaymentRow:
    """Take a payment back: what it paid is open again, as a new round.

    What a lost chargeback took stays taken. Raises NotFound, PaymentAlreadyReversed, PaymentCashRefunded,
    PaymentChargedBack.
    """
    account = await account_queries.lock_account(unit, (await payment_queries.get_payment(unit, payment_id)).account_id)
    row = await payment_queries.get_payment(unit, payment_id, fresh=True)
    if row.state == "reversed":
        raise PaymentAlreadyReversed(f"payment {payment_id} was reversed before")
    await _check_not_refunded(unit, payment_id)
    await _check_not_charged_back(unit, row)
    allocations = await payment_queries.list_allocations_of_payment(unit, payment_id)
    before = await invoice_queries.map_open_invoices(unit, account.id, {paid.invoice_id for paid in allocations})
    former, amount_minor = row.model_dump(), row.amount_minor - row.charged_back_minor
    await payment_queries.mark_payment_reversed(unit, payment_id)
    sequence = unit.publish(
        PaymentReversed(
            account_id=account.id,
            payment_id=payment_id,
            amount_minor=amount_minor,
            currency=row.currency,
            reopened_amounts=balance_updates.build_allocation_fields(tuple(allocations)),
        )
    )
    entries = build_payment_reversal_entries(amount_minor, *split_recoveries(allocations))
    await ledger_queries.post_ledger_entries(unit, account, LedgerDocument("payment", payment_id, sequence), entries)
    await apply_unapplied_cash(
        unit,
        [account],
        {account.id: UnsavedAccountInvoices(before, invoice_balances.reverse_payment_allocations(before, allocations))},
    )
    row = await payment_queries.get_payment(unit, payment_id, fresh=True)
    unit.record(audit.AuditedChange("payment", payment_id, account.id, former, row.model_dump()))
    return row
