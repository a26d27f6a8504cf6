"""Escalation beside invoicing, both on real Postgres and over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import Response

from deploy.local.tokens import SigningKeyPair
from shared.events.entitlements import VendorSyncFailed
from shared.process import intents
from shared.process.runtime import Runtime
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService
from shared.web.commands import CommandRunner
from tests.builders import Client, Database, account, hear, invoice, running, work


@dataclass
class Door:
    """The way from escalation to invoicing, which can be shut."""

    client: Client
    shut: bool = False
    calls: list[str] = field(default_factory=list)

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        self.calls.append(str(key))
        if self.shut:
            raise RetryLater("invoicing is away")
        answer = await self.client.post(path, body, key=key)
        if answer.status_code >= 400:
            raise RefusedByService(answer.status_code, answer.json())
        return answer.json()

    async def get(self, path: str) -> Any:
        if self.shut:
            raise RetryLater("invoicing is away")
        answer = await self.client.get(path)
        if answer.status_code >= 400:
            raise RefusedByService(answer.status_code, answer.json())
        return answer.json()

    async def close(self) -> None:
        pass


@dataclass
class World:
    """Escalation, invoicing, and one invoice of 1000 with two lines."""

    runtime: Runtime
    client: Client
    invoicing: Client
    door: Door
    database: Database
    invoicing_runtime: Runtime
    account_id: str = ""
    invoice_id: str = ""

    def dispute(self, *amounts: int, **more: Any) -> dict[str, Any]:
        lines = [{"line": n, "amount_minor": amount} for n, amount in enumerate(amounts, 1)]
        body = {"account_id": self.account_id, "invoice_id": self.invoice_id, "currency": "EUR", "lines": lines}
        return body | more

    async def read_disputed_minor(self) -> int:
        balance = await self.invoicing.got(f"/v1/invoices/{self.invoice_id}/balance")
        return int(balance["disputed_minor"])

    async def events(self) -> list[str]:
        rows = await self.database.rows("SELECT type FROM escalation.outbox ORDER BY position")
        return [row["type"].split(".")[2] for row in rows]


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with opened_world(database, keys, jwks_file) as made:
        yield made


@asynccontextmanager
async def opened_world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    """Escalation, and invoicing in which the operator may credit all."""
    async with (
        running("invoicing", database, keys, jwks_file) as (invoicing_runtime, invoicing),
        running("escalation", database, keys, jwks_file) as (runtime, client),
    ):
        door = Door(invoicing)
        runtime.clients._clients["invoicing"] = door  # type: ignore[assignment]
        made = World(runtime, client, invoicing, door, database, invoicing_runtime)
        limit = {"amount_minor": 10**6, "reason": "the board"}
        await invoicing.http.put("/v1/approval-limits/operator/EUR", json=limit, headers=invoicing.somebody().headers)
        made.account_id = (await invoicing.create("/v1/accounts", account()))["id"]
        made.invoice_id = (await invoicing.create("/v1/invoices", invoice(made.account_id, 700, 300)))["id"]
        yield made


async def test_a_dispute_is_a_fact_once_its_amounts_are_reserved(world: World) -> None:
    opened = await world.client.post("/v1/disputes", world.dispute(700, 100))
    assert (opened.status_code, opened.json()["state"]) == (201, "opened")
    assert await world.read_disputed_minor() == 800
    assert await world.events() == ["CaseOpened", "DisputeOpened"]


async def test_the_comment_and_the_reason_of_the_decision_can_be_read(world: World) -> None:
    opened = await world.client.create("/v1/disputes", world.dispute(700, comment="seats were given back"))
    assert (opened["comment"], opened["ended_reason"]) == ("seats were given back", None)
    await world.client.create(f"/v1/disputes/{opened['id']}:reject", {"reason": "the seats were used in March"})
    for shown in (
        await world.client.got(f"/v1/disputes/{opened['id']}"),
        (await world.client.got(f"/v1/disputes?account_id={world.account_id}"))["items"][0],
    ):
        assert (shown["comment"], shown["ended_reason"]) == ("seats were given back", "the seats were used in March")
    words = "SELECT count(*) FROM escalation.outbox WHERE data::text LIKE '%seats%'"
    assert await world.database.value(words) == 0


async def test_no_worker_is_faster_than_the_request_that_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that looks directly after the request was committed finds its intent in the request's own hands."""
    commits, done = CommandRunner.run, []

    async def then_a_worker(command: CommandRunner, *arguments: Any, **named: Any) -> Response:
        answer = await commits(command, *arguments, **named)
        done.append(await world.runtime.jobs.perform_due_intents())
        return answer

    monkeypatch.setattr(CommandRunner, "run", then_a_worker)
    opened = await world.client.post("/v1/disputes", world.dispute(700))
    assert (opened.status_code, opened.json()["state"]) == (201, "opened")
    assert done
    assert not any(done)


