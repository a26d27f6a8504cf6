"""An invoice is dated on the day on which it is issued, in its account's zone, and its terms count from there."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import InvoiceIssued
from tests.builders import Database, invoice, running
from tests.component.billing_world import Billing


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def list_days(billing: Billing, owner: str) -> list[tuple[str, str]]:
    """List the dates of issue and the due dates of an account's invoices, as the table has them."""
    rows = await billing.database.rows(
        "SELECT issue_date, due_date FROM invoicing.invoices WHERE account_id = $1 ORDER BY number", UUID(owner)
    )
    return [(str(row["issue_date"]), str(row["due_date"])) for row in rows]


async def list_announced_days(billing: Billing) -> list[tuple[str, str]]:
    """List the dates of issue and the due dates as the events have them."""
    query = "SELECT data FROM invoicing.outbox WHERE type = $1 ORDER BY position"
    rows = await billing.database.rows(query, InvoiceIssued.type())
    events = [InvoiceIssued.model_validate_json(row["data"]) for row in rows]
    return [(str(event.issue_date), str(event.balance.due_date)) for event in events]


async def sell(billing: Billing, **more: str) -> str:
    """Register an account with terms of 14 days that has bought ten seats on 2026-03-02; its id."""
    owner = await billing.account(terms_days=14, **more)
    await billing.buy(await billing.plan(), owner)
    return owner


async def move(billing: Billing, instant: str) -> None:
    """Move the clock to an instant."""
    await billing.database.move(datetime.fromisoformat(instant))


async def test_a_late_run_gives_the_whole_terms(billing: Billing) -> None:
    await billing.rate()
    owner = await sell(billing)
    await billing.to("2026-03-09")
    await billing.run(date(2026, 3, 2))
    assert await list_days(billing, owner) == [("2026-03-09", "2026-03-23")]
    assert await list_announced_days(billing) == [("2026-03-09", "2026-03-23")]


async def test_terms_count_from_the_approval(billing: Billing) -> None:
    await billing.rate()
    owner = await sell(billing)
    run = await billing.run(at_once=False)
    await billing.to("2026-03-23")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
    await billing.finish_run(run["id"])
    assert await list_days(billing, owner) == [("2026-03-23", "2026-04-06")]
    assert await list_announced_days(billing) == [("2026-03-23", "2026-04-06")]


async def test_an_approved_draft_keeps_the_terms_that_were_drafted(billing: Billing) -> None:
    await billing.rate()
    owner = await sell(billing)
    run = await billing.run(at_once=False)
    await billing.database.execute("UPDATE invoicing.accounts SET terms_days = 30")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
    await billing.finish_run(run["id"])
    assert await list_days(billing, owner) == [("2026-03-02", "2026-03-16")]


async def test_terms_count_from_the_retry(billing: Billing) -> None:
    owner = await sell(billing)
    run = await billing.run()
    assert run["accounts"] == {"set_aside": 1}
    await billing.rate()
    await billing.to("2026-03-09")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:retry", {"reason": "the rate is known"})
    await billing.finish_run(run["id"])
    assert await list_days(billing, owner) == [("2026-03-09", "2026-03-23")]


async def test_the_day_is_that_of_the_account_s_zone(billing: Billing) -> None:
    await billing.rate()
    east = await sell(billing, time_zone="Pacific/Auckland")
    west = await sell(billing, time_zone="America/New_York")
    await move(billing, "2026-03-10T02:00:00+00:00")
    await billing.run(date(2026, 3, 9))
    assert await list_days(billing, east) == [("2026-03-10", "2026-03-24")]
    assert await list_days(billing, west) == [("2026-03-09", "2026-03-23")]


async def test_an_invoice_by_hand_that_is_dated_back_gives_the_whole_terms(billing: Billing) -> None:
    owner = await billing.account(terms_days=14)
    body = invoice(owner, 5_000, issue_date="2026-02-01")
    await billing.client.create("/v1/invoices", body)
    await billing.client.create("/v1/invoices", body | {"due_date": "2026-02-15"})
    assert await list_days(billing, owner) == [("2026-02-01", "2026-03-16"), ("2026-02-01", "2026-02-15")]


async def test_a_run_is_compared_with_the_run_of_the_month_before_whenever_that_was_issued(billing: Billing) -> None:
    await billing.rate()
    owner = await sell(billing)
    first = await billing.run(at_once=False)
    await billing.to("2026-04-05")
    await billing.client.create(f"/v1/bill-runs/{first['id']}:approve", {"reason": "looks right"})
    await billing.finish_run(first["id"])
    second = await billing.run(date(2026, 4, 2))
    assert await list_days(billing, owner) == [("2026-04-05", "2026-04-19")] * 2
    assert (await billing.client.got(f"/v1/bill-runs/{second['id']}/differences"))["items"] == []


async def test_a_run_is_not_compared_with_itself(billing: Billing) -> None:
    await billing.rate()
    await sell(billing, time_zone="America/New_York")
    await move(billing, "2026-03-03T01:00:00+00:00")
    run = await billing.run(date(2026, 3, 2))
    (difference,) = (await billing.client.got(f"/v1/bill-runs/{run['id']}/differences"))["items"]
    assert (difference["total_minor"], difference["before_minor"]) == (11_995, 0)


async def test_what_people_billed_by_hand_counts_for_the_month_before(billing: Billing) -> None:
    await billing.rate()
    owner = await sell(billing)
    await billing.client.create("/v1/invoices", invoice(owner, 11_995, issue_date="2026-02-27"))
    run = await billing.run()
    assert (await billing.client.got(f"/v1/bill-runs/{run['id']}/differences"))["items"] == []
