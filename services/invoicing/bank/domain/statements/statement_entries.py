"""An entry of a bank statement, and by what it is known again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import NoReturn

from shared.pure.errors import Refusal
from shared.pure.hidden_characters import remove_hidden_characters
from shared.pure.money import MAX_MINOR, list_known_currencies, parse_minor_units

LONGEST_TEXT = 2000
LONGEST_NAME = 200
"""How much is kept of what a bank writes (characters)."""
MOST_IDS = 20
"""How many names of a payment are kept."""
LONGEST_REFERENCE = 140
"""More than any format has for the reference of an entry, or the number of an account (characters)."""
NO_REFERENCE = frozenset({"", "NONREF", "NOTPROVIDED", "NOREF", "0"})
"""What banks write where they have no reference; it tells no entry from another."""


class BankStatementRefused(Refusal):
    """The statement cannot be read: nothing of it was taken."""

    code = "statement_refused"
    status = 422


class BankEntryKind(StrEnum):
    """Kind of a bank entry: the event that it is about."""

    RECEIPT = "receipt"
    """One payment to us."""
    COLLECTIVE = "collective"
    """Several payments in one amount, which the bank does not tell apart."""
    RETURN = "return"
    """Something is taken back: a returned debit of ours, or a payment of ours that came back."""
    DEBIT = "debit"
    """Money that left, or none that moved."""


@dataclass(frozen=True, slots=True)
class BankStatementEntry:
    """One entry; `amount` in minor units, `place` counts from 1 within the file."""

    place: int
    account: str
    key: str
    kind: BankEntryKind
    is_credit: bool
    amount: int
    currency: str
    booked_on: date
    payer: str | None
    text: str
    reference: str
    """The bank's, or empty."""
    ids: tuple[str, ...] = ()
    """By what the parties call the payment: its end-to-end id, its structured reference, its batch."""
    return_reason: str | None = None
    former_keys: tuple["FormerBankEntryKey", ...] = ()


@dataclass(frozen=True, slots=True)
class BankStatementClosingBalance:
    """The closing balance of a statement of a bank account of ours is of this day."""

    account: str
    day: date


@dataclass(frozen=True, slots=True)
class RefusedBankStatementEntry:
    """An entry that is left out of the import of its statement, with the field that is wrong."""

    place: int
    account: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class FormerBankEntryKey:
    """The key of an entry that was taken without its reference, by the payer and the text that were kept of it."""

    key: str
    payer: str | None
    text: str


@dataclass(frozen=True, slots=True)
class FormerBankEntryReading:
    """An entry as it was read when its reference was not kept, as far as its key depends on it."""

    amount: str
    is_credit: bool
    payer: str
    text: str
    reference: str


@dataclass(frozen=True, slots=True)
class RawBankStatementEntry:
    """Entry as a file has it, before it is known whether it makes sense."""

    account: str
    amount: str
    currency: str
    is_credit: bool
    booked_on: date
    payer: str
    text: str
    reference: str
    kind: BankEntryKind = BankEntryKind.RECEIPT
    former: tuple[FormerBankEntryReading, ...] | None = None
    """How it was read when references were not kept; None: as it is read."""
    ids: tuple[str, ...] = ()
    return_reason: str = ""


def refuse_bank_statement(place: int, field: str, refusal_text: str) -> NoReturn:
    """Refuse the whole statement for the sake of one field. Raises BankStatementRefused."""
    where = f"entry {place}" if place else "the statement"
    message = f"{field}: {refusal_text}"
    raise BankStatementRefused(f"{where}: {message}", errors=[{"field": f"{where}, {field}", "message": refusal_text}])