async def test_more_than_the_line_has_left_is_refused_and_nothing_is_held(world: World) -> None:
    key = str(uuid4())
    for _ in range(2):
        refused = await world.client.post("/v1/disputes", world.dispute(701), key=key)
        assert (refused.status_code, refused.json()["code"]) == (409, "dispute_refused")
        assert "amount_refused" in refused.json()["detail"]
    assert await world.read_disputed_minor() == 0
    assert await world.events() == ["CaseOpened", "CaseResolved"]
    assert len(world.door.calls) == 1


async def test_a_balance_that_cannot_be_read_leaves_it_to_the_reservation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer_less(path: str) -> Any:
        return {"total_minor": 1}

    monkeypatch.setattr(world.door, "get", answer_less)
    opened = await world.client.post("/v1/disputes", world.dispute(700, 100))
    assert (opened.status_code, opened.json()["state"]) == (201, "opened")
    assert await world.read_disputed_minor() == 800


async def test_while_invoicing_is_away_the_caller_is_told_and_a_worker_goes_on(world: World) -> None:
    world.door.shut = True
    key = str(uuid4())
    waiting = await world.client.post("/v1/disputes", world.dispute(700), key=key)
    assert (waiting.status_code, waiting.json()["state"]) == (202, "requested")
    assert "DisputeOpened" not in await world.events()
    world.door.shut = False
    await world.database.move(minutes=2)
    await work(world.runtime)
    assert (await world.client.got(f"/v1/disputes/{waiting.json()['id']}"))["state"] == "opened"
    again = await world.client.post("/v1/disputes", world.dispute(700), key=key)
    assert (again.status_code, again.json()["state"]) == (201, "opened")
    assert await world.read_disputed_minor() == 700
    assert (await world.events()).count("DisputeOpened") == 1


async def test_a_token_that_expired_refuses_no_dispute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse_token(*_: object, **__: object) -> None:
        raise RefusedByService(401, {"code": "not_authenticated", "detail": "the token is expired"})

    with monkeypatch.context() as patch:
        patch.setattr(world.door, "post", refuse_token)
        waiting = await world.client.post("/v1/disputes", world.dispute(700))
    assert (waiting.status_code, waiting.json()["state"]) == (202, "requested")
    await world.database.move(minutes=2)
    await work(world.runtime)
    assert (await world.client.got(f"/v1/disputes/{waiting.json()['id']}"))["state"] == "opened"


