"""The page that says what support there is: of what is kept, in the reader's language, for anybody."""

from collections.abc import AsyncIterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.tokens import SigningKeyPair
from services.escalation import support_page
from services.escalation.domain.clocks import ResponseTarget
from shared.base.locale_texts import read_text_catalogue
from shared.events.invoicing import BusinessCalendarChanged
from shared.pure.languages import LANGUAGES
from tests.builders import Client, Database, hear, running

DAY, SHORT_DAY = ((540, 720), (780, 1020)), ((540, 840),)
OFFICE = (DAY, DAY, DAY, DAY, SHORT_DAY, (), ())
HOURS = BusinessCalendarChanged(
    legal_entity="GS-DE",
    time_zone="Europe/Berlin",
    hours=OFFICE,
    closed_days=(date(2026, 4, 6), date(2026, 10, 3), date(2026, 12, 25)),
    covers_until=date(2030, 12, 31),
)
STATEMENT: dict[str, Any] = {
    "company": "Müller & Söhne <GmbH>",
    "offer": ["Fragen zu Rechnungen", "Störungen"],
    "channels": [{"kind": "phone", "value": "+49 30 901820", "note": None}],
    "price": "Im Preis enthalten.",
    "how_to_dispute": "Schreiben Sie uns.",
    "policy_url": "https://policy.goodstanding.example/policy",
}


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("escalation", database, keys, jwks_file) as (runtime, made):
        await hear(runtime, HOURS)
        yield made


async def publish(client: Client, place: str, **more: Any) -> int:
    path = f"/v1/support-statements/{place}"
    return (await client.http.put(path, json=STATEMENT | more, headers=client.headers)).status_code


async def test_anybody_reads_what_support_there_is(client: Client) -> None:
    nothing = await client.http.get("/support")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")
    assert await publish(client, "GS-DE/de") == 200
    page = await client.http.get("/support", headers={"accept-language": "de-CH,en;q=0.5"})
    text = unescape(page.text)
    assert (page.status_code, page.headers["content-language"]) == (200, "de")
    assert "style-src" in page.headers["content-security-policy"]
    assert "Müller &amp; Söhne &lt;GmbH&gt;" in page.text
    for words in ("Montag", "09:00 – 12:00, 13:00 – 17:00", "Geschlossen", "+49 30 901820", "2 Stunden, Tag und Nacht"):
        assert words in text, words
    assert ("Montag, 6. April 2026" in text, "3. Oktober 2026" in text) == (True, False), "a Saturday is closed anyway"


async def test_it_is_answered_as_json_and_in_the_language_that_there_is(client: Client) -> None:
    for place in ("GS-DE/en", "GS-DE/ru", "GS-FR/fr"):
        assert await publish(client, place) == 200
    path, as_json = "/support?legal_entity=GS-DE", {"accept": "application/json"}
    answer = (await client.http.get(path, headers=as_json | {"accept-language": "ru"})).json()
    assert (answer["language"], answer["languages"]) == ("ru", ["en", "ru"])
    assert answer["weekdays"][4] == {"weekday": "пятница", "hours": "09:00 – 14:00"}
    assert answer["content"] == STATEMENT
    for asked, language in (("language=fr", "en"), ("language=ru", "ru"), ("format=json", "en")):
        assert (await client.http.get(f"{path}&{asked}", headers=as_json)).json()["language"] == language
    other = (await client.http.get("/support?legal_entity=GS-FR&format=json")).json()
    assert (other["language"], other["weekdays"][0], other["time_zone"]) == (
        "fr",
        {"weekday": "lundi", "hours": "08:00 – 18:00"},
        "UTC",
    ), "the hours by which clocks count where nobody has said others"
    assert (await client.http.get("/support?legal_entity=GS-US")).status_code == 404


async def test_response_times_are_what_is_promised_to_all(client: Client) -> None:
    await publish(client, "GS-DE/en")
    for level, minutes in (("standard", 90), ("gold", 30)):
        path = f"/v1/response-targets/{level}/technical/B/first"
        target = {"minutes": minutes, "warn_minutes": 15, "reason": "faster for all"}
        assert (await client.http.put(path, json=target, headers=client.headers)).status_code == 200
    times = (await client.http.get("/support?format=json")).json()["response_times"]
    assert {item["kind"]: item["takes"] for item in times} == {
        "The service is down": "2 hours, day and night",
        "The service is impaired": "90 minutes within our hours",
        "Small problem": "8 hours within our hours",
        "Question about an invoice": "1 business day",
        "Dispute of an invoice": "1 business day",
    }


@pytest.mark.parametrize("wrong", [{"offer": []}, {"policy_url": "javascript:alert(1)"}, {"price": "\u202e"}])
async def test_what_cannot_be_published_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    assert await publish(client, "GS-DE/en", **wrong) == 422
    assert await publish(client, "GS-DE/xx") == 422


def test_every_language_has_the_same_words() -> None:
    english = yaml.safe_load((support_page.WORDS / "en.yaml").read_text())
    for language in LANGUAGES:
        words = read_text_catalogue(support_page.WORDS, language)
        assert words.keys() == english.keys()
        assert {key for key in words if "{0}" in words[key]} == {key for key in english if "{0}" in english[key]}


def test_a_target_is_written_out() -> None:
    words = read_text_catalogue(support_page.WORDS, "en")
    assert support_page.write_response_target(ResponseTarget(business_days=2), words) == "2 business days"
    assert support_page.write_response_target(ResponseTarget(minutes=240), words) == "4 hours within our hours"
