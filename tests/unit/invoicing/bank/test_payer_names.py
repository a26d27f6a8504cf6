"""Names of payers are compared without what banks leave out."""

import pytest

from services.invoicing.bank.domain.payer_names import normalise_payer_name, split_payer_name_words


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Müller & Söhne GmbH", "muellersoehne"),
        ("MUELLER SOEHNE", "muellersoehne"),
        ("Mu\u0308ller", "mueller"),
        ("ŁÓDŹ Øresund", "lodzoresund"),
        ("Straße 7 AG", "strasse7"),
        ("Acme Ltd. (UK)", "acmeuk"),
        ("", ""),
        ("GmbH", ""),
    ],
)
def test_a_name_is_its_letters_and_digits(name: str, normal: str) -> None:
    assert normalise_payer_name(name) == normal


def test_words_are_those_without_legal_forms() -> None:
    assert split_payer_name_words("Müller & Söhne GmbH, Müller KG") == {"mueller", "soehne"}
