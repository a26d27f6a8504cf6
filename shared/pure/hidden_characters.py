"""Characters that a reader does not see: they reorder a text, hide in it, or make two names look like one.

Refused are Unicode's control, format, line and paragraph separator and surrogate characters (categories Cc, Cf, Zl,
Zp, Cs; Unicode TR 36, 2.4 and 2.5; CVE-2021-42574), and the letters that show nothing. Lines may be broken where text
has several. The two joiners are taken where a script or an emoji needs them (RFC 5892, A.1 and A.2).
"""

import re
import unicodedata

_FORMAT = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064"
    r"\u2066-\u206f\ufeff\ufff9-\ufffb"
)
"""Categories Cf, Zl and Zp below U+10000 but for the joiners, as patterns of Python, Rust and ECMAScript write them."""
_BLANK = r"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Marks, letters and a symbol that show nothing."""
SEEN_ON_LINE = rf"^[^\u0000-\u001f\u007f-\u009f{_FORMAT}{_BLANK}]+$"
"""The pattern of a line of text."""
SEEN_ON_LINES = rf"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f{_FORMAT}{_BLANK}]+$"
"""The pattern of text of several lines, as it is sent."""
_HIDDEN = re.compile(
    rf"[\u0000-\u0009\u000b-\u001f\u007f-\u009f{_FORMAT}{_BLANK}\ud800-\udfff"
    r"\U000110bd\U000110cd\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""But for the line feed."""
_JOINERS = re.compile("[\u200c\u200d]")
_SCRIPTS_WITH_JOINERS = (
    "ARABIC", "SYRIAC", "THAANA", "NKO", "MANDAIC", "MONGOLIAN", "PHAGS-PA", "DEVANAGARI", "BENGALI", "GURMUKHI",
    "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN",
    "BALINESE", "JAVANESE", "TAI THAM", "LAO", "THAI",
)  # fmt: skip
"""How the names of their characters begin."""


def find_hidden_character(text: str) -> str | None:
    """Find the first character that a reader would not see; None if there is none."""
    if text.isascii() and text.isprintable():
        return None
    if hidden := _HIDDEN.search(text):
        return hidden[0]
    return next((joiner[0] for joiner in _JOINERS.finditer(text) if not _is_needed(text, joiner.start())), None)


def check_one_line_text(text: str) -> str:
    """Check that a line of text shows all that it has. Raises ValueError."""
    if "\n" in text:
        raise ValueError("has a line break")
    return check_multiline_text(text)


def check_multiline_text(text: str) -> str:
    """Check that text of several lines shows all that it has. Raises ValueError."""
    if (hidden := find_hidden_character(text)) is not None:
        name = unicodedata.name(hidden, "a character without a name")
        raise ValueError(f"has a character that cannot be seen: U+{ord(hidden):04X}, {name}")
    return text


def normalise_line_breaks(text: str) -> str:
    """Write the line breaks of other systems as line feeds, and tabulators as spaces."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")


def remove_hidden_characters(text: str) -> str:
    """Leave out what a reader would not see of a text that others wrote, and that is not refused for it."""
    if text.isascii() and text.isprintable():
        return text
    kept = _HIDDEN.sub("", text)
    return _JOINERS.sub(lambda joiner: joiner[0] if _is_needed(kept, joiner.start()) else "", kept)


def has_lone_surrogate(text: str) -> bool:
    """Say whether a half of a pair stands alone in it: no encoding has that."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _is_needed(text: str, place: int) -> bool:
    """Whether the joiner there stands between two characters of a script or of emoji that join."""
    before, after = text[:place].rstrip("\ufe0f"), text[place + 1 : place + 2]
    if not before or not after:
        return False
    if unicodedata.name(before[-1], "").startswith(_SCRIPTS_WITH_JOINERS):
        return unicodedata.category(after)[0] in "LM"
    is_emoji = all(unicodedata.category(character) in ("So", "Sk") for character in (before[-1], after))
    return is_emoji and text[place] == "\u200d"
