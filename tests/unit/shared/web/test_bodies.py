"""A JSON body has one reading: UTF-8, every field once, and nothing that JSON has not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.http.strict_bodies import MalformedBody, UnstorableCharacter, parse_json_body

KEPT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | KEPT
)
DATA = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEPT, inner), max_leaves=20)


@given(content=DATA, bare=st.booleans())
def test_what_is_json_is_read_as_it_is(content: Any, bare: bool) -> None:
    assert parse_json_body(json.dumps(content, ensure_ascii=bare).encode()) == content


@given(content=DATA.filter(bool), encoding=st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]))
def test_another_encoding_is_refused(content: Any, encoding: str) -> None:
    with pytest.raises(MalformedBody):
        parse_json_body(json.dumps({"it": content}).encode(encoding))


@given(fields=st.dictionaries(st.text(max_size=60), LEAVES, min_size=1), depth=st.integers(0, 5), draws=st.data())
def test_a_field_that_is_there_twice_is_refused_by_its_name(
    fields: dict[str, Any], depth: int, draws: st.DataObject
) -> None:
    twice = draws.draw(st.sampled_from(sorted(fields)))
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in (*fields.items(), (twice, 17))]
    text = '{"in": [' * depth + "{" + ", ".join(members) + "}" + "]}" * depth
    with pytest.raises(MalformedBody) as refused:
        parse_json_body(text.encode())
    assert repr(twice) in refused.value.msg


def test_a_name_is_the_same_however_it_is_written() -> None:
    with pytest.raises(MalformedBody, match="'amount' twice"):
        parse_json_body(rb'{"amount": 1, "am\u006funt": 2}')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": NaN}', "no NaN"),
        (b'{"a": -Infinity}', "no -Infinity"),
        ('{"a": "ä"}'.encode("latin-1"), "not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"[" * 100_000, "too deep"),
        (b"[" * 5000 + b"]" * 5000, "too deep"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "too deep"),
        (b"9" * 5000, "too many digits"),
        (b"\xef\xbb\xbf", "not JSON"),
    ],
)
def test_what_is_malformed_says_why(body: bytes, message: str) -> None:
    with pytest.raises(MalformedBody, match=message):
        parse_json_body(body)


def test_the_mark_of_utf_8_is_passed_over() -> None:
    assert parse_json_body(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        rb'"\u0000"',
        rb'{"a": ["x\u0000y"]}',
        rb'{"a\u0000": 1}',
        rb'"\ud800"',
        rb'"\uDFFF"',
        rb'["\udc00\ud800"]',
        rb'{"a": {"\uD83D": {}}}',
        rb'"\\\u0000"',
    ],
)
def test_what_nothing_keeps_is_refused(body: bytes) -> None:
    with pytest.raises(UnstorableCharacter) as refused:
        parse_json_body(body)
    assert (refused.value.status, refused.value.code) == (422, "invalid")


@pytest.mark.parametrize("body", [rb'"\\u0000"', rb'"\ud83d\ude00"', rb'["\\ud800"]'])
def test_what_only_looks_so_is_read(body: bytes) -> None:
    assert parse_json_body(body) == json.loads(body)


@pytest.mark.parametrize("depth", [50_000, 5_000])
def test_a_body_that_is_nested_too_deep_for_the_check_is_refused(depth: int) -> None:
    with pytest.raises(MalformedBody, match="nested too deep"):
        parse_json_body(b"[" * depth + rb'"\ud83d\ude00"' + b"]" * depth)
