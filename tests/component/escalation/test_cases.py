"""Cases: opened, found, changed, moved and merged, with everything of it in their thread."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from tests.builders import Client, Database, running

ACCOUNT, OTHER = str(UUID(int=41)), str(UUID(int=42))
INVOICE = str(UUID(int=51))


@dataclass
class Desk:
    """Escalation, as a support agent meets it."""

    runtime: Runtime
    client: Client
    database: Database

    async def open(self, subject: str = "What is line 3?", **more: Any) -> str:
        body = {"kind": "billing_question", "account_id": ACCOUNT, "subject": subject}
        return str((await self.client.create("/v1/cases", body | more))["id"])

    async def get(self, case_id: str) -> dict[str, Any]:
        case: dict[str, Any] = await self.client.got(f"/v1/cases/{case_id}")
        return case

    async def do(self, case_id: str, verb: str, **body: Any) -> dict[str, Any]:
        return await self.client.create(f"/v1/cases/{case_id}:{verb}", {"reason": "as agreed"} | body)

    async def refuse(self, case_id: str, verb: str, **body: Any) -> tuple[int, str]:
        answer = await self.client.post(f"/v1/cases/{case_id}:{verb}", {"reason": "as agreed"} | body)
        return answer.status_code, answer.json()["code"]

    async def change(self, case_id: str, patch: dict[str, Any], etag: str) -> Any:
        headers = {**self.client.headers, "if-match": etag}
        return await self.client.http.patch(f"/v1/cases/{case_id}", json=patch, headers=headers)

    async def find(self, **criteria: Any) -> list[str]:
        return [case["id"] for case in (await self.client.got("/v1/cases", **criteria))["items"]]

    async def entries(self, case_id: str, **criteria: Any) -> list[dict[str, Any]]:
        page = await self.client.got(f"/v1/cases/{case_id}/entries", **criteria)
        return list(page["items"])

    async def events(self) -> list[str]:
        rows = await self.database.rows("SELECT type FROM escalation.outbox ORDER BY position")
        return [row["type"].split(".")[2] for row in rows]


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Desk]:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        yield Desk(runtime, client, database)


async def test_a_case_goes_its_way_and_its_thread_tells_it(desk: Desk) -> None:
    case_id = await desk.open(description="Ten seats were expected.", product="Mail", assignee="Anna")
    opened = await desk.get(case_id)
    assert (opened["state"], opened["waiting_for"], opened["queue"]) == ("new", "us", "billing")
    assert (opened["assignee"], opened["opened_by"]) == ("anna", "operator")
    assert (await desk.do(case_id, "start"))["state"] == "in_progress"
    waiting = await desk.do(case_id, "wait", waiting_for="customer", reason="asked for the order")
    assert (waiting["state"], waiting["waiting_for"]) == ("waiting_for_customer", "customer")
    await desk.do(case_id, "start")
    assert (await desk.do(case_id, "wait", waiting_for="vendor"))["waiting_for"] == "vendor"
    resolved = await desk.do(case_id, "resolve", outcome="line 3 is the set-up charge")
    assert (resolved["state"], resolved["outcome"]) == ("resolved", "line 3 is the set-up charge")
    contact = {"channel": "phone", "about_outcome": True, "comment": "explained"}
    await desk.client.create(f"/v1/cases/{case_id}/contacts", contact)
    assert (await desk.do(case_id, "close"))["waiting_for"] is None
    steps = [(entry["kind"], entry["details"].get("to"), entry["content"]) for entry in await desk.entries(case_id)]
    assert steps == [
        ("state", "in_progress", "as agreed"),
        ("state", "waiting_for_customer", "asked for the order"),
        ("state", "in_progress", "as agreed"),
        ("state", "waiting_for_vendor", "as agreed"),
        ("state", "resolved", "as agreed"),
        ("call", None, "explained"),
        ("state", "closed", "as agreed"),
    ]
    assert await desk.events() == ["CaseOpened", "CaseResolved", "CustomerContacted", "CaseClosed"]


async def test_nobody_waits_in_a_case_that_nobody_has_begun(desk: Desk) -> None:
    case_id = await desk.open()
    assert await desk.refuse(case_id, "wait", waiting_for="customer") == (409, "move_refused")
    assert await desk.refuse(case_id, "reopen") == (409, "move_refused")
    assert await desk.entries(case_id) == []


async def test_a_case_that_is_opened_again_needs_the_customer_told_again(desk: Desk) -> None:
    case_id = await desk.open()
    contact = {"channel": "email", "about_outcome": True, "comment": "explained"}
    await desk.do(case_id, "resolve", outcome="explained")
    await desk.client.create(f"/v1/cases/{case_id}/contacts", contact)
    await desk.do(case_id, "close")
    again = await desk.do(case_id, "reopen", reason="it is not so")
    assert (again["state"], again["outcome"], again["closed_at"]) == ("in_progress", None, None)
    assert (await desk.entries(case_id))[-1]["details"]["former_outcome"] == "explained"
    await desk.do(case_id, "resolve", outcome="credited")
    assert await desk.refuse(case_id, "close") == (409, "customer_not_told")
    await desk.client.create(f"/v1/cases/{case_id}/contacts", contact)
    await desk.do(case_id, "close")
    assert (await desk.events()).count("CaseReopened") == 1


async def test_a_cause_has_one_case_that_is_not_resolved(desk: Desk) -> None:
    first, second = await desk.open(), await desk.open()
    for case_id in (first, second):
        await desk.do(case_id, "resolve", outcome="done")
        await desk.database.execute("UPDATE escalation.cases SET cause = 'a' WHERE id = $1", UUID(case_id))
    await desk.do(first, "reopen")
    assert await desk.refuse(second, "reopen") == (409, "cause_taken")


async def test_what_is_changed_stands_in_the_thread(desk: Desk) -> None:
    case_id = await desk.open()
    changed = await desk.change(case_id, {"queue": "vendor", "assignee": " Anna ", "subject": "Line 3?"}, '"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    (entry,) = await desk.entries(case_id, kind="change")
    assert entry["details"] == {
        "queue": {"from": "billing", "to": "vendor"},
        "assignee": {"from": None, "to": "anna"},
        "subject": {"from": "What is line 3?", "to": "Line 3?"},
    }
    same = await desk.change(case_id, {"queue": "vendor"}, '"2"')
    assert (same.headers["etag"], len(await desk.entries(case_id))) == ('"2"', 1)
    assert (await desk.change(case_id, {"assignee": None}, "*")).json()["assignee"] is None


async def test_nobody_changes_what_they_have_not_seen(desk: Desk) -> None:
    case_id = await desk.open()
    patches = [desk.change(case_id, {"queue": f"queue-{place}"}, '"1"') for place in range(20)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*patches))
    assert codes == [200] + [412] * 19
    missing = await desk.client.http.patch(f"/v1/cases/{case_id}", json={}, headers=desk.client.headers)
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")


async def test_nobody_is_assigned_who_could_have_no_token(desk: Desk) -> None:
    case_id = await desk.open()
    for name in ("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 255, "", " ", "a" * 256):
        assert (await desk.change(case_id, {"assignee": name}, "*")).status_code == 422


@pytest.mark.parametrize(
    ("kind", "severity", "patch"), [("technical", "B", None), ("billing_question", None, "A"), ("task", None, "C")]
)
async def test_technical_cases_have_a_severity_and_no_others(
    desk: Desk, kind: str, severity: str | None, patch: str | None
) -> None:
    case_id = await desk.open(kind=kind, severity=severity)
    refused = await desk.change(case_id, {"severity": patch}, "*")
    assert (refused.status_code, refused.json()["code"]) == (422, "severity_refused")


async def test_a_case_is_linked_to_what_it_is_about(desk: Desk) -> None:
    links = [{"kind": "invoice", "target_id": INVOICE, "line": 3}]
    case_id, other_id = await desk.open(links=links), await desk.open()
    subscription_id = str(uuid4())
    more = {"links": [*links, {"kind": "subscription", "target_id": subscription_id}]}
    linked = await desk.client.create(f"/v1/cases/{case_id}/links", more)
    assert [(link["kind"], link["line"]) for link in linked["links"]] == [("invoice", 3), ("subscription", None)]
    assert await desk.find(linked_to=subscription_id) == [case_id]
    assert await desk.find(linked_to=INVOICE, account_id=ACCOUNT) == [case_id]
    path = f"/v1/cases/{case_id}/links/invoice/{INVOICE}"
    wrong = await desk.client.http.delete(path, headers=desk.client.headers)
    assert wrong.status_code == 404, "the link is to a line"
    remaining = await desk.client.http.delete(path, params={"line": 3}, headers=desk.client.headers)
    assert [link["kind"] for link in remaining.json()["links"]] == ["subscription"]
    assert [entry["details"] for entry in await desk.entries(case_id)][-1] == {
        "unlinked": [{"kind": "invoice", "target_id": INVOICE, "line": 3}]
    }
    assert (await desk.get(other_id))["links"] == []


async def test_lists_are_filtered_by_all_that_is_asked(desk: Desk) -> None:
    plain = await desk.open()
    of_anna = await desk.open(kind="technical", severity="A", assignee="Anna", product="Mail", account_id=OTHER)
    vendors = await desk.open(kind="vendor_refusal")
    await desk.do(vendors, "start")
    await desk.do(vendors, "wait", waiting_for="vendor")
    done = await desk.open()
    await desk.do(done, "resolve", outcome="explained")
    number = (await desk.get(of_anna))["number"]
    for criteria, expected in (
        ({}, [plain, of_anna, vendors, done]),
        ({"account_id": OTHER}, [of_anna]),
        ({"number": number}, [of_anna]),
        ({"assignee": "ANNA"}, [of_anna]),
        ({"is_assigned": False}, [plain, vendors, done]),
        ({"is_assigned": True}, [of_anna]),
        ({"severity": "A"}, [of_anna]),
        ({"product": "Mail"}, [of_anna]),
        ({"queue": "vendor"}, [vendors]),
        ({"kind": "billing_question"}, [plain, done]),
        ({"kind": "billing_question", "state": "resolved"}, [done]),
        ({"waiting_for": "vendor"}, [vendors]),
        ({"waiting_for": "us"}, [plain, of_anna, done]),
        ({"waiting_for": "customer"}, []),
        ({"waiting_for": "us", "is_assigned": False, "limit": 1}, [plain]),
    ):
        assert await desk.find(**criteria) == expected, criteria
    counts = (await desk.client.got("/v1/case-counts", waiting_for="us"))["counts"]
    assert [(count["queue"], count["state"], count["cases"]) for count in counts] == [
        ("billing", "new", 1),
        ("billing", "resolved", 1),
        ("technical", "new", 1),
    ]


async def test_words_are_found_in_cases_and_threads_the_best_first(desk: Desk) -> None:
    in_subject = await desk.open("Gutschrift für Rechnung 4711", description="Gutschrift fehlt")
    in_thread = await desk.open("Something else")
    await desk.client.create(f"/v1/cases/{in_thread}/notes", {"content": "The customer wants a Gutschrift."})
    await desk.open("Nothing of it")

    async def search(words: str, **criteria: Any) -> list[str]:
        answer = await desk.client.got("/v1/case-search", words=words, **criteria)
        assert answer["is_complete"]
        return [case["id"] for case in answer["items"]]

    assert await search("gutschrift") == [in_subject, in_thread]
    assert await search("gutschrift 4711") == [in_subject]
    assert await search("gutschrift -4711") == [in_thread]
    assert await search('"wants a gutschrift"') == [in_thread]
    assert await search("gutschrift", state="resolved") == []
    assert await search("' OR 1=1; --") == []
    await desk.change(in_subject, {"description": "Rabatt fehlt", "subject": "Rabatt"}, "*")
    assert (await search("gutschrift"), await search("rabatt")) == ([in_thread], [in_subject])


async def test_more_hits_than_are_ranked_are_said(desk: Desk) -> None:
    await desk.database.execute(
        "INSERT INTO escalation.cases (id, version, kind, subject, queue, state, opened_at, state_since,"
        " unread_answers) SELECT gen_random_uuid(), 1, 'task', 'common words ' || n, 'tasks', 'new', now(), now(), 0"
        " FROM generate_series(1, 1001) AS n"
    )
    await desk.database.execute(
        "INSERT INTO escalation.case_words SELECT id, id, to_tsvector('simple', subject) FROM escalation.cases"
    )
    assert (await desk.client.got("/v1/case-search", words="common"))["is_complete"] is False
    assert (await desk.client.got("/v1/case-search", words="common words 7"))["is_complete"] is True
    await desk.database.execute("DELETE FROM escalation.case_words WHERE words @@ '7'")
    assert (await desk.client.got("/v1/case-search", words="common"))["is_complete"] is True


async def test_a_merged_case_is_found_under_both_numbers(desk: Desk) -> None:
    first = await desk.open("Asked by mail", links=[{"kind": "invoice", "target_id": INVOICE}])
    middle, last = await desk.open("Asked by phone"), await desk.open("Asked again")
    await desk.client.create(f"/v1/cases/{first}/notes", {"content": "a note on the first"})
    await desk.do(first, "merge", into_case_id=middle)
    await desk.do(middle, "merge", into_case_id=last)
    for merged in (first, middle):
        case = await desk.get(merged)
        assert (case["state"], case["merged_into"], case["waiting_for"]) == ("merged", last, None)
        assert await desk.find(number=case["number"]) == [merged]
    kept = await desk.get(last)
    assert sorted(kept["merged_cases"]) == sorted([first, middle])
    assert [link["target_id"] for link in kept["links"]] == [INVOICE]
    assert "a note on the first" in [entry["content"] for entry in await desk.entries(last)]
    for verb, body in (("start", {}), ("resolve", {"outcome": "x"}), ("reopen", {}), ("merge", {"into_case_id": last})):
        assert await desk.refuse(first, verb, **body) == (409, "move_refused")
    note = await desk.client.post(f"/v1/cases/{first}/notes", {"content": "x"})
    contact = {"channel": "phone", "about_outcome": True, "comment": "x"}
    spoken = await desk.client.post(f"/v1/cases/{first}/contacts", contact)
    changed = await desk.change(first, {"queue": "tasks"}, "*")
    assert [answer.status_code for answer in (note, spoken, changed)] == [409, 409, 409]
    assert (await desk.events()).count("CaseMerged") == 2


async def test_cases_of_two_customers_are_never_merged(desk: Desk) -> None:
    ours, theirs = await desk.open(), await desk.open(account_id=OTHER)
    assert await desk.refuse(ours, "merge", into_case_id=theirs) == (409, "merge_refused")
    assert await desk.refuse(ours, "merge", into_case_id=ours) == (409, "merge_refused")
    assert await desk.refuse(ours, "merge", into_case_id=str(uuid4())) == (404, "not_found")


async def test_two_who_merge_each_others_case_do_not_lose_both(desk: Desk) -> None:
    for _ in range(10):
        first, second = await desk.open(), await desk.open()
        answers = await asyncio.gather(
            desk.client.post(f"/v1/cases/{first}:merge", {"into_case_id": second, "reason": "x"}),
            desk.client.post(f"/v1/cases/{second}:merge", {"into_case_id": first, "reason": "x"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_everything_open_of_a_customer_is_one_answer(desk: Desk) -> None:
    await desk.database.execute("INSERT INTO escalation.accounts VALUES ($1, 'EUR')", UUID(ACCOUNT))
    older, newer = await desk.open(), await desk.open()
    closed = await desk.open()
    await desk.do(closed, "merge", into_case_id=newer)
    await desk.open(account_id=OTHER)
    glance = await desk.client.got(f"/v1/accounts/{ACCOUNT}/support")
    assert ([case["id"] for case in glance["cases"]], glance["disputes"]) == ([newer, older], [])
    assert glance["is_complete"]
    assert (await desk.client.get(f"/v1/accounts/{OTHER}/support")).status_code == 404
