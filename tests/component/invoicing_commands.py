"""Requests that can be made of invoicing over REST, and the answers that a model of it expects."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.builders import START, eur
from tests.unit.invoicing.model import Model, ModelLine

Verdict = tuple[int, str]
"""A status, and the code of the refusal; empty if it is none."""
Owed = tuple[dict[str, list[tuple[int, int]]], dict[str, int]]
"""(open, disputed) of each line by invoice, and unapplied cash by payment."""
NOBODY = str(UUID(int=0))
REFUSED: Verdict = (409, "amount_refused")


@dataclass(frozen=True)
class Command:
    """One POST: what is asked, with numbers that pick from what exists, and the key and body once it was sent."""

    kind: str
    """issue, pay, reverse, reserve, charge, win or lose."""
    amounts: tuple[int, ...]
    pick: int
    """Which invoice, payment, dispute or chargeback; one past the last is one that does not exist."""
    wrong: str = ""
    """currency, account, zero or field: a defect that is refused whatever is owed."""
    key: str = ""
    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)


WRONG: dict[str, Verdict] = {
    "currency": (422, "currency_mismatch"),
    "account": (404, "not_found"),
    "zero": (422, "invalid"),
    "field": (422, "invalid"),
}


@dataclass
class Charged:
    """A chargeback of a whole payment, and its pennies as the model has them."""

    payment: int
    amount: int
    pennies: list[tuple[bool, ModelLine]]
    state: str = "open"


@dataclass
class World:
    """An account as the model has it, with the ids that the product gave."""

    account: str
    model: Model = field(default_factory=Model)
    invoices: dict[str, str] = field(default_factory=dict)
    """Numbers by id."""
    amounts: dict[str, int] = field(default_factory=dict)
    """Of payments, by id."""
    payments: dict[str, int] = field(default_factory=dict)
    """The model's numbers by id; those that were taken back too."""
    chargebacks: dict[str, Charged] = field(default_factory=dict)
    disputes: dict[str, tuple[str, list[tuple[int, int]]]] = field(default_factory=dict)
    """What each was asked to hold: the invoice and its lines."""

    def address_command(self, command: Command) -> Command:
        """Give the command its path and body, as things are now, and a key of its own."""
        path, body = getattr(self, f"_{command.kind}_body")(command)
        if command.wrong == "account":
            body = body | {"account_id": NOBODY}
        if command.wrong == "field":
            body = body | {"surprise": 1}
        return replace(command, key=str(uuid4()), path=path, body=body)

    def _issue_body(self, command: Command) -> tuple[str, dict[str, Any]]:
        amounts = [*map(eur, command.amounts[:-1]), _amount(command, command.amounts[-1])]
        lines = [{"description": f"line {n}", "amount": amount} for n, amount in enumerate(amounts, 1)]
        due = START.date() + timedelta(days=command.pick)
        return "/v1/invoices", {"account_id": self.account, "lines": lines, "due_date": due.isoformat()}

    def _pay_body(self, command: Command) -> tuple[str, dict[str, Any]]:
        first, *lines = command.amounts
        body: dict[str, Any] = {"account_id": self.account, "amount": _amount(command, first)}
        if command.pick:
            body["invoice_id"] = _pick_id(list(self.invoices), command.pick - 1)
            body["lines"] = _lines(lines)
        return "/v1/payments", body

    def _reverse_body(self, command: Command) -> tuple[str, dict[str, Any]]:
        return f"/v1/payments/{_pick_id(list(self.payments), command.pick)}:reverse", {
            "reason": "the bank took it back"
        }

    def _charge_body(self, command: Command) -> tuple[str, dict[str, Any]]:
        payment = _pick_id(list(self.payments), command.pick)
        amount = self.amounts.get(payment, 1)
        days = {"booked_on": START.date().isoformat(), "answer_by": (START.date() + timedelta(days=20)).isoformat()}
        body = {"payment_id": payment, "amount": eur(amount), "network_reference": str(uuid4()), "reason_code": "other"}
        return "/v1/chargebacks", body | days

    def _win_body(self, command: Command) -> tuple[str, dict[str, Any]]:
        chargeback = _pick_id(list(self.chargebacks), command.pick)
        return f"/v1/chargebacks/{chargeback}:{command.kind}", {"reason": "the network has decided"}

    _lose_body = _win_body

    def _reserve_body(self, command: Command) -> tuple[str, dict[str, Any]]:
        first, *lines = command.amounts
        dispute_ids = list(self.disputes)
        dispute = dispute_ids[first] if first < len(dispute_ids) else str(uuid4())
        body = {"dispute_id": dispute, "invoice_id": _pick_id(list(self.invoices), command.pick)}
        return "/v1/reservations", body | {"lines": _lines(lines) or _lines([1])}

    def verdicts(self, command: Command) -> set[Verdict]:
        """How it may be answered: where more is wrong than one thing, with either."""
        invalid = {"field": (422, "invalid"), "account": (422, "invalid")}
        applies = WRONG if command.kind in ("issue", "pay") else invalid
        if command.wrong in applies:
            return {applies[command.wrong]}
        verdicts: set[Verdict] = getattr(self, f"_{command.kind}_verdicts")(command.body, command.path)
        return verdicts

    def _issue_verdicts(self, _: dict[str, Any], __: str) -> set[Verdict]:
        return {(201, "")}

    def _pay_verdicts(self, body: dict[str, Any], _: str) -> set[Verdict]:
        if "invoice_id" not in body:
            return {(201, "")}
        if body["invoice_id"] not in self.invoices:
            return {(404, "not_found")}
        lines, wanted = self._lines_of(body["invoice_id"]), _list_wanted(body)
        too_much = sum(amount for _, amount in wanted) > body["amount"]["amount_minor"]
        return _refusals({n: line.open for n, line in lines.items()}, wanted, too_much=too_much) or {(201, "")}

    def _reverse_verdicts(self, _: dict[str, Any], path: str) -> set[Verdict]:
        payment = _parse_payment(path)
        if payment not in self.payments:
            return {(404, "not_found")}
        if self.payments[payment] not in self.model.cash:
            return {(409, "already_reversed")}
        return {(409, "charged_back") if self._is_charged(payment) else (200, "")}

    def _is_charged(self, payment: str) -> bool:
        number = self.payments[payment]
        return any(charged.payment == number and charged.state != "won" for charged in self.chargebacks.values())

    def _charge_verdicts(self, body: dict[str, Any], _: str) -> set[Verdict]:
        payment = body["payment_id"]
        if payment not in self.payments:
            return {(404, "not_found")}
        if self.payments[payment] not in self.model.cash:
            return {(409, "already_reversed")}
        return {REFUSED if self._is_charged(payment) else (201, "")}

    def _win_verdicts(self, _: dict[str, Any], path: str) -> set[Verdict]:
        charged = self.chargebacks.get(_parse_chargeback(path))
        if charged is None:
            return {(404, "not_found")}
        return {(200, "") if charged.state == "open" else (409, "move_refused")}

    _lose_verdicts = _win_verdicts

    def _reserve_verdicts(self, body: dict[str, Any], _: str) -> set[Verdict]:
        invoice, wanted = body["invoice_id"], _list_wanted(body)
        if invoice not in self.invoices:
            return {(404, "not_found")}
        if reserved := self.disputes.get(body["dispute_id"]):
            return {(201, "") if reserved == (invoice, sorted(wanted)) else (409, "dispute_known")}
        return _refusals({n: line.disputable for n, line in self._lines_of(invoice).items()}, wanted) or {(201, "")}

    def _lines_of(self, invoice_id: str) -> dict[int, ModelLine]:
        return self.model.of(self.invoices[invoice_id])

    def apply_command(self, command: Command, answer: dict[str, Any]) -> None:
        """Let the model do what was answered with a success."""
        getattr(self, f"_{command.kind}_done")(command, answer)
        self.model.use_cash()

    def _issue_done(self, command: Command, answer: dict[str, Any]) -> None:
        self.invoices[answer["id"]] = answer["number"]
        due = date.fromisoformat(command.body["due_date"])
        for line, asked in enumerate(command.body["lines"], 1):
            self.model.lines[due, answer["number"], line] = ModelLine(asked["amount"]["amount_minor"])

    def _pay_done(self, command: Command, answer: dict[str, Any]) -> None:
        number = self.payments[answer["id"]] = len(self.payments) + 1
        self.model.cash[number] = self.amounts[answer["id"]] = command.body["amount"]["amount_minor"]
        if "invoice_id" in command.body:
            lines = self._lines_of(command.body["invoice_id"])
            for line, amount in _list_wanted(command.body):
                self.model.pay(lines[line], number, amount)
            if not command.body["lines"]:
                self.model.pay_invoice(self.invoices[command.body["invoice_id"]], number)

    def _reverse_done(self, command: Command, _: dict[str, Any]) -> None:
        self.model.reverse(self.payments[_parse_payment(command.path)])

    def _charge_done(self, command: Command, answer: dict[str, Any]) -> None:
        number, amount = self.payments[command.body["payment_id"]], command.body["amount"]["amount_minor"]
        paid = [(line, sum(penny[0] == number for penny in line.paid)) for line in self.model.lines.values()]
        pennies = self.model.charge_back(len(self.chargebacks), number, paid)
        self.model.cash[number] = 0
        self.chargebacks[answer["id"]] = Charged(number, amount, pennies)

    def _win_done(self, command: Command, answer: dict[str, Any]) -> None:
        charged = self._lose_done(command, answer)
        charged.state = "won"
        self.model.cash[charged.payment] += charged.amount
        self.model.book_again(charged.payment, charged.pennies)

    def _lose_done(self, _: Command, answer: dict[str, Any]) -> Charged:
        charged = self.chargebacks[answer["id"]]
        charged.state = "lost"
        self.model.decide(list(self.chargebacks).index(answer["id"]))
        return charged

    def _reserve_done(self, command: Command, _: dict[str, Any]) -> None:
        invoice, wanted = command.body["invoice_id"], _list_wanted(command.body)
        if command.body["dispute_id"] not in self.disputes:
            number = len(self.disputes) + 1
            self.disputes[command.body["dispute_id"]] = (invoice, sorted(wanted))
            for line, amount in wanted:
                self._lines_of(invoice)[line].reserved[number] = amount

    def compute_owed(self) -> Owed:
        """Compute what is open and disputed of each line of each invoice, and what of each payment pays nothing yet."""
        lines = {
            invoice: [(line.open, line.disputed) for line in self._lines_of(invoice).values()]
            for invoice in self.invoices
        }
        cash = self.model.cash
        return lines, {payment_id: cash[number] for payment_id, number in self.payments.items() if number in cash}


