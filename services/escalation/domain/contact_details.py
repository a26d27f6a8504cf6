"""Addresses and numbers of people in what goes to the vendor: found, and then removed or let through by a person.

A ticket carries contact data of ours, never the customer's.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from phonenumbers import Leniency, PhoneNumberMatch, PhoneNumberMatcher, is_valid_number

from services.escalation.domain.contact_patterns import (
    DetailKind,
    Span,
    find_mail_addresses,
    find_personal_numbers,
    mask_dates,
    strip_markup,
)

Choice = Literal["remove", "let_through"]
REMOVED = "[removed]"
MIN_DIGITS = 7
"""How few digits a number of a country may have that begins as one: less is a count or a time."""
MIN_NATIONAL_DIGITS = 4
"""How few digits a number has in any country, by the metadata of phonenumbers; what is shorter is not tried."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class ContactDetail:
    """An address, or a number of a telephone, a bank account or a card, in a text."""

    kind: DetailKind
    content: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ContactDetailDecision:
    """A person's choice about what was found, as it is written there."""

    content: str
    choice: Choice
    reason: str


@dataclass(frozen=True, slots=True)
class CleanedText:
    """A text after the choices, with what nobody has decided about, and what was decided."""

    text: str
    undecided: tuple[ContactDetail, ...]
    decided: tuple[tuple[ContactDetail, ContactDetailDecision], ...]


def find_contact_details(text: str, countries: Sequence[str]) -> list[ContactDetail]:
    """Find addresses and numbers, of telephones as they are written in these countries, or anywhere with `+`.

    Those that overlap are one, from the beginning of the first to the end of the last.
    """
    findings: list[ContactDetail] = []
    for finding in sorted(_iterate_details(text, countries), key=lambda finding: (finding.start, -finding.end)):
        last = findings[-1] if findings else None
        if last is None or finding.start >= last.end:
            findings.append(finding)
        elif finding.end > last.end:
            findings[-1] = ContactDetail(last.kind, text[last.start : finding.end], last.start, finding.end)
    return findings


def _iterate_details(text: str, countries: Sequence[str]) -> Iterator[ContactDetail]:
    for kind, start, end in _iterate_spans(text, countries):
        yield ContactDetail(kind, text[start:end], start, end)


def _iterate_spans(text: str, countries: Sequence[str]) -> Iterator[Span]:
    """Search a text as it is written, and as it is read: markup may hide what is one word to a reader."""
    yield from _iterate_written(text, countries)
    plain = strip_markup(text)
    if plain is not None:
        for kind, start, end in _iterate_written(plain.text, countries):
            yield kind, *plain.locate_in_source(start, end)


def _iterate_written(text: str, countries: Sequence[str]) -> Iterator[Span]:
    yield from find_mail_addresses(text)
    yield from find_personal_numbers(text)
    dateless = mask_dates(text)
    for country in countries:
        for number in PhoneNumberMatcher(dateless, country, Leniency.POSSIBLE, len(text), MIN_NATIONAL_DIGITS):
            if is_telephone_number(number):
                yield "telephone", number.start, number.end


def is_telephone_number(candidate: PhoneNumberMatch) -> bool:
    """Whether what may be a number is one by its form: a valid one, or one that begins as numbers do."""
    raw = candidate.raw_string
    if is_valid_number(candidate.number):
        return True
    digits = [character for character in raw if character.isdecimal()]
    begins = raw[0] in "+＋(（" or (raw[0].isdecimal() and unicodedata.decimal(raw[0]) == 0)
    return begins and len(digits) >= MIN_DIGITS and not _LETTER.search(raw)


def remove_contact_details(
    text: str, countries: Sequence[str], decisions: Iterable[ContactDetailDecision]
) -> CleanedText:
    """Remove from a text what a person decided to remove, and name what nobody has decided about.

    What is left is searched again until nothing was removed: what was may have hidden another one.
    """
    by_content: Mapping[str, ContactDetailDecision] = {decision.content: decision for decision in decisions}
    cleaned = _clean_once(text, countries, by_content)
    decided = list(cleaned.decided)
    while any(decision.choice == "remove" for _, decision in cleaned.decided):
        cleaned = _clean_once(cleaned.text, countries, by_content)
        decided += [item for item in cleaned.decided if item[1].choice == "remove"]
    return CleanedText(cleaned.text, cleaned.undecided, tuple(decided))


def _clean_once(text: str, countries: Sequence[str], by_content: Mapping[str, ContactDetailDecision]) -> CleanedText:
    parts, undecided, decided, place = [], [], [], 0
    for finding in find_contact_details(text, countries):
        decision = by_content.get(finding.content)
        if decision is None:
            undecided.append(finding)
            continue
        decided.append((finding, decision))
        if decision.choice == "remove":
            parts += [text[place : finding.start], REMOVED]
            place = finding.end
    return CleanedText("".join([*parts, text[place:]]), tuple(undecided), tuple(decided))
