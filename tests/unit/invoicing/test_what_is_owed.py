"""Whatever happens to an account's invoices, the rules agree with a model that moves penny by penny."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.invoicing.domain import owed
from services.invoicing.domain.owed import Allocation, AmountRefused, Invoice, Line, Paid, Payment, UnknownLine
from tests.unit.invoicing.model import Model, ModelLine

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
AMOUNTS = st.integers(1, 8)
WANTED = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 3]), st.integers(1, 5)), min_size=1, max_size=2)
PICK = st.randoms(use_true_random=False)


@dataclass(frozen=True)
class Dispute:
    """What a dispute holds of which invoice."""

    invoice_id: UUID
    held: list[tuple[int, int]]


class Account(RuleBasedStateMachine):
    """One account, twice: as the rules keep it, and as the model does."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.invoices: dict[UUID, Invoice] = {}
        self.payments: dict[UUID, Payment] = {}
        self.allocations: list[Allocation] = []
        self.disputes: dict[int, Dispute] = {}
        self.count = 0

    def next(self) -> int:
        """A number for the next invoice, payment or dispute."""
        self.count += 1
        return self.count

    def keep(self, paid: Paid) -> None:
        """Take over what the rules answered."""
        self.invoices |= paid.invoices
        self.payments |= paid.payments
        self.allocations += paid.allocations

    def use_unapplied(self) -> None:
        """As after everything that may make something due: unapplied cash is used at once, in both."""
        self.keep(owed.use_unapplied(self.invoices.values(), self.payments.values()))
        self.model.use_cash()

    def received(self, amount: int) -> Payment:
        """A new payment, in both, that pays nothing yet."""
        number = self.next()
        self.model.cash[number] = amount
        return Payment(UUID(int=number), amount, amount, FIRST + number * timedelta(hours=1))

    @initialize(amounts=st.lists(AMOUNTS, min_size=2, max_size=2))
    def first(self, amounts: list[int]) -> None:
        self.issued(0, amounts)

    @rule(days=st.integers(0, 3), amounts=st.lists(AMOUNTS, min_size=1, max_size=2))
    def issue(self, days: int, amounts: list[int]) -> None:
        self.issued(days, amounts)

    def issued(self, days: int, amounts: list[int]) -> None:
        """A new invoice, in both."""
        number, due = self.next(), date(2026, 4, 1) + days * DAY
        lines = tuple(Line(line, None, amount) for line, amount in enumerate(amounts, 1))
        self.invoices[UUID(int=number)] = Invoice(UUID(int=number), UUID(int=0), f"GS-{number:04}", "EUR", due, lines)
        self.model.lines |= {(due, f"GS-{number:04}", line.number): ModelLine(line.amount) for line in lines}
        self.use_unapplied()

    @rule(amount=AMOUNTS)
    def pay_the_oldest(self, amount: int) -> None:
        payment = self.received(amount)
        self.payments[payment.id] = payment
        self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(amount=st.integers(1, 20), pick=PICK)
    def pay_one_invoice(self, amount: int, pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        payment = self.received(amount)
        self.keep(owed.pay_invoice(invoice, payment))
        self.model.pay_invoice(invoice.number, payment.id.int)
        self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(amount=st.integers(1, 30), wanted=WANTED, pick=PICK)
    def pay_named_lines(self, amount: int, wanted: list[tuple[int, int]], pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        payment = Payment(UUID(int=self.next()), amount, amount, FIRST + self.count * timedelta(hours=1))
        if not _are_lines(wanted, lines):
            with pytest.raises((UnknownLine, AmountRefused)):  # its amount may be too much as well
                owed.pay_lines(invoice, payment, wanted)
        elif sum(part for _, part in wanted) > amount or any(part > lines[n].open for n, part in wanted):
            with pytest.raises(AmountRefused):
                owed.pay_lines(invoice, payment, wanted)
        else:
            self.model.cash[payment.id.int] = amount
            self.keep(owed.pay_lines(invoice, payment, wanted))
            for number, part in wanted:
                self.model.pay(lines[number], payment.id.int, part)
            self.use_unapplied()

    @precondition(lambda self: self.payments)
    @rule(pick=PICK)
    def reverse(self, pick: Random) -> None:
        payment_id = pick.choice(sorted(self.payments))
        taken = [one for one in self.allocations if one.payment_id == payment_id]
        self.invoices |= owed.reverse(self.invoices, taken)
        self.allocations = [one for one in self.allocations if one.payment_id != payment_id]
        del self.payments[payment_id]
        self.model.reverse(payment_id.int)
        self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(wanted=WANTED, pick=PICK)
    def dispute(self, wanted: list[tuple[int, int]], pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        lines = self.model.of(invoice.number)
        if not _are_lines(wanted, lines):
            with pytest.raises((UnknownLine, AmountRefused)):  # its amount may be too much as well
                owed.reserve(invoice, wanted)
        elif any(amount > lines[number].due for number, amount in wanted):
            with pytest.raises(AmountRefused):
                owed.reserve(invoice, wanted)
        else:
            dispute = self.next()
            self.invoices[invoice.id] = owed.reserve(invoice, wanted)
            self.disputes[dispute] = Dispute(invoice.id, wanted)
            for number, amount in wanted:
                lines[number].held[dispute] = amount

    @precondition(lambda self: any(invoice.due for invoice in self.invoices.values()))
    @rule(pick=PICK)
    def dispute_a_whole_line(self, pick: Random) -> None:
        free = [(one.id, line) for one in self.invoices.values() for line in one.lines if line.due]
        invoice_id, line = pick.choice(free)
        dispute, held = self.next(), [(line.number, line.due)]
        self.invoices[invoice_id] = owed.reserve(self.invoices[invoice_id], held)
        self.disputes[dispute] = Dispute(invoice_id, held)
        self.model.of(self.invoices[invoice_id].number)[line.number].held[dispute] = line.due

    @precondition(lambda self: self.disputes)
    @rule(upheld=st.booleans(), pick=PICK)
    def settle(self, upheld: bool, pick: Random) -> None:
        number = pick.choice(sorted(self.disputes))
        dispute = self.disputes.pop(number)
        invoice = owed.release(self.invoices[dispute.invoice_id], dispute.held)
        before = {line.number: line.open for line in invoice.lines}
        if upheld:
            invoice, credited = owed.credit(invoice, dispute.held)
            assert all(0 < amount <= before[line] for line, amount in credited)
            assert sum(amount for _, amount in credited) == sum(before.values()) - invoice.open
        self.invoices[invoice.id] = invoice
        self.model.settle(number, upheld=upheld)
        self.use_unapplied()

    @precondition(lambda self: self.invoices)
    @rule(amount=st.sampled_from([0, 0, 3]), pick=PICK)
    def debit(self, amount: int, pick: Random) -> None:
        invoice = self.invoices[pick.choice(sorted(self.invoices))]
        line = pick.choice(invoice.lines)
        self.invoices[invoice.id] = invoice.with_lines([replace(line, in_flight=amount)])
        self.model.of(invoice.number)[line.number].in_flight = amount
        self.use_unapplied()

    @invariant()
    def lines_are_those_of_the_model(self) -> None:
        for invoice in self.invoices.values():
            for number, expected in self.model.of(invoice.number).items():
                line = invoice.line(number)
                assert (line.open, line.disputed, line.due) == (expected.open, expected.disputed, expected.due)
                assert (line.paid, line.credited) == (sum(expected.paid.values()), expected.credited)
                assert 0 <= line.open <= line.amount
                assert 0 <= line.disputed <= line.open
                assert 0 <= line.due <= line.open
                assert line.reserved <= line.amount

    @invariant()
    def invoices_are_the_sums_of_their_lines(self) -> None:
        for invoice in self.invoices.values():
            lines = self.model.of(invoice.number).values()
            assert invoice.open == sum(line.open for line in lines)
            assert invoice.disputed == sum(line.disputed for line in lines)
            assert invoice.in_flight == sum(line.in_flight for line in lines)
            assert invoice.due == sum(line.due for line in lines)

    @invariant()
    def every_penny_of_a_payment_is_somewhere(self) -> None:
        assert {one.id.int: one.unapplied for one in self.payments.values()} == self.model.cash
        for payment in self.payments.values():
            used = [one.amount for one in self.allocations if one.payment_id == payment.id]
            assert all(amount > 0 for amount in used)
            assert sum(used) + payment.unapplied == payment.amount

    @invariant()
    def no_cash_lies_idle_while_something_is_due(self) -> None:
        idle = sum(payment.unapplied for payment in self.payments.values())
        assert not idle or not any(invoice.due for invoice in self.invoices.values())


def _are_lines(wanted: list[tuple[int, int]], lines: dict[int, ModelLine]) -> bool:
    numbers = [number for number, _ in wanted]
    return len(set(numbers)) == len(numbers) and set(numbers) <= set(lines)


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
