"""Whatever happens to an account's invoices, the rules agree with a model that moves penny by penny."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.invoicing.adjustments.domain import adjustment_rules
from services.invoicing.adjustments.domain.adjustment_rules import CreditNoteEffect
from services.invoicing.adjustments.domain.line_worth import InvoiceLineWorth
from services.invoicing.payments.domain import payment_rules
from services.invoicing.payments.domain.chargebacks import (
    ChargedBackPart,
    PaidLineAmount,
    pay_won_chargeback_lines,
    release_charged_back_lines,
    reopen_charged_back_lines,
    take_charged_back_part,
)
from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    InvoiceLine,
    PaidInvoicesAndPayments,
    Payment,
    UnknownInvoiceLine,
)
from tests.examples import scale_examples
from tests.unit.invoicing.model import Model, ModelLine

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
AMOUNTS = st.integers(1, 8)
WANTED = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 3]), st.integers(1, 5)), min_size=1, max_size=2)
PICK = st.randoms(use_true_random=True)


@dataclass(frozen=True)
class Dispute:
    """Amounts that a dispute, or a debit in flight, holds of an invoice."""

    invoice_id: UUID
    reserved: list[tuple[int, int]]


@dataclass(frozen=True)
class Charged:
    """A chargeback as the rules have it, and its pennies as the model does, with whether each had been written off."""

    payment_id: UUID
    amount: int
    part: ChargedBackPart
    pennies: list[tuple[bool, ModelLine]]


class Account(RuleBasedStateMachine):
    """One account, twice: as the rules keep it, and as the model does."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.invoices: dict[UUID, Invoice] = {}
        self.payments: dict[UUID, Payment] = {}
        self.allocations: list[Allocation] = []
        self.disputes: dict[int, Dispute] = {}
        self.debits: list[Dispute] = []
        self.chargebacks: dict[int, Charged] = {}
        self.charged: Counter[UUID] = Counter()
        """What the network has of each payment, decided or not."""
        self.count = 0

    def next(self) -> int:
        """A number for the next invoice, payment or dispute."""
        self.count += 1
        return self.count

    def keep(self, paid: PaidInvoicesAndPayments) -> None:
        """Take over what the rules answered."""
        self.invoices |= paid.invoices
        self.payments |= paid.payments
        self.allocations += paid.allocations

    def use_unapplied(self) -> None:
        """As after everything that may make something due: unapplied cash is used at once, in both."""
        self.keep(invoice_balances.allocate_unapplied_cash(self.invoices.values(), self.payments.values()))
        self.model.use_cash()

    def receive_payment(self, amount: int) -> Payment:
        """Receive a new payment, in both, that pays nothing yet."""
        number = self.next()
        self.model.cash[number] = amount
        return Payment(UUID(int=number), amount, amount, FIRST + number * timedelta(hours=1))

    @initialize(amounts=st.lists(AMOUNTS, min_size=2, max_size=2))
    def first(self, amounts: list[int]) -> None:
        self.issue_invoice(0, amounts)

    @rule(days=st.integers(0, 3), amounts=st.lists(AMOUNTS, min_size=1, max_size=2))
    def issue(self, days: int, amounts: list[int]) -> None:
        self.issue_invoice(days, amounts)

    def issue_invoice(self, days: int, amounts: list[int]) -> None:
        """Issue a new invoice, in both."""
        number, due = self.next(), date(2026, 4, 1) + days * DAY
        lines = tuple(InvoiceLine(line, None, amount) for line, amount in enumerate(amounts, 1))
        self.invoices[UUID(int=number)] = Invoice(UUID(int=number), UUID(int=0), f"GS-{number:04}", "EUR", due, lines)
        self.model.lines |= {(due, f"GS-{number:04}", line.number): ModelLine(line.amount) for line in lines}
        self.use_unapplied()

    @rule(amount=AMOUNTS)
    def pay_the_oldest(self, amount: int) -> None:
        payment = self.receive_payment(amount)
        self.payments[payment.id] = payment
        self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(amount=st.integers(1, 20), pick=PICK)
    def pay_one_invoice(self, amount: int, pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        payment = self.receive_payment(amount)
        self.keep(payment_rules.pay_named_invoice(invoice, payment))
        self.model.pay_invoice(invoice.number, payment.id.int)
        self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(amount=st.integers(1, 30), wanted=WANTED, pick=PICK)
    def pay_named_lines(self, amount: int, wanted: list[tuple[int, int]], pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        payment = Payment(UUID(int=self.next()), amount, amount, FIRST + self.count * timedelta(hours=1))
        if not _are_lines(wanted, lines):
            with pytest.raises((UnknownInvoiceLine, AmountAboveBalance)):  # its amount may be too much as well
                invoice_balances.pay_invoice_lines(invoice, payment, wanted)
        elif sum(part for _, part in wanted) > amount or any(part > lines[n].open for n, part in wanted):
            with pytest.raises(AmountAboveBalance):
                invoice_balances.pay_invoice_lines(invoice, payment, wanted)
        else:
            self.model.cash[payment.id.int] = amount
            self.keep(invoice_balances.pay_invoice_lines(invoice, payment, wanted))
            for number, part in wanted:
                self.model.pay(lines[number], payment.id.int, part)
            self.use_unapplied()

    @precondition(lambda self: self.list_reversible())
    @rule(pick=PICK)
    def reverse(self, pick: Random) -> None:
        payment_id = pick.choice(self.list_reversible())
        taken = [allocation for allocation in self.allocations if allocation.payment_id == payment_id]
        self.invoices |= invoice_balances.reverse_payment_allocations(self.invoices, taken)
        self.allocations = [allocation for allocation in self.allocations if allocation.payment_id != payment_id]
        del self.payments[payment_id], self.charged[payment_id]
        self.model.reverse(payment_id.int)
        self.use_unapplied()

    def list_reversible(self) -> list[UUID]:
        """List the payments of which the network has nothing undecided."""
        return sorted(self.payments.keys() - {charged.payment_id for charged in self.chargebacks.values()})

    @precondition(lambda self: self.payments)
    @rule(wanted=WANTED, cash=st.integers(0, 2), pick=PICK)
    def charge_back_parts(self, wanted: list[tuple[int, int]], cash: int, pick: Random) -> None:
        payment = self.payments[pick.choice(sorted(self.payments))]
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        parts = {number: amount for number, amount in wanted if number in lines}
        fits = all(_count(lines[number], payment) >= amount for number, amount in parts.items())
        cash = min(cash, payment.unapplied)
        amount = sum(parts.values()) + cash
        named = [PaidLineAmount(invoice.id, number, part) for number, part in parts.items()]
        if fits and parts:
            self.take_back(payment, amount, named, [(lines[number], part) for number, part in sorted(parts.items())])
        elif parts:
            with pytest.raises(AmountAboveBalance):
                take_charged_back_part(payment, self.list_allocations(payment), amount, named)

    @precondition(lambda self: any(map(self.sum_rest, self.payments.values())))
    @rule(pick=PICK)
    def charge_back_whole(self, pick: Random) -> None:
        payment = pick.choice([payment for _, payment in sorted(self.payments.items()) if self.sum_rest(payment)])
        lines = [line for _, line in sorted(self.model.lines.items(), key=lambda place: place[0][1:])]
        parts = [(line, count) for line in lines if (count := _count(line, payment))]
        with pytest.raises(AmountAboveBalance):
            take_charged_back_part(payment, self.list_allocations(payment), self.sum_rest(payment) + 1)
        self.take_back(payment, self.sum_rest(payment), [], parts)

    def take_back(
        self, payment: Payment, amount: int, named: list[PaidLineAmount], parts: list[tuple[ModelLine, int]]
    ) -> None:
        """Let the network take an amount, in both."""
        part = take_charged_back_part(payment, self.list_allocations(payment), amount, named)
        self.invoices = reopen_charged_back_lines(self.invoices, part)
        self.allocations = _without(self.allocations, part)
        self.payments[payment.id] = replace(payment, unapplied=payment.unapplied - part.cash)
        self.charged[payment.id] += amount
        number = self.next()
        self.model.cash[payment.id.int] -= amount - sum(count for _, count in parts)
        pennies = self.model.charge_back(number, payment.id.int, parts)
        self.chargebacks[number] = Charged(payment.id, amount, part, pennies)
        self.use_unapplied()

    @precondition(lambda self: self.chargebacks)
    @rule(won=st.booleans(), pick=PICK)
    def decide(self, won: bool, pick: Random) -> None:
        number = pick.choice(sorted(self.chargebacks))
        charged = self.chargebacks.pop(number)
        self.model.decide(number)
        if won:
            payment = self.payments[charged.payment_id]
            self.charged[payment.id] -= charged.amount
            self.model.cash[payment.id.int] += charged.amount
            back = replace(payment, unapplied=payment.unapplied + charged.amount)
            self.keep(pay_won_chargeback_lines(self.invoices, back, charged.part))
            self.model.book_again(payment.id.int, charged.pennies)
        else:
            self.invoices = release_charged_back_lines(self.invoices, charged.part)
        self.use_unapplied()

    def list_allocations(self, payment: Payment) -> list[Allocation]:
        """List what a payment pays, oldest first."""
        return [paid for paid in self.allocations if paid.payment_id == payment.id]

    def sum_rest(self, payment: Payment) -> int:
        """Sum what the network can take of a payment."""
        return payment.amount - self.charged[payment.id]

    @precondition(lambda self: self.invoices)
    @rule(wanted=WANTED, pick=PICK)
    def dispute(self, wanted: list[tuple[int, int]], pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        if not _are_lines(wanted, lines):
            with pytest.raises((UnknownInvoiceLine, AmountAboveBalance)):  # its amount may be too much as well
                invoice_balances.reserve_invoice_lines(invoice, wanted)
        elif any(amount > lines[number].disputable for number, amount in wanted):
            with pytest.raises(AmountAboveBalance):
                invoice_balances.reserve_invoice_lines(invoice, wanted)
        else:
            dispute = self.next()
            self.invoices[invoice.id] = invoice_balances.reserve_invoice_lines(invoice, wanted)
            self.disputes[dispute] = Dispute(invoice.id, wanted)
            for number, amount in wanted:
                lines[number].reserved[dispute] = amount

    @precondition(
        lambda self: any(line.reserved < line.amount for bill in self.invoices.values() for line in bill.lines)
    )
    @rule(pick=PICK)
    def dispute_a_whole_line(self, pick: Random) -> None:
        free = [
            (invoice.id, line)
            for invoice in self.invoices.values()
            for line in invoice.lines
            if line.reserved < line.amount
        ]
        invoice_id, line = pick.choice(free)
        dispute, reserved = self.next(), [(line.number, line.amount - line.reserved)]
        self.invoices[invoice_id] = invoice_balances.reserve_invoice_lines(self.invoices[invoice_id], reserved)
        self.disputes[dispute] = Dispute(invoice_id, reserved)
        self.model.of(self.invoices[invoice_id].number)[line.number].reserved[dispute] = line.amount - line.reserved

    @precondition(lambda self: self.disputes)
    @rule(upheld=st.booleans(), pick=PICK)
    def settle(self, upheld: bool, pick: Random) -> None:
        number = pick.choice(sorted(self.disputes))
        dispute = self.disputes.pop(number)
        invoice = invoice_balances.release_invoice_lines(self.invoices[dispute.invoice_id], dispute.reserved)
        if upheld:
            self.apply_credit(
                adjustment_rules.credit_disputed_lines(invoice, dispute.reserved, self.allocations, InvoiceLineWorth())
            )
        else:
            self.invoices[invoice.id] = invoice
        self.model.settle(number, upheld=upheld)
        self.use_unapplied()

    def apply_credit(self, done: CreditNoteEffect) -> None:
        """Take over what a credit note did: freed parts of allocations are cash again, the newest first."""
        assert all(amount > 0 for _, amount in done.lines)
        self.invoices[done.invoice.id] = done.invoice
        for part in done.freed:
            payment, rest = self.payments[part.payment_id], part.amount
            self.payments[payment.id] = replace(payment, unapplied=payment.unapplied + part.amount)
            for place in reversed(range(len(self.allocations))):
                allocation = self.allocations[place]
                if replace(allocation, amount=0) == replace(part, amount=0):
                    share = min(allocation.amount, rest)
                    self.allocations[place] = replace(allocation, amount=allocation.amount - share)
                    rest -= share
            self.allocations = [allocation for allocation in self.allocations if allocation.amount]

    @precondition(lambda self: self.invoices)
    @rule(wanted=WANTED, pick=PICK)
    def credit(self, wanted: list[tuple[int, int]], pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        if not _are_lines(wanted, lines):
            with pytest.raises((UnknownInvoiceLine, AmountAboveBalance)):  # its amount may be too much as well
                adjustment_rules.credit_invoice_lines(invoice, wanted, self.allocations)
        elif any(amount > lines[number].open + len(lines[number].paid) for number, amount in wanted):
            with pytest.raises(AmountAboveBalance):
                adjustment_rules.credit_invoice_lines(invoice, wanted, self.allocations)
        else:
            self.apply_credit(adjustment_rules.credit_invoice_lines(invoice, wanted, self.allocations))
            assert all(self.model.credit(lines[number]) for number, amount in wanted for _ in range(amount))
            self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(pick=PICK)
    def write_off(self, pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        if not any(line.open for line in lines.values()):
            with pytest.raises(AmountAboveBalance):
                adjustment_rules.write_off_invoice(invoice)
            return
        self.invoices[invoice.id], given_up = adjustment_rules.write_off_invoice(invoice)
        assert dict(given_up) == {number: line.open for number, line in lines.items() if line.open}
        for line in lines.values():
            line.written_off += line.open

    @precondition(lambda self: self.invoices)
    @rule(tolerance=st.integers(0, 4), pick=PICK)
    def clear_a_small_balance(self, tolerance: int, pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number).values()
        small = 0 < sum(line.open for line in lines) <= tolerance and all(line.due == line.open for line in lines)
        self.invoices[invoice.id], cleared = payment_rules.write_off_small_balance(invoice, tolerance)
        assert bool(cleared) == small
        for line in lines if small else ():
            line.credited += line.open

    @precondition(lambda self: self.invoices)
    @rule(amount=st.none() | st.integers(0, 9), pick=PICK)
    def send_debit(self, amount: int | None, pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        due = sum(line.due for line in lines.values())
        wanted = due if amount is None else amount
        if not 0 < wanted <= due:
            with pytest.raises(AmountAboveBalance):
                payment_rules.mark_invoice_in_flight(invoice, amount)
            return
        self.invoices[invoice.id], reserved = payment_rules.mark_invoice_in_flight(invoice, amount)
        self.debits.append(Dispute(invoice.id, reserved))
        for line in lines.values():
            while line.due and wanted:
                line.in_flight, wanted = line.in_flight + 1, wanted - 1

    @precondition(lambda self: self.debits)
    @rule(pick=PICK)
    def land_debit(self, pick: Random) -> None:
        debit = self.debits.pop(pick.randrange(len(self.debits)))
        invoice = self.invoices[debit.invoice_id]
        self.invoices[invoice.id] = payment_rules.clear_invoice_in_flight(invoice, debit.reserved)
        for number, amount in debit.reserved:
            self.model.of(invoice.number)[number].in_flight -= amount
        self.use_unapplied()

    @precondition(lambda self: len(self.invoices) > 1)
    @rule(amount=st.integers(1, 12), parts=st.lists(st.integers(1, 8), min_size=1, max_size=2), pick=PICK)
    def pay_by_remittance(self, amount: int, parts: list[int], pick: Random) -> None:
        payment = Payment(UUID(int=self.next()), amount, amount, FIRST + self.count * timedelta(hours=1))
        advice = list(zip(pick.sample(sorted(self.invoices), len(parts)), parts, strict=True))
        if sum(parts) > amount or any(part > self.invoices[id_].open_minor for id_, part in advice):
            with pytest.raises(AmountAboveBalance):
                invoice_balances.pay_by_remittance_advice(self.invoices, payment, advice)
            return
        self.keep(invoice_balances.pay_by_remittance_advice(self.invoices, payment, advice))
        self.model.cash[payment.id.int] = amount
        for id_, part in advice:
            for line in self.model.of(self.invoices[id_].number).values():
                while line.open and part:
                    self.model.pay(line, payment.id.int, 1)
                    part -= 1
        self.use_unapplied()

    @invariant()
    def lines_match_model(self) -> None:
        for invoice in self.invoices.values():
            for number, expected in self.model.of(invoice.number).items():
                line = invoice.get_invoice_line(number)
                assert (line.open_minor, line.disputed_minor, line.due_minor) == (
                    expected.open,
                    expected.disputed,
                    expected.due,
                )
                assert (line.paid, line.credited) == (len(expected.paid), expected.credited)
                assert (line.written_off, line.in_flight) == (expected.written_off, expected.in_flight)
                assert 0 <= line.open_minor <= line.amount
                assert 0 <= line.disputed_minor <= line.open_minor
                assert 0 <= line.due_minor <= line.open_minor
                assert line.reserved <= line.amount
                assert line.charged_back == sum(expected.charged_back.values())
                assert self.count_recovered(invoice, number) == sum(flag for _, flag in expected.paid)

    def count_recovered(self, invoice: Invoice, number: int) -> int:
        """Sum what pays a line that had been written off."""
        paying = [paid for paid in self.allocations if (paid.invoice_id, paid.line) == (invoice.id, number)]
        return sum(paid.amount for paid in paying if paid.is_recovery)

    @invariant()
    def invoices_sum_their_lines(self) -> None:
        for invoice in self.invoices.values():
            lines = self.model.of(invoice.number).values()
            assert invoice.open_minor == sum(line.open for line in lines)
            assert invoice.disputed_minor == sum(line.disputed for line in lines)
            assert invoice.in_flight_minor == sum(line.in_flight for line in lines)
            assert invoice.due_minor == sum(line.due for line in lines)

    @invariant()
    def every_penny_is_somewhere(self) -> None:
        assert {payment.id.int: payment.unapplied for payment in self.payments.values()} == self.model.cash
        for payment in self.payments.values():
            used = [allocation.amount for allocation in self.allocations if allocation.payment_id == payment.id]
            assert all(amount > 0 for amount in used)
            assert sum(used) + payment.unapplied + self.charged[payment.id] == payment.amount

    @invariant()
    def network_money_is_blocked(self) -> None:
        for invoice in self.invoices.values():
            for line in invoice.lines:
                assert line.due_minor <= max(line.open_minor - line.charged_back, 0)

    @invariant()
    def no_cash_lies_idle(self) -> None:
        idle = sum(payment.unapplied for payment in self.payments.values())
        assert not idle or not any(invoice.due_minor for invoice in self.invoices.values())


def _count(line: ModelLine, payment: Payment) -> int:
    return sum(number == payment.id.int for number, _ in line.paid)


def _without(allocations: list[Allocation], part: ChargedBackPart) -> list[Allocation]:
    """Take a part off the newest of these allocations."""
    taken, rests = Counter({replace(paid, amount=0): paid.amount for paid in part.allocations}), []
    for paid in reversed(allocations):
        share = min(paid.amount, taken[replace(paid, amount=0)])
        taken[replace(paid, amount=0)] -= share
        rests.append(replace(paid, amount=paid.amount - share))
    return [rest for rest in reversed(rests) if rest.amount]


def _are_lines(wanted: list[tuple[int, int]], lines: dict[int, ModelLine]) -> bool:
    numbers = [number for number, _ in wanted]
    return len(set(numbers)) == len(numbers) and set(numbers) <= set(lines)


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=scale_examples(100), stateful_step_count=25, deadline=None)
