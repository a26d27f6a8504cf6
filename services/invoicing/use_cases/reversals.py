"""Payments are taken back: a returned debit, a bounced cheque, a mistake."""

from uuid import UUID

from services.invoicing.domain import owed
from services.invoicing.domain.ledger import reversed_
from services.invoicing.domain.owed import AlreadyReversed
from services.invoicing.domain.states import ApprovalState
from services.invoicing.repository import accounts, approvals, invoices, ledger, payments
from services.invoicing.repository.chargeback_queries import has_open_chargeback
from services.invoicing.repository.ledger import Document
from services.invoicing.tables import PaymentRow
from services.invoicing.use_cases import balances
from services.invoicing.use_cases.paying import Unsaved, split
from services.invoicing.use_cases.payments import apply_unapplied
from shared.events.invoicing import PaymentReversed
from shared.persistence import audit
from shared.persistence.database import Unit
from shared.pure.errors import Refusal


class CashRefunded(Refusal):
    """The unapplied part of the payment is reserved for a refund, which can be withdrawn, or was paid back."""

    code = "cash_refunded"


async def _check_not_refunded(unit: Unit, payment_id: UUID) -> None:
    """Refuse to reverse a payment of which a part is refunded (docs/decisions/0051). Raises CashRefunded."""
    refunds = await approvals.list_refunds_of_payment(unit, payment_id)
    if paid := [str(id_) for id_, state in refunds if state == ApprovalState.CARRIED_OUT]:
        raise CashRefunded(
            f"a part of payment {payment_id} was paid back by refund {paid[0]}, so it cannot be reversed: claim what"
            " the bank took back by an invoice whose class of tax has the rate 0",
            refund_ids=paid,
        )
    if refunds:
        proposed = [str(id_) for id_, _ in refunds]
        raise CashRefunded(
            f"a part of payment {payment_id} is held for refund {proposed[0]}: withdraw or decline that first",
            refund_ids=proposed,
        )


class ChargedBack(Refusal):
    """A card network has a part of the payment and has not decided about it, or has all of it."""

    code = "charged_back"


async def _check_not_charged_back(unit: Unit, row: PaymentRow) -> None:
    """Refuse to reverse what the network has: that is neither taken back twice nor booked again later.

    Raises ChargedBack.
    """
    if row.charged_back_minor == row.amount_minor or await has_open_chargeback(unit, row.id):
        raise ChargedBack(
            f"{row.charged_back_minor} of payment {row.id} are charged back: record what is decided first"
        )


async def reverse_payment(unit: Unit, payment_id: UUID) -> PaymentRow:
    """Take a payment back: what it paid is open again, as a new round.

    What a lost chargeback took stays taken. Raises NotFound, AlreadyReversed, CashRefunded, ChargedBack.
    """
    account = await accounts.locked(unit, (await payments.payment_row(unit, payment_id)).account_id)
    row = await payments.payment_row(unit, payment_id, fresh=True)
    if row.state == "reversed":
        raise AlreadyReversed(f"payment {payment_id} was reversed before")
    await _check_not_refunded(unit, payment_id)
    await _check_not_charged_back(unit, row)
    allocations = await payments.allocations_of(unit, payment_id)
    before = await invoices.open_invoices(unit, account.id, {paid.invoice_id for paid in allocations})
    former, amount_minor = row.model_dump(), row.amount_minor - row.charged_back_minor
    await payments.mark_reversed(unit, payment_id)
    sequence = unit.publish(
        PaymentReversed(
            account_id=account.id,
            payment_id=payment_id,
            amount_minor=amount_minor,
            currency=row.currency,
            reopened=balances.allocated(tuple(allocations)),
        )
    )
    entries = reversed_(amount_minor, *split(allocations))
    await ledger.post(unit, account, Document("payment", payment_id, sequence), entries)
    await apply_unapplied(unit, [account], {account.id: Unsaved(before, owed.reverse(before, allocations))})
    row = await payments.payment_row(unit, payment_id, fresh=True)
    unit.record(audit.Change("payment", payment_id, account.id, former, row.model_dump()))
    return row
