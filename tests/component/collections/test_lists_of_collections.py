"""Late accounts, suspensions and waiting steps are listed over all accounts, as people ask for them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from deploy.local.postgres import PostgresServer
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.invoicing import InvoiceIssued, InvoiceOverdue
from shared.migrate import migrate_database
from tests.builders import START, Database, build_registered, sweep, work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import STANDARD, World, publish
from tests.component.collections.test_collections_facts import REASON
from tests.upgrades import create_database_at

world = test_collections.world


async def add_account(world: World, **profile: Any) -> World:
    """Add an account to the world, with an invoice of its own."""
    other = replace(world, account_id=uuid4(), subscription_id=uuid4(), sequence=0)
    await other.hear(build_registered(other.account_id, **profile))
    return other


async def issue_due(world: World, due: date) -> UUID:
    """Hear of an invoice of 10.00 that is due on a day, and that it is overdue now."""
    invoice_id = uuid4()
    balance = world.balance(invoice_id, 1000).model_copy(update={"due_date": due})
    world.invoicing.balances[invoice_id]["due_date"] = due.isoformat()
    await world.hear(
        InvoiceIssued(account_id=world.account_id, issue_date=START.date(), external_reference=None, balance=balance)
    )
    balance = world.balance(invoice_id, 1000).model_copy(update={"due_date": due})
    world.invoicing.balances[invoice_id]["due_date"] = due.isoformat()
    await world.hear(InvoiceOverdue(account_id=world.account_id, evaluated_at=world.database.now, balance=balance))
    return invoice_id


async def list_late(world: World, query: str = "") -> list[str]:
    """List the ids of the late accounts that a query finds."""
    return [item["account_id"] for item in (await world.client.got(f"/v1/late-accounts?{query}"))["items"]]


async def test_a_late_account_says_since_when_where_it_stands_and_what_comes_next(world: World) -> None:
    """Due on 10 March, reminded on days 1 and 7; on 18 March at 12:00 it is 8 days late."""
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    for day in (1, 7):
        await world.day(day)
    await world.day(8, 12)
    (late,) = (await world.client.got("/v1/late-accounts"))["items"]
    case_id = late.pop("case_id")
    assert UUID(case_id)
    amounts = {"currency": "EUR", "open_minor": 1000, "disputed_minor": 0, "in_flight_minor": 0, "promised_minor": 0}
    assert late == {
        "account_id": str(world.account_id),
        "legal_entity": "GS-DE",
        "late_since": "2026-03-11T00:00:00Z",
        "oldest_due_date": "2026-03-10",
        "days_late": 8,
        "state": "overdue",
        "step": "reminder_2",
        "position": 8,
        "next": {
            "invoice_id": str(invoice_id),
            "step": "final_notice",
            "at": "2026-03-24T09:00:00Z",
            "rule": "final_notice: 14 days after the due date, at 09:00 local time",
        },
        "amounts": [amounts | {"dunnable_minor": 1000}],
        "suspended_subscription_ids": [],
        "waiting": [],
    }


async def test_late_accounts_are_found_by_entity_step_and_days_and_come_in_pages(world: World) -> None:
    """On 15 March at 11:30 UTC: three accounts due on the 5th, the 10th and the 14th.

    In Auckland (UTC+13) it is already 00:30 of the 16th, so the account due on the 14th is 2 days late.
    """
    french = await add_account(world, legal_entity="GS-FR")
    distant = await add_account(world, time_zone="Pacific/Auckland")
    await world.database.move(datetime(2026, 3, 6, tzinfo=UTC))
    await issue_due(french, date(2026, 3, 5))
    await world.database.move(datetime(2026, 3, 11, tzinfo=UTC))
    second = await issue_due(world, date(2026, 3, 10))
    await world.database.move(datetime(2026, 3, 15, 11, 30, tzinfo=UTC))
    third = await issue_due(distant, date(2026, 3, 14))
    await sweep(world.runtime)
    await work(world.runtime)
    first_id, second_id, third_id = (str(account.account_id) for account in (french, world, distant))
    assert await list_late(world) == [first_id, second_id, third_id]
    assert await list_late(world, "legal_entity=GS-FR") == [first_id]
    assert await list_late(world, "step=reminder_2") == [first_id]
    assert await list_late(world, "step=reminder_1&legal_entity=GS-DE") == [second_id]
    assert await list_late(world, "min_days_late=2") == [first_id, second_id, third_id]
    assert await list_late(world, "min_days_late=3") == [first_id, second_id]
    assert await list_late(world, "min_days_late=5") == [first_id, second_id]
    assert await list_late(world, "min_days_late=6") == [first_id]
    assert await list_late(world, "min_days_late=11") == []
    page = await world.client.got("/v1/late-accounts?limit=2")
    rest = await world.client.got(f"/v1/late-accounts?limit=2&after={page['next']}")
    assert [item["days_late"] for item in page["items"] + rest["items"]] == [10, 5, 2]
    assert rest["next"] is None
    await world.change_balance(second, 0)
    await distant.change_balance(third, 0)
    assert await list_late(world) == [first_id]
    for query in ("min_days_late=0", "min_days_late=soon", "step=no%20step", "legal_entity="):
        assert (await world.client.get(f"/v1/late-accounts?{query}")).status_code == 422, query


async def test_the_days_late_follow_the_oldest_invoice_that_is_still_open(world: World) -> None:
    """Two invoices, due on the 5th and the 10th: once the older is paid, 15 March is 5 days late, not 10."""
    await world.database.move(datetime(2026, 3, 11, tzinfo=UTC))
    older = await issue_due(world, date(2026, 3, 5))
    await issue_due(world, date(2026, 3, 10))
    await world.database.move(datetime(2026, 3, 15, tzinfo=UTC))
    (late,) = (await world.client.got("/v1/late-accounts"))["items"]
    assert (late["days_late"], late["amounts"][0]["dunnable_minor"]) == (10, 2000)
    await world.change_balance(older, 0)
    (late,) = (await world.client.got("/v1/late-accounts"))["items"]
    assert (late["oldest_due_date"], late["days_late"], late["amounts"][0]["open_minor"]) == ("2026-03-10", 5, 1000)
    assert await list_late(world, "min_days_late=6") == []


async def test_suspensions_are_listed_by_state_and_account(world: World) -> None:
    await world.to_suspension()
    (requested,) = (await world.client.got("/v1/suspensions?state=requested"))["items"]
    assert (requested["account_id"], requested["requested_at"]) == (str(world.account_id), "2026-03-31T09:00:00Z")
    assert (requested["effective_at"], requested["vendor_refusal"], requested["ended_at"]) == (None, None, None)
    assert requested["invoice_ids"] == [str(invoice_id) for invoice_id in world.invoicing.balances]
    common = {"account_id": world.account_id, "subscription_id": world.subscription_id}
    await world.hear(
        SubscriptionSuspended(
            **common, suspension_id=requested["id"], hold_reasons=("non_payment",), vendor_bills_on=True
        )
    )
    assert (await world.client.got("/v1/suspensions?state=requested"))["items"] == []
    (effective,) = (await world.client.got(f"/v1/suspensions?state=effective&account_id={world.account_id}"))["items"]
    assert (effective["id"], effective["vendor_bills_on"]) == (requested["id"], True)
    assert (await world.client.got(f"/v1/suspensions?account_id={uuid4()}"))["items"] == []
    (late,) = (await world.client.got("/v1/late-accounts"))["items"]
    assert (late["state"], late["suspended_subscription_ids"]) == ("suspended", [str(world.subscription_id)])
    until = {"until": "2026-04-10", "reason": "Mrs Example promised by phone"}
    await world.client.create(f"/v1/suspensions/{requested['id']}:release", until)
    await world.hear(SubscriptionReinstated(**common, suspension_id=requested["id"], renewal_restored=True))
    answer = await world.client.get("/v1/suspensions?state=ended")
    assert [item["id"] for item in answer.json()["items"]] == [requested["id"]]
    assert "Example" not in answer.text
    assert (await world.client.get("/v1/suspensions?state=gone")).status_code == 422


async def list_waiting(world: World, query: str = "") -> list[tuple[str, str]]:
    """List what the waiting steps that a query finds wait for, and their cause."""
    items = (await world.client.got(f"/v1/waiting-steps?{query}"))["items"]
    return [(item["waits_for"], item["cause"]) for item in items]


async def test_what_the_guard_holds_is_listed_until_a_person_resumes(world: World) -> None:
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    for day in (1, 7, 14):
        await world.day(day)
    await world.client.create("/v1/guard:stop", REASON)
    await world.day(21)
    (waiting,) = (await world.client.got("/v1/waiting-steps?waits_for=guard&legal_entity=GS-DE"))["items"]
    assert waiting == {
        "invoice_id": str(invoice_id),
        "account_id": str(world.account_id),
        "legal_entity": "GS-DE",
        "number": f"GS-{str(invoice_id)[-4:]}",
        "due_date": "2026-03-10",
        "currency": "EUR",
        "open_minor": 1000,
        "step": "suspend",
        "waits_for": "guard",
        "cause": "all suspensions are stopped",
        "since": "2026-03-31T09:00:00Z",
        "until": None,
    }
    (late,) = (await world.client.got("/v1/late-accounts"))["items"]
    assert [(step["step"], step["waits_for"]) for step in late["waiting"]] == [("suspend", "guard")]
    assert await list_waiting(world, "waits_for=bank_data") == []
    assert await list_waiting(world, "legal_entity=GS-FR") == []
    assert await list_waiting(world, f"account_id={uuid4()}") == []
    await world.client.create("/v1/guard:resume", REASON)
    await sweep(world.runtime)
    await work(world.runtime)
    assert await list_waiting(world) == []
    assert len(await world.events("SuspensionRequested")) == 1


async def test_a_requested_suspension_that_a_person_stopped_waits_for_the_guard(world: World) -> None:
    await world.to_suspension()
    (requested,) = (await world.client.got("/v1/suspensions"))["items"]
    await world.client.create("/v1/guard:stop", REASON)
    path = f"/v1/suspensions/{requested['id']}/confirmation"
    for _ in range(2):
        assert (await world.client.got(path))["verdict"] == "wait"
    assert await list_waiting(world) == [("guard", "all suspensions are stopped")]
    assert len(await world.events("StepDeferred")) == 1
    await world.client.create("/v1/guard:resume", REASON)
    assert (await world.client.got(path))["verdict"] == "stands"
    assert await list_waiting(world) == []


async def test_what_waits_for_bank_data_and_for_a_notice_is_kept_apart(world: World) -> None:
    """Two accounts; the second is late 14 days after, and the mail hop refuses its final notice on day 28."""
    await publish(world.client, STANDARD + "bank_data_hours: 24\n", "2026-03-03")
    await world.database.move(days=1)
    second = await add_account(world)
    first_invoice = await world.issue()
    await world.day(1, 0)
    await world.overdue(first_invoice)
    world.invoicing.bank = {"known_until": None, "undecided_entries": []}
    for day in (1, 7, 14):
        await world.day(day)
    world.hop.answer = "550 no such mailbox"
    second_invoice = await second.issue()
    await second.overdue(second_invoice)
    for day in (15, 21, 28, 35):
        await world.day(day)
    assert await list_waiting(world, "waits_for=bank_data") == [("bank_data", "no bank statement was imported yet")]
    waiting = await list_waiting(world, f"account_id={second.account_id}")
    assert waiting == [("policy", "final_notice has not reached the next hop (failed)")]
    assert await list_waiting(world, "waits_for=policy") == waiting


OLD = (
    "INSERT INTO collections.accounts VALUES ($1, 'GS-DE', 'Europe/Berlin', '2026-01-01')",
    "INSERT INTO collections.cases VALUES (gen_random_uuid(), $1, '2026-03-10T23:00Z', NULL, 'suspend')",
    "INSERT INTO collections.items (invoice_id, account_id, number, currency, due_date, recorded_at, open_minor,"
    " sequence) VALUES ('00000000-0000-0000-0000-000000000001', $1, 'GS-1', 'EUR', '2026-03-10', '2026-03-01', 5, 1),"
    " ('00000000-0000-0000-0000-000000000002', $1, 'GS-2', 'EUR', '2026-02-10', '2026-02-01', 0, 2),"
    " ('00000000-0000-0000-0000-000000000003', $1, 'GS-3', 'EUR', '2026-03-01', '2026-02-01', 5, 3)",
    "INSERT INTO collections.overdues SELECT invoice_id, 4, $1, '2026-03-10T23:00Z', 'e' FROM collections.items"
    " WHERE account_id = $1 AND number <> 'GS-3'",
    "INSERT INTO collections.deferrals SELECT gen_random_uuid(), $1, 'suspend', cause, NULL, by_guard, '2026-04-01'"
    " FROM (VALUES ('all suspensions are stopped', true), ('an unmatched receipt may be theirs', false),"
    " ('bank data are older than 24 h: payments are known until 2026-03-01 00:00 UTC', false),"
    " ('final_notice has not gone out in this round', false)) AS old (cause, by_guard)",
)


async def test_what_waits_and_is_late_in_a_database_of_before_is_told_by_its_causes(postgres: PostgresServer) -> None:
    """One of three invoices is paid, one is not overdue: the third decides. A case without items: its day before."""
    name, bare = f"lists_{uuid4().hex[:12]}", uuid4()
    await create_database_at(postgres, name, "collections", "0010")
    database = Database(postgres, name)
    async with database.connected() as connection:
        account_id = uuid4()
        for statement in OLD:
            await connection.execute(statement, account_id)
        for statement in OLD[:2]:
            await connection.execute(statement, bare)
    await migrate_database(postgres.url("owner", name), ("collections",))
    rows = await database.rows("SELECT waits_for, count(*) FROM collections.deferrals GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in rows] == [("bank_data", 2), ("guard", 1), ("policy", 1)]
    rows = await database.rows("SELECT account_id, oldest_due_date FROM collections.cases")
    assert {tuple(row) for row in rows} == {(account_id, date(2026, 3, 10)), (bare, date(2026, 3, 10))}
