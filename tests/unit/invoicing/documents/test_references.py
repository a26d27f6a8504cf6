"""Check digits against published examples."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pure.payment_references import build_creditor_reference, group_by_four, has_valid_check_digits

PUBLISHED = ["RF18539007547034", "RF18000000000539007547034", "RF712348231", "RF332348236", "RF45G72UUR"]
"""Structured references as guides to ISO 11649 print them."""
IBANS = ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NL91ABNA0417164300"]
"""From the registry of ISO 13616 and its Wikipedia article."""


@pytest.mark.parametrize("reference", PUBLISHED)
def test_the_published_references_are_computed(reference: str) -> None:
    assert build_creditor_reference(reference[4:]) == reference
    assert has_valid_check_digits(reference)


@pytest.mark.parametrize("iban", [*IBANS, "DE02120300000000202051"])
def test_the_published_accounts_are_right_and_any_other_digit_is_seen(iban: str) -> None:
    assert has_valid_check_digits(iban)
    for place in range(2, len(iban)):
        if iban[place].isdecimal():
            other = str((int(iban[place]) + 1) % 10)
            assert not has_valid_check_digits(iban[:place] + other + iban[place + 1 :])


def test_what_is_no_account_is_none() -> None:
    assert not has_valid_check_digits("")
    assert not has_valid_check_digits("DE89 3704 0044 0532 0130 00")
    assert not has_valid_check_digits("de89370400440532013000")


@given(st.from_regex("[A-Za-z0-9-]{1,21}", fullmatch=True).filter(lambda text: re.search("[A-Za-z0-9]", text)))
def test_every_reference_checks(number: str) -> None:
    reference = build_creditor_reference(number)
    assert reference is not None
    assert has_valid_check_digits(reference)
    assert group_by_four(reference).replace(" ", "") == reference


def test_a_number_that_is_too_long_has_no_reference() -> None:
    assert build_creditor_reference("A" * 21) is not None
    assert build_creditor_reference("A" * 22) is None
    assert build_creditor_reference("---") is None