async def test_a_crash_between_the_two_units_reserves_once(world: World) -> None:
    """The process dies after the reservation and before it was recorded: the next attempt has the same key."""
    kept = intents.record_intent_result

    async def dies(*_: object) -> None:
        raise RetryLater("the process died here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intents, "record_intent_result", dies)
        waiting = await world.client.post("/v1/disputes", world.dispute(700))
    assert intents.record_intent_result is kept
    assert (waiting.status_code, await world.read_disputed_minor()) == (202, 700)
    await world.database.move(minutes=2)
    await work(world.runtime)
    assert (await world.client.got(f"/v1/disputes/{waiting.json()['id']}"))["state"] == "opened"
    assert (await world.read_disputed_minor(), len(set(world.door.calls))) == (700, 1)


@pytest.mark.parametrize(
    ("verb", "state", "event"),
    [
        ("uphold", "upheld", "DisputeResolved"),
        ("reject", "rejected", "DisputeResolved"),
        ("withdraw", "withdrawn", "DisputeWithdrawn"),
    ],
)
async def test_an_ended_dispute_cannot_end_again(world: World, verb: str, state: str, event: str) -> None:
    opened = await world.client.create("/v1/disputes", world.dispute(700))
    ended = await world.client.create(f"/v1/disputes/{opened['id']}:{verb}", {"reason": "looked into it"})
    assert ended["state"] == state
    again = await world.client.post(f"/v1/disputes/{opened['id']}:reject", {"reason": "once more"})
    assert (again.status_code, again.json()["code"]) == (409, "move_refused")
    assert await world.events() == ["CaseOpened", "DisputeOpened", event, "CaseResolved"]


async def test_a_case_is_closed_only_after_the_customer_was_told_the_outcome(world: World) -> None:
    case = await world.client.create("/v1/cases", {"kind": "billing_question", "subject": "what is this line?"})
    contact = {"channel": "phone", "about_outcome": True, "comment": "explained"}
    path = f"/v1/cases/{case['id']}"
    early = await world.client.post(f"{path}:close", {"reason": "done"})
    assert early.json()["code"] == "move_refused"
    await world.client.create(f"{path}/contacts", contact)
    await world.client.create(f"{path}:resolve", {"outcome": "explained", "reason": "price rise"})
    untold = await world.client.post(f"{path}:close", {"reason": "done"})
    assert (untold.status_code, untold.json()["code"]) == (409, "customer_not_told")
    await world.client.create(f"{path}/contacts", contact | {"about_outcome": False})
    assert (await world.client.post(f"{path}:close", {"reason": "done"})).status_code == 409
    await world.client.create(f"{path}/contacts", contact)
    closed = await world.client.create(f"{path}:close", {"reason": "done"})
    assert (closed["state"], closed["closed_by"]) == ("closed", "operator")


async def test_the_case_of_a_dispute_gets_its_outcome_from_the_dispute(world: World) -> None:
    dispute = await world.client.create("/v1/disputes", world.dispute(700))
    path = f"/v1/cases/{dispute['case_id']}"
    resolving = {"outcome": "explained", "reason": "price rise"}
    refused = await world.client.post(f"{path}:resolve", resolving)
    assert (refused.status_code, refused.json()["code"]) == (409, "dispute_undecided")
    await world.client.create(f"/v1/disputes/{dispute['id']}:reject", {"reason": "the price is that of the order"})
    case = await world.client.got(path)
    assert (case["state"], case["outcome"]) == ("resolved", "the dispute was rejected")
    assert [(link["kind"], link["target_id"], link["line"]) for link in case["links"]] == [
        ("invoice", world.invoice_id, 1)
    ]
    glance = await world.client.got("/v1/disputes", account_id=world.account_id)
    assert [item["state"] for item in glance["items"]] == ["rejected"]


async def test_a_case_that_was_resolved_before_its_dispute_gets_the_outcome_of_the_dispute(world: World) -> None:
    """As it could be before a dispute kept its case from being resolved by hand."""
    dispute = await world.client.create("/v1/disputes", world.dispute(700))
    await world.database.execute(
        "UPDATE escalation.cases SET state = 'closed', outcome = 'explained', closed_at = opened_at WHERE id = $1",
        UUID(dispute["case_id"]),
    )
    await world.client.create(f"/v1/disputes/{dispute['id']}:uphold", {"reason": "billed twice"})
    case = await world.client.got(f"/v1/cases/{dispute['case_id']}")
    assert (case["state"], case["outcome"], case["closed_at"]) == ("resolved", "the dispute was upheld", None)


async def test_a_case_that_touches_no_customer_says_so_by_whom_and_why(world: World) -> None:
    body = {"kind": "technical", "severity": "B", "subject": "a probe failed"}
    case = await world.client.create("/v1/cases", body)
    await world.client.create(f"/v1/cases/{case['id']}:resolve", {"outcome": "restarted", "reason": "probe"})
    closing = {"reason": "done", "no_customer_affected": "found by monitoring"}
    closed = await world.client.create(f"/v1/cases/{case['id']}:close", closing)
    assert (closed["no_customer_affected"], closed["closed_by"]) == ("found by monitoring", "operator")


async def test_that_no_customer_is_affected_needs_words_and_a_case_that_was_opened_for_none(world: World) -> None:
    body = {"kind": "billing_question", "subject": "what is this line?", "account_id": world.account_id}
    path = f"/v1/cases/{(await world.client.create('/v1/cases', body))['id']}"
    await world.client.create(f"{path}:resolve", {"outcome": "explained", "reason": "asked"})
    for words in ("", ".", "ok", "- - -"):
        refused = await world.client.post(f"{path}:close", {"reason": "done", "no_customer_affected": words})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "no_customer_affected")
    closing = {"reason": "done", "no_customer_affected": "nobody was cut off"}
    refused = await world.client.post(f"{path}:close", closing)
    assert (refused.status_code, refused.json()["code"]) == (409, "customer_concerned")


async def test_a_dispute_of_a_line_that_is_not_there_leaves_nothing(world: World) -> None:
    body = world.dispute() | {"lines": [{"line": 1, "amount_minor": 100}, {"line": 7, "amount_minor": 100}]}
    refused = await world.client.post("/v1/disputes", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_line")
    assert "no line 7" in refused.json()["detail"]
    assert (await world.client.got("/v1/cases"))["items"] == []
    assert (await world.client.got("/v1/disputes"))["items"] == []
    assert (await world.read_disputed_minor(), await world.events()) == (0, [])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"invoice_id": "01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b8"}, "unknown_invoice"),
        ({"lines": [{"line": 1, "amount_minor": 1001}]}, "amount_above_invoice"),
    ],
)
async def test_a_mistyped_dispute_leaves_nothing(world: World, wrong: dict[str, Any], code: str) -> None:
    refused = await world.client.post("/v1/disputes", world.dispute(100) | wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await world.client.got("/v1/cases"))["items"] == []
    assert (await world.client.got("/v1/disputes"))["items"] == []


async def test_a_vendor_failure_opens_one_case_by_itself(world: World) -> None:
    failed = VendorSyncFailed(
        account_id=world.account_id, subscription_id=uuid4(), wanted_state="active", vendor_code="2011"
    )
    await hear(world.runtime, failed, sequence=1)
    await hear(world.runtime, failed, sequence=2)
    cases = (await world.client.got("/v1/cases", account_id=world.account_id))["items"]
    assert [(case["kind"], case["severity"]) for case in cases] == [("vendor_refusal", None)]
    assert await world.events() == ["CaseOpened"]
