"""An entry of a bank statement, and by what it is known again."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import NoReturn

from shared.errors import Refusal
from shared.money import MAX_MINOR, known_currencies, to_minor

LONGEST_TEXT = 2000
LONGEST_NAME = 200
"""How much is kept of what a bank writes (characters)."""
LONGEST_REFERENCE = 140
"""More than any format has for the reference of an entry, or the number of an account (characters)."""
NO_REFERENCE = frozenset({"", "NONREF", "NOTPROVIDED", "NOREF", "0"})
"""What banks write where they have no reference; it tells no entry from another."""


class StatementRefused(Refusal):
    """The statement cannot be read: nothing of it was taken."""

    code = "statement_refused"
    status = 422


class EntryKind(StrEnum):
    """What an entry is about."""

    RECEIPT = "receipt"
    """One payment to us."""
    COLLECTIVE = "collective"
    """Several payments in one amount, which the bank does not tell apart."""
    RETURN = "return"
    """Something is taken back: a returned debit of ours, or a payment of ours that came back."""
    DEBIT = "debit"
    """Money that left, or none that moved."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `amount` in minor units, `place` counts from 1 within the file."""

    place: int
    account: str
    key: str
    kind: EntryKind
    is_credit: bool
    amount: int
    currency: str
    booked_on: date
    payer: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Closing:
    """The closing balance of a statement of a bank account of ours is of this day."""

    account: str
    day: date


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says of an entry, before it is known whether it makes sense."""

    account: str
    amount: str
    currency: str
    is_credit: bool
    booked_on: date
    payer: str
    text: str
    reference: str
    kind: EntryKind = EntryKind.RECEIPT


def refuse(place: int, field: str, why: str) -> NoReturn:
    """Refuse the whole statement for the sake of one field. Raises StatementRefused."""
    where = f"entry {place}" if place else "the statement"
    message = f"{field}: {why}"
    raise StatementRefused(f"{where}: {message}", errors=[{"field": f"{where}, {field}", "message": why}])


class Keys:
    """Gives entries of one file their place and their key, by which each is taken once.

    The key is the bank's reference with what the entry comes to; without one, a hash of the content and the
    entry's place among equal ones in the file: two equal entries are two, and the same file again is the same.
    """

    def __init__(self) -> None:
        self.place = 0
        self._equal: Counter[str] = Counter()

    def entry(self, found: Found) -> Entry:
        """The next entry of the file. Raises StatementRefused."""
        self.place += 1
        amount = _amount(self.place, found)
        sure = f"{found.booked_on} {amount} {found.currency} {'credit' if found.is_credit else 'debit'}"
        reference = _clean(found.reference)
        for field, value in (("reference", reference), ("account", found.account)):
            if len(value) > LONGEST_REFERENCE:
                refuse(self.place, field, "longer than any that a bank gives")
        moved = found.is_credit or found.kind is EntryKind.RETURN
        return Entry(
            place=self.place,
            account=found.account,
            key=self._hash(found, sure) if reference.upper() in NO_REFERENCE else f"{reference} {sure}",
            kind=found.kind if amount and moved else EntryKind.DEBIT,
            is_credit=found.is_credit,
            amount=amount,
            currency=found.currency,
            booked_on=found.booked_on,
            payer=_clean(found.payer)[:LONGEST_NAME] or None,
            text=_clean(found.text)[:LONGEST_TEXT],
        )

    def _hash(self, found: Found, sure: str) -> str:
        content = "\0".join((found.account, sure, _clean(found.payer), _clean(found.text)))
        digest = sha256(content.encode()).hexdigest()
        self._equal[digest] += 1
        return f"{digest} {self._equal[digest]}"


def _amount(place: int, found: Found) -> int:
    if found.currency not in known_currencies():
        refuse(place, "currency", "not an ISO 4217 currency")
    try:
        amount = to_minor(found.amount, found.currency)
    except ValueError as error:
        refuse(place, "amount", str(error))
    if not 0 <= amount <= MAX_MINOR:
        refuse(place, "amount", "below zero, or more than any payment")
    return amount


def _clean(text: str) -> str:
    """One line, without what no database keeps."""
    return " ".join(text.replace("\0", " ").split())
