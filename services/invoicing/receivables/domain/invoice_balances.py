"""Rules of receivables: allocation, reservation, credit, reversal, overdue; amounts in minor units of the account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from shared.pure.errors import Refusal
from shared.pure.shares import allocate_in_order


class AmountAboveBalance(Refusal):
    """The amount is more than the line or invoice has left for it."""

    code = "amount_refused"


class UnknownInvoiceLine(Refusal):
    """The invoice has no such line, or it was named twice."""

    code = "unknown_line"
    status = 422


class PaymentAlreadyReversed(Refusal):
    """The payment was taken back before."""

    code = "already_reversed"


def compute_disputed_minor(reserved_minor: int, charged_back_minor: int, open_minor: int) -> int:
    """Compute what is disputed of a line: reserved for disputes and chargebacks, as far as it is still open.

    `repository.line_amounts.COMPUTE_DISPUTED_MINOR` does it for many lines.
    """
    return min(reserved_minor + charged_back_minor, open_minor)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line of an issued invoice and what happened to its amount since."""

    number: int
    subscription_id: UUID | None
    amount: int
    paid: int = 0
    credited: int = 0
    reserved: int = 0
    in_flight: int = 0
    written_off: int = 0
    charged_back: int = 0

    @property
    def open_minor(self) -> int:
        """Amount that is neither paid, credited nor written off.

        `repository.line_amounts.COMPUTE_OPEN_MINOR` does it for many lines.
        """
        return self.amount - self.paid - self.credited - self.written_off

    @property
    def disputed_minor(self) -> int:
        """Amount reserved for disputes and chargebacks, as far as it is still open."""
        return compute_disputed_minor(self.reserved, self.charged_back, self.open_minor)

    @property
    def due_minor(self) -> int:
        """open − disputed − in flight, never below zero."""
        return max(0, self.open_minor - self.disputed_minor - self.in_flight)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An issued invoice with the state of its lines. `judge_at` is when being overdue is judged next."""

    id: UUID
    account_id: UUID
    number: str
    currency: str
    due_date: date
    lines: tuple[InvoiceLine, ...]
    overdue_at: datetime | None = None
    judge_at: datetime | None = None

    @property
    def open_minor(self) -> int:
        """Amount that is open of all lines."""
        return sum(line.open_minor for line in self.lines)

    @property
    def disputed_minor(self) -> int:
        """Open amount that is disputed."""
        return sum(line.disputed_minor for line in self.lines)

    @property
    def in_flight_minor(self) -> int:
        """Open amount that is being debited at present."""
        return sum(line.in_flight for line in self.lines)

    @property
    def due_minor(self) -> int:
        """open − disputed − in flight, line by line."""
        return sum(line.due_minor for line in self.lines)

    def get_invoice_line(self, number: int) -> InvoiceLine:
        """The line of this number. Raises UnknownInvoiceLine."""
        for line in self.lines:
            if line.number == number:
                return line
        raise UnknownInvoiceLine(f"invoice {self.number} has no line {number}")

    def replace_invoice_lines(self, changed: Iterable[InvoiceLine]) -> "Invoice":
        """The invoice with these lines in the place of the former ones."""
        new = {line.number: line for line in changed}
        return replace(self, lines=tuple(new.get(line.number, line) for line in self.lines))


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received and what of it is unapplied cash."""

    id: UUID
    amount: int
    unapplied: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Allocation:
    """A part of a payment that pays a line."""

    payment_id: UUID
    invoice_id: UUID
    line: int
    amount: int
    is_recovery: bool = False
    """It pays what had been written off."""


@dataclass(frozen=True, slots=True)
class PaidInvoicesAndPayments:
    """Invoices and payments after allocating, with the allocations."""

    invoices: Mapping[UUID, Invoice]
    payments: Mapping[UUID, Payment]
    allocations: tuple[Allocation, ...] = ()


def pay_invoice_lines(invoice: Invoice, payment: Payment, wanted: Sequence[tuple[int, int]]) -> PaidInvoicesAndPayments:
    """Pay named lines with named amounts. Raises UnknownInvoiceLine, AmountAboveBalance."""
    check_invoice_line_numbers(number for number, _ in wanted)
    if sum(amount for _, amount in wanted) > payment.unapplied:
        raise AmountAboveBalance("the named lines add up to more than the payment")
    for number, amount in wanted:
        if amount > invoice.get_invoice_line(number).open_minor:
            raise AmountAboveBalance(
                f"line {number} of invoice {invoice.number} has {invoice.get_invoice_line(number).open_minor} open"
            )
    return _pay(invoice, payment, wanted)


def pay_whole_invoice(invoice: Invoice, payment: Payment) -> PaidInvoicesAndPayments:
    """Pay one invoice by line number, as far as the payment goes; disputed amounts too, since it is named."""
    return _pay(
        invoice, payment, _spread(payment.unapplied, [(line.number, line.open_minor) for line in invoice.lines])
    )


