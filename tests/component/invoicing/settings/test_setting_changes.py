"""Settings that move money are set by one person at first and by two later, and keep their history."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.settings.domain.setting_change import SCOPES, SettingKind
from tests.builders import Client, Database, account, invoice, running
from tests.component.setting_kinds import SETTINGS, Setting
from tests.component.setting_requests import GROUNDS, approve_change, put_by_two

CHANGES = "/v1/setting-changes"
RULE = "/v1/legal-entities/{}/second-person"
of_each_kind = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.kind))
of_each_that_differs = pytest.mark.parametrize(
    "setting",
    [setting for setting in SETTINGS if setting.kind not in (SettingKind.SECOND_PERSON, SettingKind.LEDGER_PERIOD)],
    ids=lambda setting: str(setting.kind),
)


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, caller):
        yield caller


async def issue(client: Client, legal_entity: str = "GS-DE") -> None:
    """Issue the first invoice of a legal entity."""
    owner = (await client.create("/v1/accounts", account(legal_entity=legal_entity)))["id"]
    await client.create("/v1/invoices", invoice(owner, 10_000))


async def propose(client: Client, setting: Setting) -> Any:
    """Set the first value, issue an invoice, and ask for the second value; the proposal."""
    assert (await setting.set(client, 1)).status_code in (200, 201)
    await issue(client)
    answer = await setting.set(client, 2)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def decide(client: Client, change_id: str, verb: str = "approve") -> tuple[int, str]:
    """Decide about a proposal; the status, and the code of the refusal or the state."""
    answer = await client.post(f"{CHANGES}/{change_id}:{verb}", GROUNDS)
    return answer.status_code, answer.json().get("code") or answer.json()["state"]


async def list_history(client: Client, **asked: str) -> list[Any]:
    return list((await client.got(CHANGES, **asked))["items"])


def describe(change: Any) -> tuple[str, str, str | None]:
    return change["state"], change["proposed_by"], change["decided_by"]


def test_every_kind_is_tried() -> None:
    assert {setting.kind for setting in SETTINGS} == set(SettingKind) == set(SCOPES)


@of_each_kind
async def test_until_an_invoice_is_issued_one_person_sets_it(client: Client, setting: Setting) -> None:
    assert await setting.read(client) == setting.values[0]
    for place in (1, 2):
        assert (await setting.set(client, place)).status_code in (200, 201)
        assert await setting.read(client) == setting.values[place]
    assert await setting.list_proposed(client) == []
    changes = await list_history(client, kind=setting.kind)
    assert [describe(change) for change in changes] == [("carried_out", "operator", None)] * 2
    assert all(change["decided_at"] == "2026-03-02T09:00:00Z" for change in changes)


@of_each_kind
async def test_later_a_second_person_agrees_before_anything_is_changed(client: Client, setting: Setting) -> None:
    proposal = await propose(client, setting)
    assert (proposal["kind"], proposal["key"], proposal["state"]) == (setting.kind, setting.key, "proposed")
    assert await setting.read(client) == setting.values[1]
    assert await setting.list_proposed(client) == [proposal]
    assert await list_history(client, state="proposed") == [proposal]
    for name in ("operator", " OPERATOR"):
        assert await decide(client.somebody(name), proposal["id"]) == (403, "second_person_needed")
    assert await setting.read(client) == setting.values[1]
    assert await decide(client.somebody("treasurer"), proposal["id"]) == (200, "carried_out")
    assert await setting.read(client) == setting.values[2]
    assert await setting.list_proposed(client) == []
    changes = await list_history(client, kind=setting.kind)
    assert [describe(change) for change in changes] == [
        ("carried_out", "operator", None),
        ("carried_out", "operator", "treasurer"),
    ]
    assert await client.got(f"{CHANGES}/{proposal['id']}") == changes[1]
    assert changes[1]["decision_reason"] == GROUNDS["reason"]
    assert await decide(client.somebody("third"), proposal["id"]) == (409, "move_refused")


@of_each_kind
async def test_what_is_declined_or_withdrawn_changes_nothing_and_can_be_proposed_anew(
    client: Client, setting: Setting
) -> None:
    first = await propose(client, setting)
    somebody = client.somebody("treasurer")
    assert await decide(somebody, first["id"], "withdraw") == (403, "not_the_proposer")
    assert await decide(client, first["id"], "decline") == (403, "second_person_needed")
    assert await decide(somebody, first["id"], "decline") == (200, "declined")
    second = (await setting.set(client, 2)).json()
    assert await decide(client, second["id"], "withdraw") == (200, "withdrawn")
    for change, verb in ((first, "approve"), (second, "approve"), (second, "withdraw"), (first, "decline")):
        assert (await decide(client.somebody("third"), change["id"], verb)) == (409, "move_refused")
    assert await setting.read(client) == setting.values[1]
    assert [describe(change) for change in await list_history(client, kind=setting.kind)] == [
        ("carried_out", "operator", None),
        ("declined", "operator", "treasurer"),
        ("withdrawn", "operator", "operator"),
    ]
    assert (await setting.set(somebody, 2)).status_code == 202


@of_each_kind
async def test_one_change_waits_at_a_time_and_sent_again_it_is_the_same(client: Client, setting: Setting) -> None:
    proposal = await propose(client, setting)
    again = await setting.set(client, 2)
    assert (again.status_code, again.json()) == (202, proposal)
    refused = await setting.set(client.somebody("rival"), 2)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_proposed")
    assert refused.json()["setting_change_id"] == proposal["id"]
    assert len(await list_history(client, kind=setting.kind, state="proposed")) == 1


@of_each_kind
async def test_two_who_propose_at_once_propose_it_once(client: Client, setting: Setting) -> None:
    assert (await setting.set(client, 1)).status_code in (200, 201)
    await issue(client)
    people = [client.somebody(f"person-{number}") for number in range(8)]
    answers = await asyncio.gather(*(setting.set(person, 2) for person in people))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7


@of_each_kind
async def test_twenty_who_approve_at_once_carry_it_out_once(
    client: Client, database: Database, setting: Setting
) -> None:
    proposal = await propose(client, setting)
    people = [client.somebody(f"person-{number}") for number in range(20)]
    answers = await asyncio.gather(*(decide(person, proposal["id"]) for person in people))
    assert sorted(answers) == [(200, "carried_out")] + [(409, "move_refused")] * 19
    assert await setting.read(client) == setting.values[2]
    query = "SELECT object_type, object_id FROM invoicing.audit_entries WHERE action = 'setting_change.approve'"
    assert [tuple(row) for row in await database.rows(query)] == [(setting.kind, setting.key)]


async def change_first(client: Client, setting: Setting) -> httpx2.Response:
    """Set the third value at once, where no second person is required any more."""
    await put_by_two(client, RULE.format("GS-DE"), {"required": False, "reason": "one person"})
    return await setting.set(client, 3)


@of_each_that_differs
async def test_what_would_replace_something_else_by_now_is_refused(client: Client, setting: Setting) -> None:
    proposal = await propose(client, setting)
    assert (await change_first(client, setting)).status_code in (200, 201)
    assert await decide(client.somebody("treasurer"), proposal["id"]) == (409, "facts_changed")
    assert await setting.read(client) == setting.values[3]
    assert [change["state"] for change in await list_history(client, kind=setting.kind)] == [
        "carried_out",
        "proposed",
        "carried_out",
    ]


async def test_a_month_that_was_closed_meanwhile_is_not_closed_again(client: Client) -> None:
    await issue(client)
    earlier, later = [await client.post(f"/v1/ledger/GS-DE/periods/2025-{month}:close", GROUNDS) for month in (11, 12)]
    assert (earlier.status_code, later.status_code) == (202, 202)
    await approve_change(client, later)
    assert await decide(client.somebody("treasurer"), earlier.json()["id"]) == (409, "already_closed")


@of_each_that_differs
async def test_where_no_second_person_is_required_one_sets_it(client: Client, setting: Setting) -> None:
    assert (await setting.set(client, 1)).status_code in (200, 201)
    await issue(client)
    assert (await change_first(client, setting)).status_code in (200, 201)
    assert await setting.read(client) == setting.values[3]


async def set_limit(client: Client, amount: int, path: str = "/v1/approval-limits/lead/EUR") -> int:
    body = {"amount_minor": amount, "reason": "the board"}
    return (await client.http.put(path, json=body, headers=client.headers)).status_code


async def test_whatever_gives_nobody_more_is_done_at_once(client: Client) -> None:
    entity, rate, _, _, rule, _ = SETTINGS
    for path in ("/v1/approval-limits/lead/EUR", "/v1/tolerances/GS-DE/EUR"):
        assert await set_limit(client, 500, path) == 200
    assert (await entity.set(client, 1)).status_code == 200
    assert (await rate.set(client, 1)).status_code == 201
    await issue(client)
    for path in ("/v1/approval-limits/lead/EUR", "/v1/tolerances/GS-DE/EUR"):
        assert await set_limit(client, 501, path) == 202
        for amount in (500, 499, 0):
            assert await set_limit(client, amount, path) == 200
        assert await set_limit(client, 1, path) == 409
    body = entity.build(1) | {"footer": "Managing director: B. Person", "name": "Reseller AG"}
    tag = client.headers | {"if-match": '"1"'}
    assert (await client.http.put(entity.path, json=body, headers=tag)).json()["version"] == 2
    assert (await rate.set(client, 1)).status_code == 201
    assert (await rule.set(client, 1)).status_code == 200
    await put_by_two(client, RULE.format("GS-DE"), {"required": False, "reason": "one person"})
    assert (await rule.set(client, 1)).json()["required"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iban", "DE02500105170137075030"),
        ("bic", "COBADEFFXXX"),
        ("bank_name", "Bank 2"),
        ("mail_from", "billing@other.example"),
        ("reply_to", "questions@other.example"),
        ("tax_id", "DE987654321"),
        ("country", "FR"),
        ("tax_calculator", "outside"),
        ("footer", "Please pay to DE02 5001 0517 0137 0750 30 from now on"),
        ("signature", "Your team\nnew account: de02-5001.0517-0137.0750-30"),
        ("name", "Reseller DE02500105170137075030"),
        ("address", ["Street 1", "DE02 5001 0517", "0137 0750 30"]),
        ("register_number", "DE02500105170137075030"),
    ],
)
async def test_each_field_that_says_where_money_goes_waits(client: Client, field: str, value: object) -> None:
    entity = SETTINGS[0]
    assert (await client.http.put(entity.path, json=entity.build(1) | {"country": "DE"}, headers=client.headers)).json()
    await issue(client)
    body = entity.build(1) | {"country": "DE", field: value}
    answer = await client.http.put(entity.path, json=body, headers=client.headers | {"if-match": '"1"'})
    assert answer.status_code == 202, answer.text
    shown = await client.got(entity.path)
    assert (shown["version"], shown["proposed_change"]["proposed"][field]) == (1, value)
    assert shown[field] != value


async def test_what_an_entity_has_issued_counts_for_itself_and_for_limits(client: Client) -> None:
    await issue(client)
    tolerance = "/v1/tolerances/GS-FR/EUR"
    assert await set_limit(client, 5, tolerance) == 200
    assert await set_limit(client, 5) == 202
    await issue(client, "GS-FR")
    assert await set_limit(client, 6, tolerance) == 202
    await put_by_two(client, RULE.format("GS-DE"), {"required": False, "reason": "one person"})
    assert await set_limit(client, 5, "/v1/approval-limits/boss/EUR") == 202
    await put_by_two(client, RULE.format("GS-FR"), {"required": False, "reason": "one person"})
    assert await set_limit(client, 5, "/v1/approval-limits/clerk/EUR") == 200


async def test_nobody_approves_more_for_a_role_that_they_have(client: Client) -> None:
    await issue(client)
    path = "/v1/approval-limits/lead/EUR"
    body = {"amount_minor": 5, "reason": "the board"}
    lead = client.somebody("lead", "lead")
    assert (await lead.http.put(path, json=body, headers=lead.headers)).json()["code"] == "own_limit"
    proposal = (await client.http.put(path, json=body, headers=client.headers)).json()
    assert await decide(lead, proposal["id"]) == (403, "own_limit")
    assert await decide(client.somebody("other", "clerk"), proposal["id"]) == (200, "carried_out")


@of_each_kind
async def test_who_may_not_propose_it_does_not_decide_about_it(
    client: Client, keys: SigningKeyPair, setting: Setting
) -> None:
    proposal = await propose(client, setting)
    scopes = {"invoicing:settings", "invoicing:admin", "invoicing:read", "invoicing:credits"}
    for scope in sorted(scopes - {SCOPES[setting.kind]}):
        other = Client(client.http, keys.token("invoicing", scope, "other"), partial(keys.token))
        for verb in ("approve", "decline", "withdraw"):
            assert await decide(other, proposal["id"], verb) == (403, "not_allowed"), scope
    right = Client(client.http, keys.token("invoicing", SCOPES[setting.kind], "other"), partial(keys.token))
    assert await decide(right, proposal["id"]) == (200, "carried_out")


async def test_history_is_neither_rewritten_nor_deleted(client: Client, database: Database) -> None:
    await set_limit(client, 5)
    async with database.connected("invoicing") as connection:
        for statement in (
            "DELETE FROM setting_changes",
            "UPDATE setting_changes SET wanted = '{}'",
            "UPDATE setting_changes SET proposed_by = 'nobody'",
            "TRUNCATE setting_changes",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_the_list_is_asked_for_what_there_is(client: Client) -> None:
    for setting in SETTINGS:
        assert (await setting.set(client, 1)).status_code in (200, 201)
    assert len(await list_history(client)) == len(SETTINGS)
    assert len(await list_history(client, legal_entity="GS-DE")) == len(SETTINGS) - 1
    assert await list_history(client, legal_entity="GS-FR") == []
    first = await client.got(CHANGES, limit=4)
    second = await client.got(CHANGES, limit=4, after=first["next"])
    assert [change["kind"] for change in (*first["items"], *second["items"])] == [s.kind for s in SETTINGS]
    assert (await client.get(CHANGES, legal_entity="GS-XX")).json()["code"] == "unknown_legal_entity"
    assert (await client.get(CHANGES, kind="plan")).status_code == 422
