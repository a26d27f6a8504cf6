"""Customers have contact persons by role: who sends asks for them, and an erased one names nobody."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, running
from tests.component.requests_at_once import send_at_once

NOBODY = {"name": None, "email": None, "phone": None}
MARKS = ("Peregrina", "peregrina@secluded.example", "+49 30 998877")


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    """Invoicing on 2 March 2026."""
    async with running("invoicing", database, keys, jwks_file) as (_, caller):
        yield caller


def build_person(**more: Any) -> dict[str, Any]:
    """Build the body of a contact person."""
    return {
        "role": "technical",
        "name": MARKS[0],
        "email": MARKS[1],
        "phone": MARKS[2],
        "language": "de-CH",
        "channel": "email",
        "valid_from": "2026-03-01",
        "valid_to": None,
    } | more


async def register(client: Client, **more: Any) -> str:
    """Register an account; the path of its contact persons."""
    return f"/v1/accounts/{(await client.create('/v1/accounts', account(**more)))['id']}/contact-persons"


async def patch_person(client: Client, path: str, patch: dict[str, Any], version: int | None = 1) -> httpx2.Response:
    """Change a contact person of this version."""
    headers = client.headers | ({} if version is None else {"if-match": f'"{version}"'})
    return await client.http.patch(path, json=patch, headers=headers)


async def find_addressee(client: Client, path: str, role: str | None = None) -> dict[str, Any]:
    """Find whom to write to in a role."""
    query = {} if role is None else {"role": role}
    return await client.got(path.replace("contact-persons", "addressee"), **query)


async def test_a_contact_person_is_added_and_changed(client: Client) -> None:
    path = await register(client)
    person = await client.create(path, build_person())
    assert {name: person[name] for name in build_person()} == build_person()
    assert (person["version"], person["erased_at"]) == (1, None)
    own = f"{path}/{person['id']}"
    answer = await client.get(own)
    assert (answer.json(), answer.headers["etag"]) == (person, '"1"')
    assert (await patch_person(client, own, {"phone": None}, None)).json()["code"] == "if_match_missing"
    assert (await patch_person(client, own, {"phone": None}, 2)).json()["code"] == "stale"
    changed = await patch_person(client, own, {"phone": None, "role": "owner"})
    assert (changed.json(), changed.headers["etag"]) == (person | {"phone": None, "role": "owner", "version": 2}, '"2"')
    assert (await patch_person(client, own, {"role": "owner"}, 2)).json() == changed.json()
    entries = (await client.got("/v1/audit-entries", object_id=person["id"]))["items"]
    assert [entry["action"] for entry in entries] == ["contact_person.add", "contact_person.change"]
    assert entries[1]["before"] == {"role": "technical", "version": 1}
    assert entries[1]["personal"] == {"before": {"phone": MARKS[2]}, "after": {"phone": None}}


async def test_of_two_who_change_one_at_once_the_second_has_seen_too_little(client: Client, database: Database) -> None:
    path = await register(client)
    person = await client.create(path, build_person())
    own = f"{path}/{person['id']}"

    async def rename(number: int) -> httpx2.Response:
        return await patch_person(client, own, {"name": f"Peregrina {number}"})

    row = f"invoicing.contact_persons WHERE id = '{person['id']}'"
    assert await send_at_once(database, row, rename, 3) == [200, 412, 412]
    assert (await client.got(own))["version"] == 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"channel": "phone", "phone": None}, "contact_person_refused"),
        ({"valid_to": "2026-02-28"}, "contact_person_refused"),
        ({"role": "boss"}, "invalid"),
        ({"channel": "fax"}, "invalid"),
        ({"email": "nobody"}, "invalid"),
        ({"phone": "call me"}, "invalid"),
        ({"language": "es"}, "invalid"),
    ],
)
async def test_what_makes_no_contact_person_is_refused(client: Client, wrong: dict[str, Any], code: str) -> None:
    path = await register(client)
    refused = await client.post(path, build_person(**wrong))
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    person = await client.create(path, build_person())
    changed = await patch_person(client, f"{path}/{person['id']}", wrong)
    assert (changed.status_code, changed.json()["code"]) == (422, code)
    assert (await client.got(path))["items"] == [person]


async def test_they_are_listed_by_role_and_day(client: Client) -> None:
    path, other = await register(client), await register(client, external_reference="other")
    await client.create(other, build_person())
    persons = [
        await client.create(path, build_person(role=role, valid_from=begin, valid_to=end))
        for role, begin, end in (
            ("billing", "2026-01-01", "2026-03-01"),
            ("billing", "2026-03-01", None),
            ("technical", "2026-03-01", "2026-03-02"),
            ("owner", "2026-04-01", None),
        )
    ]

    async def list_places(**query: Any) -> list[int]:
        return [persons.index(person) for person in (await client.got(path, **query))["items"]]

    assert await list_places() == [0, 1, 2, 3]
    assert await list_places(role="billing") == [0, 1]
    assert await list_places(valid_on="2026-02-28") == [0]
    assert await list_places(valid_on="2026-03-01") == [1, 2]
    assert await list_places(valid_on="2026-03-02") == [1]
    assert await list_places(valid_on="2026-04-01", role="owner") == [3]
    first = await client.got(path, limit=3)
    assert [person["id"] for person in (await client.got(path, limit=3, after=first["next"]))["items"]] == [
        persons[3]["id"]
    ]
    assert (await client.get(path, role="boss")).status_code == 422
    for missing in (path.replace(path.split("/")[3], str(uuid4())), f"{other}/{persons[0]['id']}"):
        assert (await client.get(missing)).status_code == 404


async def test_the_addressee_is_of_the_role_else_of_billing_else_the_account(
    client: Client, database: Database
) -> None:
    path = await register(client, language="fr", time_zone="Asia/Tokyo")
    assert await find_addressee(client, path, "technical") == {
        "account_id": path.split("/")[3],
        "contact_person_id": None,
        "role": "billing",
        "name": "Account 17",
        "email": "billing@account-17.example",
        "phone": None,
        "language": "fr",
        "channel": "email",
    }
    billing = await client.create(path, build_person(role="billing", name="Bill", channel="phone"))
    technical = await client.create(path, build_person(name="Tech", valid_from="2026-03-03"))
    shown = await find_addressee(client, path, "technical")
    assert (shown["contact_person_id"], shown["role"], shown["channel"]) == (billing["id"], "billing", "phone")
    assert (shown["name"], shown["phone"], shown["language"]) == ("Bill", MARKS[2], "de-CH")
    await database.move(datetime(2026, 3, 2, 15, tzinfo=UTC))  # 3 March in Tokyo
    assert (await find_addressee(client, path, "technical"))["contact_person_id"] == technical["id"]
    assert (await find_addressee(client, path))["contact_person_id"] == billing["id"]
    successor = await client.create(path, build_person(name="Next", valid_from="2026-03-03"))
    assert (await find_addressee(client, path, "technical"))["contact_person_id"] == successor["id"]
    ended = await client.create(f"{path}/{successor['id']}:end", {"valid_to": "2026-03-03"})
    assert (ended["valid_to"], ended["version"]) == ("2026-03-03", 2)
    assert (await find_addressee(client, path, "technical"))["contact_person_id"] == technical["id"]
    assert (await client.get(path.replace("contact-persons", "addressee"), role="boss")).status_code == 422
    assert (await client.get(f"/v1/accounts/{uuid4()}/addressee")).status_code == 404


async def test_the_validity_ends_on_a_day_that_may_be_set_again(client: Client) -> None:
    path = await register(client)
    end = f"{path}/{(await client.create(path, build_person()))['id']}:end"
    for day in ("2026-04-01", "2026-05-01", "2026-03-01"):
        assert (await client.create(end, {"valid_to": day}))["valid_to"] == day
    refused = await client.post(end, {"valid_to": "2026-02-28"})
    assert (refused.status_code, refused.json()["code"]) == (422, "contact_person_refused")


async def test_who_was_erased_names_nobody_any_more(client: Client, database: Database) -> None:
    path = await register(client)
    person = (await client.post(path, build_person(channel="phone"), key="first")).json()
    own = f"{path}/{person['id']}"
    await patch_person(client, own, {"phone": f"{MARKS[2]} 1"})
    await client.create(f"{own}:end", {"valid_to": "2027-03-01"})
    assert (await client.post(f"{own}:erase", {})).status_code == 422
    erased = await client.create(f"{own}:erase", {"reason": "she asked for it"})
    assert erased == person | NOBODY | {"version": 4, "valid_to": "2027-03-01", "erased_at": "2026-03-02T09:00:00Z"}
    assert (await client.got(own)) == erased
    assert await client.create(f"{own}:erase", {"reason": "once more"}) == erased
    assert (await find_addressee(client, path, "technical"))["contact_person_id"] is None
    assert (await client.got(path, valid_on="2026-03-02"))["items"] == []
    assert (await client.got(path))["items"] == [erased]
    for refused in (
        await patch_person(client, own, {"name": "Peregrina"}, 4),
        await client.post(f"{own}:end", {"valid_to": "2026-05-01"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "contact_person_erased")
    entries = (await client.got("/v1/audit-entries", object_id=person["id"]))["items"]
    assert [entry["action"].split(".")[1] for entry in entries] == ["add", "change", "end", "erase"]
    assert [entry["personal"] for entry in entries] == [{}, {}, {}, {"reason": "she asked for it"}]
    for table in ("contact_persons", "idempotency"):
        rows = await database.rows(f"SELECT t::text FROM invoicing.{table} t")
        assert rows
        assert not [mark for mark in MARKS for row in rows if mark in row[0]], table
    repeated = await client.post(path, build_person(channel="phone"), key="first")
    assert (repeated.status_code, repeated.json()["code"]) == (410, "answer_removed")


async def test_another_s_entries_stay_when_one_is_erased(client: Client) -> None:
    path = await register(client)
    first, second = [await client.create(path, build_person()) for _ in range(2)]
    for person in (first, second):
        await patch_person(client, f"{path}/{person['id']}", {"name": "Peregrina II"})
    await client.create(f"{path}/{first['id']}:erase", {"reason": "asked for"})
    entries = (await client.got("/v1/audit-entries", object_id=second["id"]))["items"]
    assert entries[1]["personal"] == {"before": {"name": "Peregrina"}, "after": {"name": "Peregrina II"}}


async def test_nobody_is_named_on_topics_or_in_logs(
    client: Client, database: Database, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = await register(client)
    own = f"{path}/{(await client.create(path, build_person()))['id']}"
    await patch_person(client, own, {"name": "Peregrina II"})
    await client.post(path, build_person(email="peregrina"))
    await find_addressee(client, path, "technical")
    await client.create(f"{own}:erase", {"reason": "Peregrina asked for it"})
    rows = await database.rows("SELECT o::text FROM invoicing.outbox o")
    written = [*(row[0] for row in rows), *capsys.readouterr(), caplog.text]
    assert "request" in "".join(written)
    assert not [text for text in written if "peregrina" in text.lower() or MARKS[2] in text]


async def test_who_sells_writes_them_and_others_only_read(client: Client, keys: SigningKeyPair) -> None:
    path = await register(client)
    reader = Client(client.http, keys.token("invoicing", "invoicing:read invoicing:billing"), partial(keys.token))
    assert (await reader.post(path, build_person())).status_code == 403
    own = f"{path}/{(await client.create(path, build_person()))['id']}"
    for answer in (
        await patch_person(reader, own, {"name": "Other"}),
        await reader.post(f"{own}:end", {"valid_to": "2026-05-01"}),
        await reader.post(f"{own}:erase", {"reason": "asked for"}),
    ):
        assert answer.status_code == 403
    assert (await reader.got(own))["name"] == MARKS[0]


async def test_an_account_has_a_support_level(client: Client, database: Database) -> None:
    owner = await client.create("/v1/accounts", account())
    assert owner["support_level"] == "standard"
    headers = client.headers | {"if-match": '"1"'}
    own = f"/v1/accounts/{owner['id']}"
    assert (await client.http.patch(own, json={"support_level": None}, headers=headers)).status_code == 422
    assert (await client.http.patch(own, json={"support_level": "two words"}, headers=headers)).status_code == 422
    changed = (await client.http.patch(own, json={"support_level": "gold"}, headers=headers)).json()
    assert changed == owner | {"support_level": "gold", "version": 2}
    rows = await database.rows("SELECT data FROM invoicing.outbox ORDER BY position")
    assert [orjson.loads(row["data"])["support_level"] for row in rows] == ["standard", "gold"]
    entry = (await client.got("/v1/audit-entries", action="account.change"))["items"][0]
    assert entry["before"] == {"support_level": "standard", "version": 1}
