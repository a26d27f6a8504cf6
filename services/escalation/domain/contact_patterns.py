"""Forms in which people write addresses and numbers; each pattern takes time in proportion to a text."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

DetailKind = Literal["address", "telephone", "bank_account", "card"]
_AT = "(?:[@＠﹫]|[%=]40|&#0*64;|&#x0*40;|&commat;)"
_PART = r"[^\s@＠﹫<>()\[\]\"',;:&%]"
_DOT = r"(?:\.|\s?[\[({]\s?(?:dot|punkt)\s?[\])}]\s?|\s(?:dot|punkt)\s)"
_ADDRESSES = (
    re.compile(rf"(?<!{_PART}){_PART}+{_AT}{_PART}{{1,255}}"),
    re.compile(
        r"(?<![\w.+-])[\w.+-]+(?:\s?[\[({]\s?(?:at|ät|@)\s?[\])}]\s?|\s(?:at|ät)\s)"
        rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,8}}",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!{_PART}){_PART}+\s{{0,2}}{_AT}\s{{0,2}}[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}}"),
)
"""Each begins where a word does, so that a long word is read once and not from each of its letters."""
_BLANK = r"[^\S\r\n]"
_MARK = r"[-‐-―./·•‧∙・()（）]"
_GAP = rf"(?:{_BLANK}{{0,3}}(?:{_MARK}{{1,2}}{_BLANK}{{0,3}}|\r?\n[> \t]{{0,8}})?|,)"
_NEXT = rf"(?:{_BLANK}|{_MARK}|[\r\n,]){{1,4}}(?:0\d|[+＋])"
_TELEPHONE = re.compile(
    rf"(?<![\w.,/·+＋-])(?:[+＋](?={_GAP}[1-9])|[(（]?(?=0{{1,2}}[1-9]))"
    rf"(?:(?:{_GAP}\d){{7,15}}?(?={_NEXT}|(?!{_GAP}\d))|(?:{_GAP}\d){{7,15}}(?!\d))"
)
"""A number that begins as one, up to the next that does."""
_THOUSANDS = re.compile(r"\d{3}(?:[\s.,]\d{3})*(?:[.,]\d{1,4})?")
_BREAK = r"(?:[\s.,·•‧∙・-]{0,2})"
_CARD = re.compile(
    rf"(?<!\d)(?=((?:[456]|2[2-7]|3[47])\d{{2,3}}(?<=\d{{4}})(?:{_BREAK}\d{{4}}{_BREAK}\d{{4}}{_BREAK}\d{{4}}"
    rf"|{_BREAK}\d{{6}}{_BREAK}\d{{5}}))(?!\d))"
)
"""A number of 16 digits, or of 15, in the groups in which cards have them."""
_BANK_ACCOUNT = re.compile(rf"(?<![A-Za-z\d])[A-Za-z]{{2}}{_BREAK}\d{_BREAK}\d(?:{_BREAK}[A-Za-z\d]){{11,30}}")
_MIN_ACCOUNT_CHARS = 15
_WORD_END = re.compile(r"(?<=[A-Za-z\d])(?![A-Za-z\d])")
_FOLDED = re.compile(
    r"<!--[^<>]{0,200}-->|</?[a-z][a-z\d]{0,15}(?:\s[^<>]{0,200})?/?>|&(?:#x?[\da-f]{1,6}|[a-z]{2,8});"
    r"|\s{2,}|[\u00ad\u200b-\u200f\u2060\ufeff]",
    re.IGNORECASE,
)
"""Markup, characters that are named, runs of blanks, and what nobody sees."""

_MONTH, _DAY = "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12]\\d|3[01])"
_DATE = re.compile(
    rf"(?<![\d.,/+-])(?:(?:19|20)\d\d([.-]){_MONTH}\1{_DAY}|{_DAY}([.-]){_MONTH}\2(?:19|20)?\d\d)(?![.-]?\d)"
)
"""A day as people and logs write it: year, month, day, or day, month, year, with one separator."""
_BLOCK = re.compile(r"</?(?:br|p|div|t[rdh]|li|h\d|pre|table|[uo]l|hr)\b", re.IGNORECASE)
"""Markup before which a reader sees a gap."""

Span = tuple[DetailKind, int, int]


@dataclass(frozen=True, slots=True)
class TextWithoutMarkup:
    """A text as it is read, without markup and runs of blanks; where each of its characters stands in the other."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def locate_in_source(self, start: int, end: int) -> tuple[int, int]:
        """Locate a part of it in the text as it was written."""
        return self.starts[start], self.ends[end - 1]


