"""Addresses and telephone numbers are found however they are written, and removed or let through."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS, Leniency, PhoneMetadata, PhoneNumberMatcher

from services.escalation.domain.contact_details import (
    MIN_NATIONAL_DIGITS,
    ContactDetail,
    ContactDetailDecision,
    find_contact_details,
    is_telephone_number,
    remove_contact_details,
)
from services.escalation.domain.contact_patterns import strip_markup

DAY = re.compile(r"\d{4}([.-])\d{1,2}\1\d{1,2}|\d{1,2}([.-])\d{1,2}\2(?:\d{4}|\d{2})(?!\d)")
"""What may be a day: more than what is one."""
PIECES = ["030", "901820", "+49", "0049", "20 7946 0958", "2026-03-14", "14.03.26", "3-4-2026", "10:15", "(", ")", "/"]


@pytest.mark.parametrize(
    "detail",
    [
        "+49 30 901820",
        "0049 30 901820",
        "+49(0)30/901820",
        "030/901820",
        "(030) 90 18 20",
        "030.901.820",
        "０３０ ９０１８２０",
        "+33 1 23 45 67 89",
        "+1 (650) 253-0000",
        "anna@example.org",
        "anna.müller@bücher.example",
        "анна@пример.рф",
        "anna＠example.org",
        "anna%40example.org",
        "anna at example.org",
        "anna (at) example [dot] org",
        "anna ät example punkt org",
    ],
)
def test_each_spelling_is_found(detail: str) -> None:
    (finding,) = find_contact_details(f"Please ask {detail} about it.", ["DE"])
    assert finding.content == detail


@pytest.mark.parametrize(
    "text",
    [
        "EX25194 since 08:00, seen on 2026-03-14 10:15:00",
        "error 0x80070005 in build 16.0.17328.20162",
        "case 01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7, 12,096.00 EUR",
        "look at it. then wait",
        "look  at\n\nit.  then wait",
        "<p>look at it.</p><p>then</p>",
        "1 050 000,00 EUR, 0,1234567 of it, and 12, 15, 20, 33, 40",
        "01,02,03,04,05 or 0,1,0,1,1,0,1,1,1",
        "01\n02\n03\n04\n",
        "16.0.17328.20162\n16.0.17328.20163",
        "order 4111 1111 1111 1112, DE88 WEST 1234 5698 7654 32",
    ],
)
def test_what_is_none_is_not_found(text: str) -> None:
    assert find_contact_details(text, ["DE"]) == []


@pytest.mark.parametrize("country", ["DE", "AT", "CH", "FR", "GB", "RU", "US"])
@pytest.mark.parametrize(
    "day",
    ["2026-03-14", "2026.03.14", "14.03.2026", "14-03-2026", "14.3.26", "2026-03-14\t10:15:00", "14.03.2026 10:15"],
)
def test_a_day_is_no_number_in_any_country(day: str, country: str) -> None:
    assert find_contact_details(f"since {day}, seen", [country]) == []


def test_a_number_after_a_day_is_found_as_it_is() -> None:
    (finding,) = find_contact_details("2026-03-14 030 901820", ["DE"])
    assert finding.content == "030 901820"


@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), gap=st.sampled_from(["", " ", ", ", "-", "\t"])
)
def test_no_number_is_lost_that_holds_no_day(pieces: list[str], gap: str) -> None:
    text = gap.join(pieces)
    days = {place for match in DAY.finditer(text) for place in range(*match.span())}
    covered = {
        place for finding in find_contact_details(text, ["DE", "GB"]) for place in range(finding.start, finding.end)
    }
    for country in ("DE", "GB"):
        for number in PhoneNumberMatcher(text, country, Leniency.POSSIBLE, len(text)):
            places = set(range(number.start, number.end))
            if is_telephone_number(number) and places.isdisjoint(days):
                assert places <= covered


def test_no_country_has_shorter_numbers_than_are_tried() -> None:
    regions = [PhoneMetadata.metadata_for_region(region) for region in SUPPORTED_REGIONS]
    shapes = [region.general_desc for region in regions if region is not None]
    assert (
        min(length for shape in shapes if shape is not None for length in shape.possible_length) == MIN_NATIONAL_DIGITS
    )


def test_numbers_of_a_country_are_found_where_it_is_named() -> None:
    text = "20 7946 0958"
    assert [len(find_contact_details(text, countries)) for countries in (["DE"], ["DE", "GB"])] == [0, 1]


def test_a_choice_holds_wherever_it_stands_and_the_rest_is_named() -> None:
    text = "030/901820 or a@example.org, else 030/901820, never b@example.org"
    choices = [
        ContactDetailDecision("030/901820", "remove", "the customer's"),
        ContactDetailDecision("a@example.org", "let_through", "a list of ours"),
    ]
    cleaned = remove_contact_details(text, ["DE"], choices)
    assert cleaned.text == "[removed] or a@example.org, else [removed], never b@example.org"
    assert [finding.content for finding in cleaned.undecided] == ["b@example.org"]
    assert [decision.choice for _, decision in cleaned.decided] == ["remove", "let_through", "remove"]


def test_many_are_all_found() -> None:
    text = " ".join(f"a{number}@example.org" for number in range(900))
    assert len(find_contact_details(text, ["DE"])) == 900


@pytest.mark.parametrize(
    "detail",
    [
        "anna @ example.org",
        "anna@\nexample.org",
        "anna&#064;example.org",
        "anna&#x40;example.org",
        "anna=40example.org",
    ],
)
def test_an_address_with_blanks_or_as_it_is_encoded_is_found(detail: str) -> None:
    (finding,) = find_contact_details(f"Please ask {detail} about it.", ["DE"])
    assert finding.content == detail


def test_what_is_left_after_a_removal_is_searched_again() -> None:
    text, removal = "accountDE89 3704 0044 0532 0130 00", ContactDetailDecision("0044 0532 0130 00", "remove", "theirs")
    cleaned = remove_contact_details(text, ["DE"], [removal])
    assert [finding.content for finding in cleaned.undecided] == ["89 3704"]
    assert cleaned.decided == ((ContactDetail("telephone", removal.content, 17, 34), removal),)


def test_a_second_removal_stands_beside_the_first() -> None:
    removals = [ContactDetailDecision(content, "remove", "theirs") for content in ("0044 0532 0130 00", "89 3704")]
    cleaned = remove_contact_details("accountDE89 3704 0044 0532 0130 00", ["DE"], removals)
    assert (cleaned.text, cleaned.undecided) == ("accountDE[removed] [removed]", ())
    assert [decision for _, decision in cleaned.decided] == removals


def test_what_overlaps_is_one_from_its_beginning_to_its_end() -> None:
    (finding,) = find_contact_details("Tel. 030 901820/anna@example.org.", ["DE"])
    assert finding == ContactDetail("telephone", "030 901820/anna@example.org", 5, 32)


@pytest.mark.parametrize(
    "detail",
    [
        "anna   at   example.org",
        "anna\tat\texample.org",
        "anna   @   example.org",
        "anna<b>@</b>example.org",
        "anna<!-- -->@example.org",
        "anna &#64; example.org",
        "anna&nbsp;at&nbsp;example.org",
        "030\t901820",
        "+49\t30\t901820",
        "030·901·820",
        "030&middot;901820",
        "030<b>901820",
        "030<br>901820",
        "03\u200b0 901820",
        "030,901820",
        "+49,30,90,18,20",
        "030\n901820",
        "+49 30\n> 901820",
        "4111 1111 1111 1111",
        "4111·1111·1111·1111",
        "4111\t1111,1111\n1111",
        "3782 822463 10005",
        "DE89 3704 0044 0532 0130 00",
        "DE89·3704·0044·0532·0130·00",
        "DE89\t3704,0044\n0532 0130 00",
        "GB82WEST12345698765432",
    ],
)
def test_what_a_reader_sees_is_found_whatever_stands_between(detail: str) -> None:
    (finding,) = find_contact_details(f"Please ask {detail} about it.", ["DE"])
    assert finding.content == detail


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ("anna@example.org", "address"),
        ("4111 1111 1111 1111", "card"),
        ("NO93 8601 1117 947", "bank_account"),
        ("+49 30 901820", "telephone"),
        ("20 7946 0958", "telephone"),
    ],
)
def test_each_detail_has_its_kind(detail: str, kind: str) -> None:
    (finding,) = find_contact_details(f"ask {detail}", ["GB"])
    assert finding == ContactDetail(kind, detail, 4, 4 + len(detail))  # type: ignore[arg-type]


@pytest.mark.parametrize("detail", ["0111 2345678", "(0111) 2345678", "0 111 2345678", "0111 234"])
def test_what_begins_as_a_number_is_one_also_where_none_is_assigned(detail: str) -> None:
    (finding,) = find_contact_details(f"ask,{detail}", ["DE"])
    assert finding.content == detail


@pytest.mark.parametrize("text", ["ask,0111 23", "of 1 050 000,00 EUR", "0301\n9018\n2034"])
def test_what_is_too_short_an_amount_or_a_list_is_none(text: str) -> None:
    assert find_contact_details(text, ["DE"]) == []


def test_a_number_with_commas_is_one_by_its_groups() -> None:
    (finding,) = find_contact_details("ask 030,901,820", [])
    assert finding.content == "030,901,820"


def test_a_number_after_many_that_are_none_is_found() -> None:
    (finding,) = find_contact_details("12345678901234567890123, " * 10 + "20 7946 0958", ["GB"])
    assert finding.content == "20 7946 0958"


def test_a_choice_about_the_second_holds_where_nobody_has_chosen_about_the_first() -> None:
    removal = ContactDetailDecision("b@example.org", "remove", "theirs")
    cleaned = remove_contact_details("a@example.org or b@example.org", [], [removal])
    assert (cleaned.text, [item.content for item in cleaned.undecided]) == (
        "a@example.org or [removed]",
        ["a@example.org"],
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a<b>b</b>c", "abc"),
        ("x<br>y", "x y"),
        ("z \n\n w  v", "z\nw v"),
        ("a&amp;b&#64;c", "a&b@c"),
        ("so\u00adft", "soft"),
    ],
)
def test_a_text_is_read_without_its_markup(written: str, read: str) -> None:
    plain = strip_markup(written)
    assert plain is not None
    assert plain.text == read
    assert len(plain.starts) == len(plain.ends) == len(read)
    assert plain.locate_in_source(0, len(read)) == (0, len(written))


def test_a_part_of_what_is_read_is_located_in_what_was_written() -> None:
    plain = strip_markup("a<b>bcd")
    assert plain is not None
    assert plain.locate_in_source(2, 4) == (5, 7)
    assert strip_markup("plain text") is None


def test_numbers_beside_each_other_are_found_each() -> None:
    text = "030 901820 030 901821, DE89 3704 0044 0532 0130 00 BIC COBADEFF"
    assert [(finding.kind, finding.content) for finding in find_contact_details(text, ["DE"])] == [
        ("telephone", "030 901820"),
        ("telephone", "030 901821"),
        ("bank_account", "DE89 3704 0044 0532 0130 00"),
    ]


@pytest.mark.parametrize("part", ["1", "a", "a@", "a=4", "01,", "4111 ", "DE11 ", "<a ", "&a", "a  ", "a at ", "<!--"])
def test_no_text_takes_long(part: str) -> None:
    assert measure(part) < 2


def measure(part: str) -> float:
    """Measure how many seconds the search of a text takes that repeats this."""
    begin = time.process_time()
    find_contact_details(part * (256 * 1024 // len(part)), [])
    return time.process_time() - begin


@pytest.mark.parametrize("letter", ["1", "a"])
def test_a_long_word_takes_no_longer_than_many(letter: str) -> None:
    assert measure(letter) < 5 * measure(f"{letter} ") + 0.1
