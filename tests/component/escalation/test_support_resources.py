"""Support resources: kept, imported wholly or not at all, searched in four languages, suggested by what helped."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, running

BODIES = {
    "en": ("Mailboxes do not receive messages", "The server rejected messages since the records were changed."),
    "de": ("Postfächer erhalten keine Nachrichten", "Die Rechnungen der Lizenzen wurden doppelt berechnet."),
    "fr": ("Les boîtes ne reçoivent rien", "Les abonnements annulés restent facturés chaque mois."),
    "ru": ("Почтовые ящики недоступны", "Пользователи потеряли доступ после приостановки подписки."),
}


@dataclass
class Desk:
    """Escalation, as somebody meets it who looks for help."""

    client: Client
    database: Database

    async def add(self, reference: str, **more: Any) -> dict[str, Any]:
        body = {
            "reference": reference,
            "kind": "knowledge_base",
            "title": "Mail flow stops",
            "content": "Check the records.",
            "language": "en",
        }
        return await self.client.create("/v1/support-resources", body | more)

    async def open(self, **more: Any) -> str:
        body = {"kind": "technical", "severity": "B", "subject": "Mail flow stops since Monday"}
        return str((await self.client.create("/v1/cases", body | more))["id"])

    async def consult(self, case_id: str, resource_id: str, result: str) -> dict[str, Any]:
        body = {"resource_id": resource_id, "result": result}
        return await self.client.create(f"/v1/cases/{case_id}/consulted-resources", body)

    async def suggest(self, case_id: str) -> list[str]:
        suggested = await self.client.got(f"/v1/cases/{case_id}/suggestions")
        return [resource["reference"] for resource in suggested["items"]]

    async def search(self, words: str, **criteria: Any) -> list[str]:
        page = await self.client.got("/v1/support-resource-search", words=words, **criteria)
        return [resource["reference"] for resource in page["items"]]

    async def send(self, content: str | bytes, media_type: str = "text/csv") -> httpx2.Response:
        headers = {**self.client.headers, "idempotency-key": str(uuid4()), "content-type": media_type}
        return await self.client.http.post("/v1/support-resources:import", content=content, headers=headers)


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Desk]:
    async with running("escalation", database, keys, jwks_file) as (_, client):
        yield Desk(client, database)


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", "rejecting message"),
        ("de", "Rechnung Lizenz"),
        ("fr", "abonnement facturé"),
        ("ru", "пользователь подписка"),
    ],
)
async def test_words_are_found_in_each_form_of_their_language(desk: Desk, language: str, asked: str) -> None:
    for name, (title, content) in BODIES.items():
        await desk.add(f"kb-{name}", language=name, title=title, content=content)
    assert await desk.search(asked) == [f"kb-{language}"]
    page = await desk.client.got("/v1/support-resource-search", words=asked)
    assert page["items"][0]["excerpt"].count("**") >= 4, "both words are shown"
    assert await desk.search(asked, language="en") == (["kb-en"] if language == "en" else [])
    assert await desk.search("zzz") == []


async def test_the_title_that_says_it_all_stands_before_a_mention(desk: Desk) -> None:
    await desk.add("mention", title="Billing", content="Also the records of a domain are of interest here, somehow.")
    await desk.add("article", title="Records of a domain", content="Records, and how records are set. Domain records.")
    assert await desk.search("records domain") == ["article", "mention"]


async def test_what_has_lapsed_is_shown_and_not_suggested(desk: Desk) -> None:
    lapsed = await desk.add("lapsed", valid_to="2026-03-01")
    last_day = await desk.add("last-day", valid_to="2026-03-02")
    await desk.add("later", valid_from="2026-03-03")
    contract = {"kind": "premier_contract", "contract_number": "p-1", "channel": "portal"}
    used_up = await desk.add("used-up", requests_left=0, **contract)
    assert [resource["is_lapsed"] for resource in (lapsed, last_day, used_up)] == [True, False, True]
    assert await desk.suggest(await desk.open()) == ["last-day"]
    valid = await desk.client.got("/v1/support-resources", valid_on="2026-03-02")
    assert [resource["reference"] for resource in valid["items"]] == ["last-day", "used-up"]


async def test_what_helped_in_cases_of_the_kind_is_suggested_first_and_not_twice(desk: Desk) -> None:
    same, better = await desk.add("same"), await desk.add("better")
    await desk.add("product", title="Something else", content="Nothing of it", products=["Mail"])
    await desk.add("unrelated", title="Something else", content="Nothing of it")
    for _ in range(3):
        await desk.consult(await desk.open(), better["id"], "helped")
        await desk.consult(await desk.open(), same["id"], "did_not_help")
        await desk.consult(await desk.open(kind="billing_question", severity=None), same["id"], "helped")
    case_id = await desk.open(product="Mail")
    assert await desk.suggest(case_id) == ["better", "product", "same"]
    await desk.consult(case_id, better["id"], "not_applicable")
    assert await desk.suggest(case_id) == ["product", "same"]
    (entry,) = (await desk.client.got(f"/v1/cases/{case_id}/entries", kind="resource"))["items"]
    assert (entry["audience"], entry["details"]["result"]) == ("internal", "not_applicable")
    counted = await desk.client.got(f"/v1/support-resources/{better['id']}")
    assert (counted["uses"], counted["helped"]) == (4, 3)


async def test_a_resource_is_changed_by_who_has_seen_it(desk: Desk) -> None:
    resource, other = await desk.add("kb-1"), await desk.add("kb-2")
    fields = ("reference", "kind", "title", "content", "language")
    body = {name: resource[name] for name in fields} | {"title": "Another title"}
    path = f"/v1/support-resources/{resource['id']}"

    async def put(etag: str, **more: Any) -> httpx2.Response:
        headers = {**desk.client.headers, "if-match": etag}
        return await desk.client.http.put(path, json=body | more, headers=headers)

    assert ((await put('"1"')).json()["title"], (await put('"1"')).status_code) == ("Another title", 412)
    assert (await desk.search("another title"), await desk.search(resource["title"])) == (["kb-1"], ["kb-2"])
    taken = await put("*", reference="kb-2")
    assert (taken.status_code, taken.json()["code"]) == (409, "reference_taken")
    twice = await desk.client.post("/v1/support-resources", body | {"reference": other["reference"]})
    assert twice.json()["code"] == "reference_taken"


async def test_a_file_is_taken_wholly_and_changes_what_is_known(desk: Desk) -> None:
    resource = await desk.add("kb-1")
    content = (
        "reference,kind,title,content,language,products,valid_to\n"
        'kb-1,solution,Changed,"Two\nlines",de,Mail|Office,\n'
        "kb-2,training,New,Words,fr,,2026-12-31\n"
    )
    answer = await desk.send(content)
    assert (answer.status_code, answer.json()) == (200, {"new": 1, "changed": 1})
    changed = await desk.client.got(f"/v1/support-resources/{resource['id']}")
    assert (changed["version"], changed["title"], changed["products"]) == (2, "Changed", ["Mail", "Office"])
    assert (await desk.search("lines changed"), await desk.search(resource["title"])) == (["kb-1"], [])
    assert await desk.search("words") == ["kb-2"]
    lines = [
        {"reference": "kb-3", "kind": "solution", "title": "T", "content": "C", "language": "ru"},
        {"reference": "kb-4", "kind": "solution", "title": "T", "content": "C", "language": "en"},
    ]
    jsonl = b"\n".join(orjson.dumps(line) for line in lines)
    assert (await desk.send(jsonl, "application/jsonl")).json() == {"new": 2, "changed": 0}
    for file in (content, jsonl):
        assert (await desk.send(file, "application/octet-stream")).json() == {"new": 0, "changed": 2}


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("reference,kind,title,content,language\na,solution,T,C,en\na,solution,T,C,en\n", ["lines.3.reference"]),
        ("reference,kind,title,content,language\na,sulution,T,C,xx\n", ["lines.2.kind", "lines.2.language"]),
        ("reference,kind,title,content,language,colour\na,solution,T,C,en,red\n", ["lines.2.colour"]),
        ("reference,kind,title,content,language\na,solution,T,C\n", ["lines.2.language"]),
        ("reference,kind,title,content,language\na,solution,T,C,en,more\n", ["lines.2."]),
        ("reference,kind,title,content,language,link\na,solution,T,C,en,javascript:alert(1)\n", ["lines.2.link"]),
    ],
)
async def test_a_file_with_a_wrong_line_changes_nothing(desk: Desk, content: str, fields: list[str]) -> None:
    refused = await desk.send(content)
    assert (refused.status_code, refused.json()["code"]) == (422, "file_refused")
    assert [fault["field"] for fault in refused.json()["errors"]] == fields
    assert (await desk.client.got("/v1/support-resources"))["items"] == []


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"\xff\xfe", "text/csv", 422),
        (b'{"reference": ', "application/jsonl", 422),
        (b"[" * 100_000, "application/jsonl", 422),
        (b"[]", "application/jsonl", 422),
        (b'a,"b\nc', "text/csv", 422),
        (b"<xml/>", "application/xml", 415),
    ],
)
async def test_what_is_no_file_of_resources_is_refused(
    desk: Desk, content: bytes, media_type: str, status: int
) -> None:
    assert (await desk.send(content, media_type)).status_code == status


async def test_a_long_list_of_faults_is_cut_and_so_is_a_long_file(desk: Desk) -> None:
    wrong = "reference,kind,title,content,language\n" + "a b,solution,T,C,en\n" * 500
    assert len((await desk.send(wrong)).json()["errors"]) == 20
    line = "kb-{},solution,T,C,en\n"
    long = "reference,kind,title,content,language\n" + "".join(line.format(n) for n in range(20_001))
    assert "at most" in (await desk.send(long)).json()["errors"][0]["message"]
