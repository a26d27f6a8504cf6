"""Effects of payments on accounts: saved and published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.domain import payment_rules
from services.invoicing.payments.repository import tolerance_queries
from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.domain.invoice_balances import Allocation, PaidInvoicesAndPayments
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from shared.events.invoicing import SmallBalanceCleared
from shared.persistence.database import Unit


@dataclass(frozen=True, slots=True)
class UnsavedAccountInvoices:
    """Invoices of an account that a unit changed and left to its next step to save and to publish."""

    before: Mapping[UUID, invoice_balances.Invoice]
    after: Mapping[UUID, invoice_balances.Invoice]


@dataclass(frozen=True, slots=True)
class PaymentEffect:
    """Effect of paying on an account: its invoices before, and what becomes of them."""

    account: LockedAccount
    before: Mapping[UUID, invoice_balances.Invoice]
    paid: PaidInvoicesAndPayments


def split_recoveries(allocations: Sequence[Allocation]) -> tuple[int, int]:
    """Split an allocation into what pays what is open, and what recovers what had been written off."""
    recovered = sum(allocation.amount for allocation in allocations if allocation.is_recovery)
    return sum(allocation.amount for allocation in allocations) - recovered, recovered


async def save_payment_effects(unit: Unit, changes: Sequence[PaymentEffect]) -> None:
    """Save what was paid; a rest of it within the tolerance is let go."""
    open_by_payment = [_map_open_invoices(change.paid) for change in changes]
    tolerated = await tolerance_queries.map_payment_tolerances(unit) if any(open_by_payment) else {}
    announced_invoices: dict[UUID, tuple[invoice_balances.Invoice, int]] = {}
    posted: list[ledger_queries.Posting] = []
    for change, rests in zip(changes, open_by_payment, strict=True):
        account, after = change.account, dict(change.paid.invoices)
        tolerance = tolerated.get((account.legal_entity, account.currency), 0)
        for invoice in rests:
            after[invoice.id] = _clear(unit, account, invoice, tolerance, posted)
        announced_invoices |= balance_updates.publish_balance_changes(unit, account.time_zone, change.before, after)
    await ledger_queries.post_documents_of_accounts(unit, posted)
    await invoice_queries.save_invoice_balances(unit, announced_invoices)


def _map_open_invoices(paid: PaidInvoicesAndPayments) -> list[invoice_balances.Invoice]:
    """The invoices of which something was paid, and something is open still."""
    touched = {allocation.invoice_id for allocation in paid.allocations}
    return [paid.invoices[id_] for id_ in touched if paid.invoices[id_].open_minor > 0]


def _clear(
    unit: Unit,
    account: LockedAccount,
    invoice: invoice_balances.Invoice,
    tolerance: int,
    posted: list[ledger_queries.Posting],
) -> invoice_balances.Invoice:
    settled, lines = payment_rules.write_off_small_balance(invoice, tolerance)
    if lines:
        amount = sum(share for _, share in lines)
        sequence = unit.publish(
            SmallBalanceCleared(
                account_id=account.id,
                invoice_id=invoice.id,
                number=invoice.number,
                amount_minor=amount,
                currency=account.currency,
            )
        )
        posted.append(
            (
                account,
                LedgerDocument("small_balance", invoice.id, sequence),
                ledger_domain.build_small_balance_entries(amount),
            )
        )
    return settled
