"""The policy as customers read it: in four languages, as a page or as JSON, with its days for disputes."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from services.collections import policy_page
from services.collections.domain.policy import TEMPLATES, parse_collection_policy
from shared.base.locale_texts import read_text_catalogue
from shared.pure.languages import LANGUAGES
from tests.builders import Client, Database, running
from tests.component.collections.test_collections import STANDARD, publish

BOTH = f"{STANDARD}\ndispute_window_days: 60\nafter_release_days: 1\nbank_data_hours: 48\n"
WORDS_OF_DAYS = {
    "en": ("for 60 days after its date", "for some days more: 1 day.", "21 days after the due date"),
    "de": ("nach ihrem Datum an: 60 Tage.", "noch einige Tage länger: 1 Tag.", "21 Tage nach der Fälligkeit"),
    "fr": ("pendant 60 jours après sa date", "encore quelque temps : 1 jour.", "21 jours après l'échéance"),
    "ru": ("после его даты (60 дн.).", "ещё некоторое время (1 день).", "Через 21 дн. после срока оплаты"),
}


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("collections", database, keys, jwks_file) as (_, made):
        yield made


async def test_the_page_and_its_json_state_the_same_in_each_language(client: Client) -> None:
    missing = await client.http.get("/policy?format=json")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    await publish(client, BOTH)
    await publish(client, STANDARD, "2026-03-20")
    for language, (window, release, step) in WORDS_OF_DAYS.items():
        headers = {"accept-language": f"{language}-CH,xx;q=0.5"}
        page = await client.http.get("/policy", headers=headers)
        text = unescape(page.text)
        assert (page.status_code, page.headers["content-language"]) == (200, language)
        assert f'<html lang="{language}">' in text
        assert "style-src" in page.headers["content-security-policy"]
        stated = (await client.http.get("/policy", headers=headers | {"accept": "application/json"})).json()
        assert (stated["dispute_window_days"], stated["after_release_days"]) == (60, 1)
        assert [stated["language"], stated["steps"][4]["timing"]] == [language, step]
        assert any(window in rule for rule in stated["rules"])
        assert any(release in rule for rule in stated["rules"])
        assert all(rule in text for rule in stated["rules"])
        assert all(part in text for row in stated["steps"] for part in (row["timing"], row["effect"], *row["notes"]))
    plain = (await client.http.get("/policy?version=2&format=json&language=de")).json()
    assert (plain["dispute_window_days"], plain["after_release_days"], plain["language"]) == (None, 0, "de")
    assert len(plain["rules"]) == len(stated["rules"]) - 3
    assert (await client.http.get("/policy", headers={"accept-language": "xx"})).headers["content-language"] == "en"


def test_every_language_has_every_word() -> None:
    keys = [read_text_catalogue(policy_page.WORDS, language).keys() for language in LANGUAGES]
    assert all(words == keys[0] for words in keys)
    assert {f"name_{template}" for template in TEMPLATES} | TEMPLATES <= keys[0]
    for language in LANGUAGES:
        assert len(policy_page.list_policy_page_rules(parse_collection_policy(BOTH), language)) == 7
