"""Texts show all that they have: nothing reorders them or hides in them, and scripts keep what they need."""

import unicodedata
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.pure.fields import Name, Prose, Words
from shared.pure.hidden_characters import (
    check_multiline_text,
    check_one_line_text,
    find_hidden_character,
    has_lone_surrogate,
    remove_hidden_characters,
)

SEEN = [
    "Äkta AB (Malmö)",
    "有限会社サンプル",
    "주식회사 예시",
    "شركة المثال",
    "می\u200cخواهم",  # Persian, with the non-joiner that its spelling wants
    "חברה לדוגמה בע״מ",
    "क्\u200dष",  # Devanagari, a half form
    "ශ්\u200dරී",  # Sinhala
    "👩\u200d💻 at work",
    "❤\ufe0f\u200d🔥",
    "👩🏽\u200d💻",  # with a colour of skin
    "葛\U000e0100城市",  # a variant of a character
    "na\u0308ive",
    "№ 5 – “quoted” €",
]
HIDDEN = {
    "right-to-left override": "GmbH\u202etxt.exe",
    "left-to-right override": "a\u202db",
    "embedding": "a\u202ab\u202c",
    "isolate": "a\u2067b\u2069",
    "left-to-right mark": "a\u200eb",
    "Arabic letter mark": "a\u061cb",
    "zero width space": "ac\u200bme",
    "word joiner": "ac\u2060me",
    "soft hyphen": "ac\u00adme",
    "byte order mark": "\ufeffacme",
    "tag": "acme\U000e0041\U000e007f",
    "annotation": "a\ufff9b\ufffb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "next line": "a\u0085b",
    "delete": "a\x7fb",
    "escape": "a\x1b[2Jb",
    "bell": "a\x07b",
    "NUL": "a\x00b",
    "half of a pair": "a\ud800b",
    "other half": "a\udfffb",
    "Hangul filler": "\u3164",
    "half-width filler": "a\uffa0",
    "blank of Braille": "\u2800",
    "grapheme joiner": "a\u034fb",
    "joiner in Latin": "pay\u200dpal",
    "non-joiner in Latin": "pay\u200cpal",
    "joiner at the end": "क्\u200d",
    "joiner at the beginning": "\u200dक",
    "joiner between digits": "1\u200d2",
    "joiner before a digit": "क\u200d1",
    "joiner behind a letter and an emoji": "❤X\u200d🔥",
    "joiner behind a character without a name": "\ue000\u200dक",
    "joiner twice": "क्\u200d\u200dष",
}


@pytest.mark.parametrize("text", SEEN)
@pytest.mark.parametrize("field", [Name, Prose])
def test_what_scripts_need_is_taken_as_it_is(field: Any, text: str) -> None:
    assert TypeAdapter(field).validate_python(text) == text
    assert remove_hidden_characters(text) == text


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("field", [Name, Prose, Words])
def test_what_hides_is_refused(field: Any, name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(field).validate_python(f"two words {HIDDEN[name]}")
    assert find_hidden_character(remove_hidden_characters(HIDDEN[name])) is None


def test_every_control_and_format_character_is_hidden() -> None:
    joiners = {"\u200c", "\u200d", "\n"}
    hidden = {
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    } - joiners
    assert {character for character in hidden if find_hidden_character(f"a{character}b") != character} == set()
    visible = (chr(code) for code in range(0x20000) if unicodedata.category(chr(code))[0] in "LNPS")
    blank = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}
    assert {character for character in visible if find_hidden_character(character)} == blank


def test_lines_are_broken_in_one_way() -> None:
    assert TypeAdapter(Prose).validate_python("one\r\ntwo\rthree\tfour") == "one\ntwo\nthree four"
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python("one\ntwo")


def test_a_refusal_names_the_character() -> None:
    with pytest.raises(ValidationError, match=r"U\+200D, ZERO WIDTH JOINER"):
        TypeAdapter(Prose).validate_python("pay\u200dpal")
    with pytest.raises(ValueError, match=r"U\+0007, a character without a name"):
        check_multiline_text("a\x07b")


def test_a_line_has_no_line_break() -> None:
    with pytest.raises(ValueError, match=r"^has a line break$"):
        check_one_line_text("one\ntwo")
    assert check_one_line_text("one two") == "one two"


@pytest.mark.parametrize(("text", "seen"), [("ac\u200bme", "acme"), ("pay\u200dpal", "paypal"), ("a\nb", "a\nb")])
def test_what_hides_is_left_out(text: str, seen: str) -> None:
    assert remove_hidden_characters(text) == seen


@pytest.mark.parametrize(
    ("text", "has_one"),
    [("a\ud800b", True), ("\udfff", True), ("\ud7ff\ue000", False), ("😀", False), ("", False)],
)
def test_half_of_a_pair_is_seen(text: str, has_one: bool) -> None:
    assert has_lone_surrogate(text) is has_one
