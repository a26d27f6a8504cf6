"""A model of what is owed, penny by penny: slow, plain, and independent of the rules that it is held against."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter

Place = tuple[date, str, int]
"""A line: the due date and number of its invoice, and its own number. In this order unnamed money is used."""


@dataclass
class ModelLine:
    """One line: by which payment each penny was paid, in their order, and what each dispute holds."""

    amount: int
    paid: list[tuple[int, bool]] = field(default_factory=list)
    """The payment of each penny, and whether it had been written off before."""
    reserved: dict[int, int] = field(default_factory=dict)
    charged_back: dict[int, int] = field(default_factory=dict)
    """What is reserved for each chargeback."""
    credited: int = 0
    written_off: int = 0
    in_flight: int = 0

    @property
    def open(self) -> int:
        """Amount left to pay."""
        return self.amount - len(self.paid) - self.credited - self.written_off

    @property
    def disputed(self) -> int:
        """Amount of the rest that is held: what is paid of a disputed line holds nothing back."""
        return min(sum(self.reserved.values()) + sum(self.charged_back.values()), self.open)

    @property
    def disputable(self) -> int:
        """Amount of the line that no dispute holds, paid or not."""
        return self.amount - sum(self.reserved.values())

    @property
    def due(self) -> int:
        """Amount of the rest that nobody holds."""
        return max(self.open - self.disputed - self.in_flight, 0)


@dataclass
class Model:
    """The lines of one account and the cash that nothing uses yet, by the number of its payment."""

    lines: dict[Place, ModelLine] = field(default_factory=dict)
    cash: dict[int, int] = field(default_factory=dict)

    def of(self, invoice: str) -> dict[int, ModelLine]:
        """The lines of an invoice by their number."""
        return {line: model_line for (_, number, line), model_line in sorted(self.lines.items()) if number == invoice}

    def use_cash(self) -> None:
        """The oldest penny pays the oldest line that has a penny due, until one of them runs out."""
        for payment in sorted(self.cash):
            for line in self._oldest_due(payment):
                self.pay(line, payment, 1)

    def _oldest_due(self, payment: int) -> Iterator[ModelLine]:
        for _, line in sorted(self.lines.items()):
            while line.due and self.cash[payment]:
                yield line

    def pay(self, line: ModelLine, payment: int, amount: int) -> None:
        """Move cash of a payment to a line."""
        self.cash[payment] -= amount
        line.paid += [(payment, False)] * amount

    def pay_invoice(self, invoice: str, payment: int) -> None:
        """Each penny goes to the first line of the invoice that has one open."""
        for line in self.of(invoice).values():
            while line.open and self.cash[payment]:
                self.pay(line, payment, 1)
        for line in self.of(invoice).values():
            while line.written_off and self.cash[payment]:
                self.cash[payment] -= 1
                line.written_off -= 1
                line.paid.append((payment, True))

    def reverse(self, payment: int) -> None:
        """As if the payment had never been."""
        del self.cash[payment]
        for line in self.lines.values():
            line.written_off += line.paid.count((payment, True))
            line.paid = [penny for penny in line.paid if penny[0] != payment]

    def charge_back(
        self, chargeback: int, payment: int, parts: list[tuple[ModelLine, int]]
    ) -> list[tuple[bool, ModelLine]]:
        """Take the last pennies of a payment from lines; each with its line, and whether it had been written off."""
        places: list[tuple[bool, ModelLine]] = []
        for line, amount in parts:
            for _ in range(amount):
                place = max(place for place, penny in enumerate(line.paid) if penny[0] == payment)
                _, was_written_off = line.paid.pop(place)
                line.written_off += was_written_off
                line.charged_back[chargeback] = line.charged_back.get(chargeback, 0) + (not was_written_off)
                places.append((was_written_off, line))
        return places

    def decide(self, chargeback: int) -> None:
        """Reserve nothing for a chargeback any more."""
        for line in self.lines.values():
            line.charged_back.pop(chargeback, None)

    def book_again(self, payment: int, pennies: list[tuple[bool, ModelLine]]) -> None:
        """Pay each penny's line as it was paid, or in the other way; a penny that fits in neither is cash."""
        for was_written_off, line in sorted(pennies, key=itemgetter(0)):
            room = {False: line.open, True: line.written_off}
            for is_recovery in (was_written_off, not was_written_off):
                if room[is_recovery]:
                    line.written_off -= is_recovery
                    line.paid.append((payment, is_recovery))
                    self.cash[payment] -= 1
                    break

    def settle(self, dispute: int, *, upheld: bool) -> None:
        """Each line lets go of what it held; upheld, that is credited as far as there is something to credit."""
        for line in self.lines.values():
            reserved = line.reserved.pop(dispute, 0)
            for _ in range(reserved if upheld else 0):
                self.credit(line)

    def credit(self, line: ModelLine) -> bool:
        """Credit a penny: one that is open, else the last that was paid, which is cash again; whether there was one."""
        if line.open:
            line.credited += 1
        elif line.paid:
            payment, _ = line.paid.pop()
            self.cash[payment] += 1
            line.credited += 1
        else:
            return False
        return True
