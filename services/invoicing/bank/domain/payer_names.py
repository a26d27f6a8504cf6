"""Names of payers and accounts as they are compared: banks write them without accents, in capitals, cut short."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

LEGAL_FORMS: tuple[str, ...] = (
    *("gmbh", "mbh", "co", "kg", "ag", "se", "ltd", "limited", "inc", "llc"),
    *("bv", "nv", "sa", "sarl", "srl", "spa"),
)
SPELLED_OUT: Mapping[str, str] = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe"}
"""Small letters that are written as two where a keyboard has none of them."""
_WITHOUT_DECOMPOSITION: Mapping[str, str] = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŧ": "t"}
_LATIN = (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
"""Latin letters with accents of the languages of Europe, Turkey and Vietnam (blocks of Unicode)."""


def _list_folded_letters() -> Iterator[tuple[str, str]]:
    """Each letter that is replaced by another one, and that: a small one without its accent."""
    for letter in map(chr, _LATIN):
        small = letter.lower()
        if small in SPELLED_OUT:
            plain = small
        else:
            plain = _WITHOUT_DECOMPOSITION.get(small) or unicodedata.normalize("NFKD", letter)[0].lower()
        if plain != letter and (plain in SPELLED_OUT or re.fullmatch("[a-z]", plain)):
            yield letter, plain


FOLDED_LETTERS: Mapping[str, str] = dict(_list_folded_letters())
"""Letters by what they are compared as; every sign that is no letter or digit then parts words."""


def normalise_payer_name(name: str) -> str:
    """The letters and digits of a name, small, without accents and legal forms, in their order.

    Statements look accounts up by it, as NORMAL_NAME of `bank.tables`.
    """
    return "".join(word for word in _list_words(name) if word not in LEGAL_FORMS)


def split_payer_name_words(name: str) -> frozenset[str]:
    """The words of a name without accents, case and legal forms; German umlauts as banks write them."""
    return frozenset(_list_words(name)) - set(LEGAL_FORMS)


def _list_words(name: str) -> list[str]:
    folded = "".join(FOLDED_LETTERS.get(letter, letter) for letter in unicodedata.normalize("NFC", name)).lower()
    for letter, spelled in SPELLED_OUT.items():
        folded = folded.replace(letter, spelled)
    return re.findall("[a-z0-9]+", folded)
