"""A chargeback has a case with the network's last day, is warned of once, and ends in the case."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from deploy.local.tokens import Keys
from shared.events.invoicing import ChargebackLost, ChargebackOpened, ChargebackWon
from tests.builders import Client, Database, charged_back, hear, registered, running, sweep

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


async def test_a_chargeback_is_answered_in_a_case(database: Database, keys: Keys, jwks_file: Path) -> None:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        owner = uuid4()
        await hear(runtime, registered(owner))
        first, second = charged_back(owner), charged_back(owner, is_fraud=True, answer_by=date(2026, 3, 31))
        for number, event in enumerate((first, second, first), 2):
            await hear(runtime, event, sequence=number)
        case, fraud = [await find_case(client, opened) for opened in (first, second)]
        assert [(kind["kind"], kind["queue"]) for kind in (case, fraud)] == [("dispute", "billing"), ("fraud", "fraud")]
        assert case["subject"] == "answer a chargeback by 2026-03-20 (not_received)"
        assert (case["chargeback"]["answer_by"], case["chargeback"]["state"]) == ("2026-03-20", "open")
        assert [link["kind"] for link in case["links"]] == ["chargeback", "invoice"]
        await check_warnings(runtime, client, database, owner, case["id"])
        won = end(ChargebackWon, first, allocations=(), unapplied_minor=1000)
        for number, event in enumerate((won, end(ChargebackLost, second), end(ChargebackLost, first)), 5):
            await hear(runtime, event, sequence=number)
        assert (await list_entries(client, case["id"]))[-1] == "the chargeback is won"
        assert await list_entries(client, fraud["id"]) == ["the chargeback is lost"]
        assert [(await find_case(client, opened))["chargeback"]["state"] for opened in (first, second)] == [
            "won",
            "lost",
        ]
        await database.move(datetime(2026, 4, 1, tzinfo=UTC))
        await sweep(runtime)
        assert await database.value(WARNED, str(owner)) == 1, "what has ended is warned of no more"
        await client.made(f"/v1/cases/{case['id']}:resolve", {"outcome": "won", "reason": "the network decided"})


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
