"""A chargeback has a case with the network's last day, is warned of once, and ends in the case."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import ChargebackLost, ChargebackOpened, ChargebackWon
from tests.builders import Client, Database, build_registered, charged_back, hear, running, sweep

WARNED = "SELECT count(*) FROM escalation.outbox WHERE type LIKE '%.ChargebackDeadlineNear.%' AND subject = $1"


async def find_case(client: Client, opened: ChargebackOpened) -> dict[str, Any]:
    """Find the case of a chargeback, with its details."""
    (case,) = (await client.got("/v1/cases", linked_to=str(opened.chargeback_id)))["items"]
    return await client.got(f"/v1/cases/{case['id']}")


async def list_entries(client: Client, case_id: str) -> list[str]:
    """List the changes in the thread of a case."""
    entries = (await client.got(f"/v1/cases/{case_id}/entries"))["items"]
    return [entry["content"] for entry in entries if entry["kind"] == "change"]


def end(event: type[ChargebackWon | ChargebackLost], opened: ChargebackOpened, **more: Any) -> Any:
    """Build what the network decided about a chargeback."""
    fields = opened.model_dump(include={"account_id", "chargeback_id", "payment_id", "amount_minor", "currency"})
    return event(**fields, **more)


async def test_a_chargeback_is_answered_in_a_case(database: Database, keys: SigningKeyPair, jwks_file: Path) -> None:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        owner = uuid4()
        await hear(runtime, build_registered(owner))
        first, second = charged_back(owner), charged_back(owner, is_fraud=True, answer_by=date(2026, 3, 31))
        for number, event in enumerate((first, second, first), 2):
            await hear(runtime, event, sequence=number)
        case, fraud = [await find_case(client, opened) for opened in (first, second)]
        assert [(kind["kind"], kind["queue"]) for kind in (case, fraud)] == [("dispute", "billing"), ("fraud", "fraud")]
        assert case["subject"] == "answer a chargeback by 2026-03-20 (not_received)"
        assert (case["chargeback"]["answer_by"], case["chargeback"]["state"]) == ("2026-03-20", "open")
        assert [link["kind"] for link in case["links"]] == ["chargeback", "invoice"]
        await check_warnings(runtime, client, database, owner, case["id"])
        await check_late(client, case, fraud)
        won = end(ChargebackWon, first, allocations=(), unapplied_minor=1000)
        for number, event in enumerate((won, end(ChargebackLost, second), end(ChargebackLost, first)), 5):
            await hear(runtime, event, sequence=number)
        assert (await list_entries(client, case["id"]))[-1] == "the chargeback is won"
        decided = [await client.got(f"/v1/cases/{kind['id']}") for kind in (case, fraud)]
        assert [(kind["state"], kind["waiting_for"]) for kind in decided] == [("in_progress", "us")] * 2
        assert [kind["chargeback"]["suggested_outcome"][:28] for kind in decided] == [
            "the card network found for us"[:28],
            "the card network found for the cardholder"[:28],
        ]
        assert await list_entries(client, fraud["id"]) == ["the chargeback is lost"]
        assert [(await find_case(client, opened))["chargeback"]["state"] for opened in (first, second)] == [
            "won",
            "lost",
        ]
        await database.move(datetime(2026, 4, 1, tzinfo=UTC))
        await sweep(runtime)
        assert await database.value(WARNED, str(owner)) == 1, "what has ended is warned of no more"
        outcome = {"outcome": decided[0]["chargeback"]["suggested_outcome"], "reason": "the network decided"}
        await client.create(f"/v1/cases/{case['id']}:resolve", outcome)
        over = await client.post(
            f"/v1/chargebacks/{first.chargeback_id}:submit-evidence", {"attachment_ids": [str(uuid4())]}
        )
        assert (over.status_code, over.json()["code"]) == (409, "move_refused")


async def check_warnings(runtime: Any, client: Client, database: Database, owner: UUID, case_id: str) -> None:
    """Check that somebody is warned three days before the end of the last day, once."""
    for at, warnings in (
        (datetime(2026, 3, 17, 23, 59, tzinfo=UTC), 0),
        (datetime(2026, 3, 18, tzinfo=UTC), 1),
        (datetime(2026, 3, 21, tzinfo=UTC), 1),
    ):
        await database.move(at)
        await sweep(runtime)
        assert await database.value(WARNED, str(owner)) == warnings, at
    assert await list_entries(client, case_id) == ["the network takes an answer until 2026-03-20"]


async def attach(client: Client, case_id: str) -> str:
    """Attach a file to a case; its id."""
    headers = client.headers | {"idempotency-key": str(uuid4()), "content-type": "application/octet-stream"}
    path = f"/v1/cases/{case_id}/attachments?name=order.txt"
    answer = await client.http.post(path, content=b"twelve seats", headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def check_late(client: Client, case: dict[str, Any], other: dict[str, Any]) -> None:
    """Check that what comes after the last day, or is of another case or time, is marked or refused."""
    path = f"/v1/chargebacks/{case['chargeback']['chargeback_id']}:submit-evidence"
    file = await attach(client, case["id"])
    refusals = [
        await client.post(path, {"attachment_ids": [await attach(client, other["id"])]}),
        await client.post(path, {"attachment_ids": [file], "submitted_at": "2026-03-21T00:00:01Z"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refusals] == [
        (422, "file_unknown"),
        (422, "date_refused"),
    ]
    for at in ("2026-03-20T23:59:59Z", "2026-03-21T00:00:00Z"):
        await client.create(path, {"attachment_ids": [file], "submitted_at": at})
    shown = (await client.got(f"/v1/cases/{case['id']}"))["chargeback"]["evidence"]
    assert [(item["is_late"], item["submitted_by"], item["attachment_ids"]) for item in shown] == [
        (False, "operator", [file]),
        (True, "operator", [file]),
    ]


async def test_who_has_given_evidence_is_not_warned_and_a_resolved_case_gets_a_task(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        owner = uuid4()
        await hear(runtime, build_registered(owner))
        opened = charged_back(owner)
        await hear(runtime, opened, sequence=2)
        case = await find_case(client, opened)
        evidence = {"attachment_ids": [await attach(client, case["id"])]}
        await client.create(f"/v1/chargebacks/{opened.chargeback_id}:submit-evidence", evidence)
        await database.move(datetime(2026, 3, 19, tzinfo=UTC))
        await sweep(runtime)
        assert await database.value(WARNED, str(owner)) == 0
        await client.create(f"/v1/cases/{case['id']}:resolve", {"outcome": "given up", "reason": "too small"})
        await hear(runtime, end(ChargebackLost, opened), sequence=3)
        assert (await client.got(f"/v1/cases/{case['id']}"))["state"] == "resolved"
        (task,) = (await client.got("/v1/cases", kind="task"))["items"]
        assert task["subject"] == "the network has decided a chargeback (lost), whose case is resolved"