def strip_markup(text: str) -> TextWithoutMarkup | None:
    """Read a text without its markup; None where it has none, and is the same."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    for match in _FOLDED.finditer(text):
        pieces += [text[place : match.start()], shown := _unfold(match[0])]
        starts += [*range(place, match.start()), *[match.start()] * len(shown)]
        ends += [*range(place + 1, match.start() + 1), *[match.end()] * len(shown)]
        place = match.end()
    if not place:
        return None
    starts += range(place, len(text))
    ends += range(place + 1, len(text) + 1)
    return TextWithoutMarkup("".join([*pieces, text[place:]]), tuple(starts), tuple(ends))


def _unfold(folded: str) -> str:
    if folded.isspace():
        return "\n" if "\n" in folded else " "
    if folded.startswith("&"):
        return html.unescape(folded)
    return " " if _BLOCK.match(folded) else ""


def find_mail_addresses(text: str) -> Iterator[Span]:
    """Find what may be addresses of mail."""
    for pattern in _ADDRESSES:
        for match in pattern.finditer(text):
            yield "address", match.start(), match.start() + len(match[0].rstrip(".!?"))


def find_personal_numbers(text: str) -> Iterator[Span]:
    """Find numbers of telephones that begin as such, of bank accounts and of cards."""
    for match in _TELEPHONE.finditer(text):
        if _is_telephone(text, match):
            yield "telephone", match.start(), match.end()
    for match in _BANK_ACCOUNT.finditer(text):
        if end := _find_account_end(match[0]):
            yield "bank_account", match.start(), match.start() + end
    for match in _CARD.finditer(text):
        if _is_card(_list_digits(match[1])):
            yield "card", match.start(1), match.end(1)


def mask_dates(text: str) -> str:
    """Mask days with letters, so that no number is found in one and all else stands where it stood."""
    return _DATE.sub(lambda match: "d" * len(match[0]), text)


def _is_telephone(text: str, match: re.Match[str]) -> bool:
    """Whether it is neither the rest of an amount nor a list of small numbers."""
    raw, before = match[0], text[max(0, match.start() - 2) : match.start()]
    if before[:1].isdecimal() and _THOUSANDS.fullmatch(raw):
        return False
    if "," not in raw and "\n" not in raw:
        return True
    longest = max(len(group) for group in re.findall(r"\d+", raw))
    return raw.count("\n") <= 1 and (raw[0] in "+＋" or longest > 2)  # a list of days or hours has two


def _list_digits(raw: str) -> list[int]:
    return [int(character) for character in raw if character.isdecimal()]


def _is_card(digits: list[int]) -> bool:
    """Whether its check digit is right (ISO/IEC 7812-1, annex B)."""
    doubled = (digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0


def _find_account_end(raw: str) -> int | None:
    """Find where an account number ends whose check digits are right (ISO 13616-1, 7), the longest first."""
    counts = list(accumulate(character.isalnum() for character in raw))
    for boundary in reversed([match.start() for match in _WORD_END.finditer(raw)]):
        if counts[boundary - 1] < _MIN_ACCOUNT_CHARS:
            return None
        characters = [character for character in raw[:boundary] if character.isalnum()]
        if int("".join(str(int(character, 36)) for character in characters[4:] + characters[:4])) % 97 == 1:
            return boundary
    return None
