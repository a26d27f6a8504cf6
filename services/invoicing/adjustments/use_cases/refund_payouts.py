"""Unapplied cash is paid back, once a second person agrees, or at once where none is required."""

from uuid import UUID

from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.domain import adjustment_rules
from services.invoicing.adjustments.tables.approval_tables import ApprovalRow
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.domain import Entries
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.repository import payment_queries, refund_part_queries
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from shared.events.invoicing import FreedCash, RefundApproved, RefundDeclined, RefundEvent, RefundProposed
from shared.persistence.database import Unit


async def reserve_refund_cash(unit: Unit, account: LockedAccount, row: ApprovalRow) -> None:
    """Take the amount from unapplied cash, so that no invoice uses it meanwhile. Raises AmountAboveBalance."""
    parts = await _take_cash(unit, account, row)
    await _tell(
        unit, account, row, RefundProposed, parts, ledger_domain.build_reserved_refund_entries(row.amount_minor)
    )


async def pay_refund_at_once(unit: Unit, account: LockedAccount, row: ApprovalRow) -> None:
    """Take the amount from unapplied cash and let it leave, as one fact. Raises AmountAboveBalance."""
    parts = await _take_cash(unit, account, row)
    await _tell(unit, account, row, RefundApproved, parts, ledger_domain.build_direct_refund_entries(row.amount_minor))


async def pay_out_reserved_refund(unit: Unit, account: LockedAccount, row: ApprovalRow) -> None:
    """The held amount leaves; whoever pays it out hears `RefundApproved`."""
    parts = await refund_part_queries.list_refund_parts(unit, row.id)
    await _tell(unit, account, row, RefundApproved, parts, ledger_domain.build_paid_refund_entries(row.amount_minor))


async def return_refund_cash(unit: Unit, account: LockedAccount, row: ApprovalRow) -> None:
    """The held amount is unapplied cash again, and used for what is due."""
    await refund_part_queries.return_refund_parts(unit, row.id)
    parts = await refund_part_queries.list_refund_parts(unit, row.id)
    await _tell(
        unit, account, row, RefundDeclined, parts, ledger_domain.build_declined_refund_entries(row.amount_minor)
    )
    await apply_unapplied_cash(unit, [account])


async def _take_cash(unit: Unit, account: LockedAccount, row: ApprovalRow) -> list[tuple[UUID, int]]:
    """Take a refund from unapplied cash; of which payments, and how much of each. Raises AmountAboveBalance."""
    cash = await payment_queries.map_payments_with_cash(unit, account.id)
    parts = adjustment_rules.allocate_refund_to_payments(cash.values(), row.amount_minor)
    await refund_part_queries.reserve_refund_parts(unit, row.id, account.id, parts)
    return parts


async def _tell(
    unit: Unit,
    account: LockedAccount,
    row: ApprovalRow,
    fact: type[RefundEvent],
    parts: list[tuple[UUID, int]],
    entries: Entries,
) -> None:
    sequence = unit.publish(
        fact(
            account_id=account.id,
            refund_id=row.id,
            amount_minor=row.amount_minor,
            currency=row.currency,
            parts=tuple(FreedCash(payment_id=payment_id, amount_minor=amount) for payment_id, amount in parts),
        )
    )
    await ledger_queries.post_ledger_entries(unit, account, LedgerDocument("refund", row.id, sequence), entries)