def allocate_unapplied_cash(invoices: Iterable[Invoice], payments: Iterable[Payment]) -> PaidInvoicesAndPayments:
    """Use unapplied cash, oldest payment first, for what is due of the oldest invoices.

    Disputed and in-flight amounts are left alone: nobody said that the money is meant for them.
    """
    result = PaidInvoicesAndPayments(
        {invoice.id: invoice for invoice in invoices}, {payment.id: payment for payment in payments}
    )
    for payment_id in sorted(result.payments, key=lambda id_: (result.payments[id_].received_at, id_)):
        for invoice_id in sorted(
            result.invoices, key=lambda id_: (result.invoices[id_].due_date, result.invoices[id_].number)
        ):
            invoice, payment = result.invoices[invoice_id], result.payments[payment_id]
            result = merge_paid_invoices(result, _pay(invoice, payment, _spread(payment.unapplied, _dues(invoice))))
    return result


def pay_by_remittance_advice(
    invoices: Mapping[UUID, Invoice], payment: Payment, advice: Sequence[tuple[UUID, int]]
) -> PaidInvoicesAndPayments:
    """Pay each invoice of the customer's advice with its amount, by line number. Raises AmountAboveBalance."""
    if len({invoice_id for invoice_id, _ in advice}) < len(advice):
        raise AmountAboveBalance("the remittance names an invoice twice")
    if sum(amount for _, amount in advice) > payment.unapplied:
        raise AmountAboveBalance("the remittance adds up to more than the payment")
    result = PaidInvoicesAndPayments({}, {payment.id: payment})
    for invoice_id, amount in advice:
        invoice = invoices[invoice_id]
        if amount > invoice.open_minor:
            raise AmountAboveBalance(f"invoice {invoice.number} has {invoice.open_minor} open")
        shares = _spread(amount, [(line.number, line.open_minor) for line in invoice.lines])
        result = merge_paid_invoices(result, _pay(invoice, result.payments[payment.id], shares))
    return result


def _dues(invoice: Invoice) -> list[tuple[int, int]]:
    return [(line.number, line.due_minor) for line in invoice.lines]


def _spread(amount: int, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Split an amount over lines in their order, none above its limit."""
    ordered = sorted(places)
    shares = allocate_in_order(amount, (limit for _, limit in ordered))
    return [(number, share) for (number, _), share in zip(ordered, shares, strict=True) if share]


def _pay(invoice: Invoice, payment: Payment, shares: Sequence[tuple[int, int]]) -> PaidInvoicesAndPayments:
    lines = [
        replace(invoice.get_invoice_line(number), paid=invoice.get_invoice_line(number).paid + share)
        for number, share in shares
    ]
    rest = payment.unapplied - sum(share for _, share in shares)
    return PaidInvoicesAndPayments(
        {invoice.id: invoice.replace_invoice_lines(lines)},
        {payment.id: replace(payment, unapplied=rest)},
        tuple(Allocation(payment.id, invoice.id, number, share) for number, share in shares),
    )


def merge_paid_invoices(first: PaidInvoicesAndPayments, second: PaidInvoicesAndPayments) -> PaidInvoicesAndPayments:
    """The second after the first."""
    return PaidInvoicesAndPayments(
        {**first.invoices, **second.invoices},
        {**first.payments, **second.payments},
        first.allocations + second.allocations,
    )


def reverse_payment_allocations(
    invoices: Mapping[UUID, Invoice], allocations: Iterable[Allocation]
) -> dict[UUID, Invoice]:
    """Take back what a payment paid: the debt is open again, with its original due date.

    What had been written off before it was paid is written off again.
    """
    result = dict(invoices)
    for part in allocations:
        invoice = result[part.invoice_id]
        line = invoice.get_invoice_line(part.line)
        given_up = line.written_off + (part.amount if part.is_recovery else 0)
        result[part.invoice_id] = invoice.replace_invoice_lines(
            [replace(line, paid=line.paid - part.amount, written_off=given_up)]
        )
    return result


def reserve_invoice_lines(invoice: Invoice, wanted: Sequence[tuple[int, int]]) -> Invoice:
    """Reserve amounts of lines, paid or not, up to what each was billed for.

    Raises UnknownInvoiceLine, AmountAboveBalance.
    """
    check_invoice_line_numbers(number for number, _ in wanted)
    for number, amount in wanted:
        disputable = invoice.get_invoice_line(number).amount - invoice.get_invoice_line(number).reserved
        if amount > disputable:
            raise AmountAboveBalance(f"line {number} of invoice {invoice.number} has {disputable} that can be disputed")
    return invoice.replace_invoice_lines(
        replace(invoice.get_invoice_line(number), reserved=invoice.get_invoice_line(number).reserved + amount)
        for number, amount in wanted
    )


def release_invoice_lines(invoice: Invoice, reserved_lines: Sequence[tuple[int, int]]) -> Invoice:
    """End the reservation of a dispute."""
    return invoice.replace_invoice_lines(
        replace(invoice.get_invoice_line(number), reserved=invoice.get_invoice_line(number).reserved - amount)
        for number, amount in reserved_lines
    )


def check_invoice_line_numbers(numbers: Iterable[int]) -> None:
    """Each line is named once. Raises UnknownInvoiceLine."""
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise UnknownInvoiceLine(f"line {number} is named twice")
        seen.add(number)