def _refusals(
    remaining_by_line: dict[int, int], wanted: list[tuple[int, int]], *, too_much: bool = False
) -> set[Verdict]:
    """Return the refusals of amounts for lines that have so much left; none, perhaps."""
    refusals = (
        {REFUSED} if too_much or any(amount > remaining_by_line.get(line, amount) for line, amount in wanted) else set()
    )
    return refusals | ({(422, "unknown_line")} if any(line not in remaining_by_line for line, _ in wanted) else set())


def _amount(command: Command, minor: int) -> dict[str, Any]:
    """An amount, or a wrong one."""
    return {
        "amount_minor": 0 if command.wrong == "zero" else minor,
        "currency": "USD" if command.wrong == "currency" else "EUR",
    }


def _pick_id(ids: list[str], place: int) -> str:
    """Pick one of these, or at one past the last something that nobody knows."""
    place %= len(ids) + 1
    return ids[place] if place < len(ids) else str(uuid4())


def _lines(amounts: list[int]) -> list[dict[str, int]]:
    return [{"line": line, "amount_minor": amount} for line, amount in enumerate(amounts, 1)]


def _list_wanted(body: dict[str, Any]) -> list[tuple[int, int]]:
    return [(line["line"], line["amount_minor"]) for line in body.get("lines", [])]


def _parse_payment(path: str) -> str:
    return path.removeprefix("/v1/payments/").removesuffix(":reverse")


def _parse_chargeback(path: str) -> str:
    return path.removeprefix("/v1/chargebacks/").partition(":")[0]
