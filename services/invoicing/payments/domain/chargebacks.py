"""Chargebacks: what a card network takes of a payment, and what becomes of it when the network decides.

Pure, like `invoice_balances`: values in, values out, minor units of one currency.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from services.invoicing.payments.domain.payment_rules import take_back_payment_allocations
from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    PaidInvoicesAndPayments,
    Payment,
)
from shared.pure.shares import allocate_in_order


class ChargebackState(StrEnum):
    """Whether the network has decided."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


CHARGEBACK_ALLOWED: Mapping[ChargebackState, frozenset[ChargebackState]] = {
    ChargebackState.OPEN: frozenset({ChargebackState.WON, ChargebackState.LOST}),
    ChargebackState.WON: frozenset(),
    ChargebackState.LOST: frozenset(),
}


class PaidLineAmount(NamedTuple):
    """An amount of what a payment pays of a line."""

    invoice_id: UUID
    line: int
    amount: int


@dataclass(frozen=True, slots=True)
class ChargedBackPart:
    """Amount that a chargeback takes of a payment: of lines that it pays, each once, and of its unapplied cash."""

    allocations: tuple[Allocation, ...]
    cash: int

    @property
    def reopened_allocations(self) -> tuple[Allocation, ...]:
        """Allocations whose lines are open again; what had been written off before it was paid is written off again."""
        return tuple(allocation for allocation in self.allocations if not allocation.is_recovery)


def take_charged_back_part(
    payment: Payment, allocations: Sequence[Allocation], amount: int, wanted: Sequence[PaidLineAmount] = ()
) -> ChargedBackPart:
    """Take an amount of a payment: the wanted parts, or its unapplied cash and then its newest allocations.

    `allocations` are what the payment pays, oldest first. Raises AmountAboveBalance.
    """
    rest = payment.unapplied + sum(allocation.amount for allocation in allocations)
    if amount > rest:
        raise AmountAboveBalance(f"payment {payment.id} has {rest} left that can be charged back")
    newest_first = allocations[::-1]
    if wanted:
        return _take_wanted(payment, newest_first, amount, wanted)
    cash = min(payment.unapplied, amount)
    return ChargedBackPart(_join_lines(take_back_payment_allocations(newest_first, amount - cash)), cash)


def _take_wanted(
    payment: Payment, newest_first: Sequence[Allocation], amount: int, wanted: Sequence[PaidLineAmount]
) -> ChargedBackPart:
    taken: list[Allocation] = []
    for (invoice_id, line), share in _sum_wanted(wanted).items():
        paying = [paid for paid in newest_first if (paid.invoice_id, paid.line) == (invoice_id, line)]
        if share > sum(allocation.amount for allocation in paying):
            raise AmountAboveBalance(
                f"allocations: payment {payment.id} pays less of line {line} of invoice {invoice_id}"
            )
        taken += take_back_payment_allocations(paying, share)
    cash = amount - sum(allocation.amount for allocation in taken)
    if not 0 <= cash <= payment.unapplied:
        raise AmountAboveBalance(
            f"allocations: with {payment.unapplied} of unapplied cash they do not add up to {amount}"
        )
    return ChargedBackPart(_join_lines(taken), cash)


def _sum_wanted(wanted: Iterable[PaidLineAmount]) -> Counter[tuple[UUID, int]]:
    sums: Counter[tuple[UUID, int]] = Counter()
    for part in wanted:
        sums[part.invoice_id, part.line] += part.amount
    return sums


def _join_lines(allocations: Iterable[Allocation]) -> tuple[Allocation, ...]:
    """Join what is of one line into one, in the order in which it is kept."""
    sums: Counter[Allocation] = Counter()
    for allocation in allocations:
        sums[replace(allocation, amount=0)] += allocation.amount
    joined = (replace(place, amount=amount) for place, amount in sums.items())
    return tuple(sorted(joined, key=attrgetter("invoice_id", "line", "is_recovery")))


def is_same_charged_part(part: ChargedBackPart, wanted: Sequence[PaidLineAmount]) -> bool:
    """Say whether these wanted parts are those that were taken; none are wanted where the order decided."""
    taken: Counter[tuple[UUID, int]] = Counter()
    for allocation in part.allocations:
        taken[allocation.invoice_id, allocation.line] += allocation.amount
    return not wanted or taken == _sum_wanted(wanted)


def reopen_charged_back_lines(invoices: Mapping[UUID, Invoice], part: ChargedBackPart) -> dict[UUID, Invoice]:
    """Open again what was paid, and reserve it in the same step: nothing of it is due while the network decides."""
    return _add_charged_back(invoice_balances.reverse_payment_allocations(invoices, part.allocations), part, 1)


def release_charged_back_lines(invoices: Mapping[UUID, Invoice], part: ChargedBackPart) -> dict[UUID, Invoice]:
    """Release what a chargeback reserved: what is open of it is due."""
    return _add_charged_back(invoices, part, -1)


def _add_charged_back(invoices: Mapping[UUID, Invoice], part: ChargedBackPart, sign: int) -> dict[UUID, Invoice]:
    result = dict(invoices)
    for allocation in part.reopened_allocations:
        invoice = result[allocation.invoice_id]
        line = invoice.get_invoice_line(allocation.line)
        changed = replace(line, charged_back=line.charged_back + sign * allocation.amount)
        result[allocation.invoice_id] = invoice.replace_invoice_lines([changed])
    return result


def pay_won_chargeback_lines(
    invoices: Mapping[UUID, Invoice], payment: Payment, part: ChargedBackPart
) -> PaidInvoicesAndPayments:
    """Release the lines of a chargeback that was won, and pay them again with what came back.

    `payment` has the money as unapplied cash; what is not owed of these lines any more stays that.
    """
    result = PaidInvoicesAndPayments(release_charged_back_lines(invoices, part), {payment.id: payment})
    for allocation in part.allocations:
        result = invoice_balances.merge_paid_invoices(result, _pay_again(result, payment.id, allocation))
    return result


def _pay_again(paid: PaidInvoicesAndPayments, payment_id: UUID, allocation: Allocation) -> PaidInvoicesAndPayments:
    """Pay a line as it was paid: what is open of it, or what was written off; then the other of the two."""
    invoice, payment = paid.invoices[allocation.invoice_id], paid.payments[payment_id]
    line = invoice.get_invoice_line(allocation.line)
    ways = (allocation.is_recovery, not allocation.is_recovery)
    shares = allocate_in_order(
        allocation.amount, (line.written_off if is_recovery else line.open_minor for is_recovery in ways)
    )
    recovered = sum(share for is_recovery, share in zip(ways, shares, strict=True) if is_recovery)
    paid_again = replace(line, paid=line.paid + sum(shares), written_off=line.written_off - recovered)
    return PaidInvoicesAndPayments(
        {invoice.id: invoice.replace_invoice_lines([paid_again])},
        {payment_id: replace(payment, unapplied=payment.unapplied - sum(shares))},
        tuple(
            replace(allocation, amount=share, is_recovery=is_recovery)
            for is_recovery, share in zip(ways, shares, strict=True)
            if share
        ),
    )
