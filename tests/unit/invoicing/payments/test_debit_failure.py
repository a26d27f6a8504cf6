"""The code of a refused direct debit, without the words around it."""

import pytest

from services.invoicing.payments.domain.debit_failure import parse_debit_failure_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("AC04 account closed", "AC04"),
        ("  MD06: refund wished by Anna Berger, +49 30 1234567", "MD06"),
        ("AM04", "AM04"),
        ("AM045 no code", "other"),
        ("account closed (AC04)", "other"),
        ("ac04", "other"),
        ("Anna Berger called", "other"),
    ],
)
def test_only_a_code_that_stands_first_is_told(text: str, code: str) -> None:
    assert parse_debit_failure_code(text) == code