class BankStatementEntryKeys:
    """Gives entries of one file their place and their key, by which each is taken once.

    The key is a hash of account, day, amount, direction, payer, text and the bank's reference, and the how-manieth of
    those that are equal in all of it within one statement: banks give one reference to several payments, and begin
    again in each statement.
    """

    def __init__(self) -> None:
        self.place = 0
        self._equal: Counter[str] = Counter()
        self._equal_in_file: Counter[str] = Counter()

    def restart_statement_entry_count(self) -> None:
        """Count equal entries from 1 again."""
        self._equal.clear()

    def refuse_bank_statement_entry(self, account: str, field: str, message: str) -> RefusedBankStatementEntry:
        """Leave the next entry of the file out."""
        self.place += 1
        return RefusedBankStatementEntry(self.place, account, field, message)

    def build_bank_statement_entry(self, raw_entry: RawBankStatementEntry) -> BankStatementEntry:
        """The next entry of the file. Raises BankStatementRefused."""
        self.place += 1
        amount = _amount(self.place, raw_entry)
        reference = _clean(raw_entry.reference)
        for field, value in (("reference", reference), ("account", raw_entry.account)):
            if len(value) > LONGEST_REFERENCE:
                refuse_bank_statement(self.place, field, "longer than any that a bank gives")
        reference = "" if is_placeholder_reference(reference) else reference
        digest = _digest(
            raw_entry, _sum(raw_entry, amount, raw_entry.is_credit), raw_entry.payer, raw_entry.text, reference
        )
        self._equal[digest] += 1
        moved = raw_entry.is_credit or raw_entry.kind is BankEntryKind.RETURN
        return BankStatementEntry(
            place=self.place,
            account=raw_entry.account,
            key=f"{digest} {self._equal[digest]}",
            kind=raw_entry.kind if amount and moved else BankEntryKind.DEBIT,
            is_credit=raw_entry.is_credit,
            amount=amount,
            currency=raw_entry.currency,
            booked_on=raw_entry.booked_on,
            payer=_show(raw_entry.payer)[:LONGEST_NAME] or None,
            text=_show(raw_entry.text)[:LONGEST_TEXT],
            reference=reference,
            ids=_known_ids(raw_entry.ids),
            return_reason=_show(raw_entry.return_reason)[:LONGEST_NAME] or None,
            former_keys=self._former_keys(raw_entry, is_first=self._equal[digest] == 1),
        )

    def _former_keys(self, raw_entry: RawBankStatementEntry, *, is_first: bool) -> tuple[FormerBankEntryKey, ...]:
        """The keys under which the entry may have been taken when its reference was not kept.

        Of equal ones that have a reference only the first was taken then.
        """
        readings = raw_entry.former
        if readings is None:
            readings = (
                FormerBankEntryReading(
                    raw_entry.amount, raw_entry.is_credit, raw_entry.payer, raw_entry.text, raw_entry.reference
                ),
            )
        keys = [self._former_key(raw_entry, reading, is_first=is_first) for reading in readings]
        return tuple(key for key in keys if key is not None)

    def _former_key(
        self, raw_entry: RawBankStatementEntry, reading: FormerBankEntryReading, *, is_first: bool
    ) -> FormerBankEntryKey | None:
        try:
            total = _sum(raw_entry, parse_minor_units(reading.amount, raw_entry.currency), reading.is_credit)
        except ValueError:
            return None
        reference = _clean(reading.reference)
        key = f"{reference} {total}"
        if is_placeholder_reference(reference):
            digest = _digest(raw_entry, total, reading.payer, reading.text, "")
            self._equal_in_file[digest] += 1
            key = f"{digest} {self._equal_in_file[digest]}"
        elif not is_first:
            return None
        return FormerBankEntryKey(
            key, _clean(reading.payer)[:LONGEST_NAME] or None, _clean(reading.text)[:LONGEST_TEXT]
        )


def is_placeholder_reference(reference: str) -> bool:
    """Whether it only says that there is no reference."""
    return reference.upper() in NO_REFERENCE


def _sum(raw_entry: RawBankStatementEntry, amount: int, is_credit: bool) -> str:
    return f"{raw_entry.booked_on} {amount} {raw_entry.currency} {'credit' if is_credit else 'debit'}"


def _digest(raw_entry: RawBankStatementEntry, total: str, payer: str, text: str, reference: str) -> str:
    content = [raw_entry.account, total, _clean(payer), _clean(text)] + [reference] * bool(reference)
    return sha256("\0".join(content).encode()).hexdigest()


def _known_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """The ids that tell something, each once; longer ones than any format has are left out."""
    cleaned = dict.fromkeys(_clean(id_) for id_ in ids)
    return tuple(id_ for id_ in cleaned if len(id_) <= LONGEST_REFERENCE and not is_placeholder_reference(id_))[
        :MOST_IDS
    ]


def _amount(place: int, raw_entry: RawBankStatementEntry) -> int:
    if raw_entry.currency not in list_known_currencies():
        refuse_bank_statement(place, "currency", "not an ISO 4217 currency")
    try:
        amount = parse_minor_units(raw_entry.amount, raw_entry.currency)
    except ValueError as error:
        refuse_bank_statement(place, "amount", str(error))
    if not 0 <= amount <= MAX_MINOR:
        refuse_bank_statement(place, "amount", "below zero, or more than any payment")
    return amount


def _show(text: str) -> str:
    """One line of what a bank passes on, without what a reader would not see of it."""
    return remove_hidden_characters(_clean(text))


def _clean(text: str) -> str:
    """One line, without what no database keeps."""
    return " ".join(text.replace("\0", " ").split())
