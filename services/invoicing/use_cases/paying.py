"""What paying does to accounts: it is saved, and said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.domain import ledger as postings
from services.invoicing.domain import owed, relief
from services.invoicing.domain.owed import Allocation, Paid
from services.invoicing.repository import credits, invoices, ledger
from services.invoicing.repository.accounts import Account
from services.invoicing.repository.ledger import Document
from services.invoicing.use_cases import balances
from shared.events.invoicing import SmallBalanceCleared
from shared.persistence.database import Unit


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Invoices of an account that a unit changed and left to its next step to save and to publish."""

    before: Mapping[UUID, owed.Invoice]
    after: Mapping[UUID, owed.Invoice]


@dataclass(frozen=True, slots=True)
class Change:
    """What paying does to an account: its invoices before, and what becomes of them."""

    account: Account
    before: Mapping[UUID, owed.Invoice]
    paid: Paid


def split(allocations: Sequence[Allocation]) -> tuple[int, int]:
    """What of it pays what is open, and what recovers what had been written off."""
    recovered = sum(one.amount for one in allocations if one.is_recovery)
    return sum(one.amount for one in allocations) - recovered, recovered


async def save(unit: Unit, changes: Sequence[Change]) -> None:
    """Save what was paid; a rest of it within the tolerance is let go."""
    left = [_left(change.paid) for change in changes]
    tolerated = await credits.tolerated(unit) if any(left) else {}
    told: dict[UUID, tuple[owed.Invoice, int]] = {}
    posted: list[ledger.Posting] = []
    for change, rests in zip(changes, left, strict=True):
        account, after = change.account, dict(change.paid.invoices)
        tolerance = tolerated.get((account.legal_entity, account.currency), 0)
        for invoice in rests:
            after[invoice.id] = _clear(unit, account, invoice, tolerance, posted)
        told |= balances.tell_changed(unit, account.time_zone, change.before, after)
    await ledger.post_many(unit, posted)
    await invoices.save_balances(unit, told)


def _left(paid: Paid) -> list[owed.Invoice]:
    """The invoices of which something was paid, and something is open still."""
    touched = {one.invoice_id for one in paid.allocations}
    return [paid.invoices[id_] for id_ in touched if paid.invoices[id_].open > 0]


def _clear(
    unit: Unit, account: Account, invoice: owed.Invoice, tolerance: int, posted: list[ledger.Posting]
) -> owed.Invoice:
    settled, lines = relief.clear_small(invoice, tolerance)
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
        posted.append((account, Document("small_balance", invoice.id, sequence), postings.cleared(amount)))
    return settled
