"""Accounts are looked up by the names of payers as the domain compares them."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.bank.domain.entry_matching import BY_NAME, compute_payer_name_likeness, normalise_reference
from services.invoicing.bank.domain.payer_names import LEGAL_FORMS, normalise_payer_name
from services.invoicing.bank.tables import NORMAL_NAME, NORMAL_NUMBER
from tests.builders import Database

LETTERS = st.one_of(
    st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=["Cc"]),
    st.characters(min_codepoint=0x1E00, max_codepoint=0x1EFF),
    st.characters(min_codepoint=0x300, max_codepoint=0x36F),  # accents that stand alone
)
WORDS = st.one_of(st.text(LETTERS, max_size=8), st.sampled_from(LEGAL_FORMS), st.sampled_from(["GmbH", "S.A.", "AG"]))
NAMES = st.lists(st.builds("".join, st.lists(st.one_of(WORDS, st.sampled_from(" -.&_/")), max_size=8)), min_size=30)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    names=[
        "Café du Nord SARL",
        "MÜLLER & SÖHNE GMBH",
        "Straße_AG",
        "Œuvre ΑΒΓ",
        "Łódź Sp",
        "İstanbul AG",
        "Mu\u0308ller",
        "Ste\u0301ag",
        "Ɓmbh",
        "λag",
    ]
)
@given(names=NAMES)
async def test_a_name_is_looked_up_as_the_domain_compares_it(database: Database, names: list[str]) -> None:
    rows = await database.rows(
        f"SELECT {NORMAL_NAME.format('name')} AS normal FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place)"
        " ORDER BY place",
        names,
    )
    assert [row["normal"] for row in rows] == [normalise_payer_name(name) for name in names]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.text(LETTERS, max_size=20), min_size=30))
async def test_a_reference_is_looked_up_as_the_domain_writes_it(database: Database, numbers: list[str]) -> None:
    rows = await database.rows(
        f"SELECT {NORMAL_NUMBER.format('number')} AS normal FROM unnest($1::text[]) WITH ORDINALITY"
        " AS n (number, place) ORDER BY place",
        numbers,
    )
    assert [row["normal"] for row in rows] == [normalise_reference(number) for number in numbers]


@pytest.mark.parametrize(
    ("account", "payer"),
    [
        ("Café du Nord SARL", "CAFE DU NORD"),
        ("Müller & Söhne GmbH", "MUELLER SOEHNE"),
        ("Łódź Trading", "Lodz Trading"),
        ("Ångström AB", "ANGSTROEM AB"),
        ("Ærø Shipping", "AERO SHIPPING"),
    ],
)
def test_a_name_is_the_payer_s_without_accents(account: str, payer: str) -> None:
    assert normalise_payer_name(account) == normalise_payer_name(payer)
    assert compute_payer_name_likeness(payer, account) == BY_NAME
