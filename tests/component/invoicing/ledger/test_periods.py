"""Facts are posted on the date of their document; closed months take none; legal entities exist."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.postgres import PostgresServer
from deploy.local.tokens import SigningKeyPair
from shared.migrate import migrate_database
from tests.builders import Client, Database, account, eur, invoice, running, sweep
from tests.component.billing_world import Billing
from tests.component.setting_requests import close_month
from tests.component.vendor_world import WAITING
from tests.upgrades import create_database_at

WHY = {"reason": "month end"}
CLOSE = "/v1/ledger/GS-DE/periods/{}:close"


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing with its workers."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def list_postings(billing: Billing) -> list[tuple[str, date]]:
    """The kind of document and the date of every posting."""
    query = "SELECT DISTINCT document, posted_on FROM invoicing.ledger_entries ORDER BY posted_on, document"
    return [(row["document"], row["posted_on"]) for row in await billing.database.rows(query)]


async def refuse(client: Client, path: str, body: object) -> tuple[int, str]:
    """POST what is refused; status and code."""
    answer = await client.post(path, body)
    return answer.status_code, answer.json()["code"]


async def test_documents_are_posted_on_their_date_in_the_zone_of_the_account(billing: Billing) -> None:
    """At 13:00 UTC on 31 March it is 1 April in Auckland (UTC+13), so what happens then belongs to April."""
    owner = await billing.account(time_zone="Pacific/Auckland", name="Kia Ora")
    await billing.database.move(datetime(2026, 3, 31, 13, tzinfo=UTC))
    issued = await billing.client.create("/v1/invoices", invoice(owner, 5_000))
    assert issued["issue_date"] == "2026-04-01"
    await billing.client.create("/v1/payments", {"account_id": owner, "amount": eur(1_000)})
    await billing.client.create("/v1/invoices", invoice(owner, 700, issue_date="2026-03-20", due_date="2026-05-01"))
    april = date(2026, 4, 1)
    assert await list_postings(billing) == [("invoice", date(2026, 3, 20)), ("invoice", april), ("payment", april)]


async def test_what_a_run_bills_is_posted_on_the_date_of_its_invoices(billing: Billing) -> None:
    """At 13:00 UTC on 1 April it is 2 April in Auckland: the invoice and what the vendor charges are of 2 April."""
    await billing.rate()
    owner = await billing.account(time_zone="Pacific/Auckland")
    await billing.buy(await billing.plan(), owner, start="2026-04-02")
    await billing.database.move(datetime(2026, 4, 1, 13, tzinfo=UTC))
    await sweep(billing.runtime)
    await billing.run(date(2026, 4, 2))
    assert await list_postings(billing) == [("invoice", date(2026, 4, 2)), ("vendor_charge", date(2026, 4, 2))]


async def test_an_invoice_dated_in_a_closed_month_is_refused(billing: Billing) -> None:
    owner = await billing.account()
    await billing.database.move(datetime(2026, 4, 1, 12, tzinfo=UTC))
    before = invoice(owner, 5_000, issue_date="2026-03-31", due_date="2026-05-01")
    await billing.client.create("/v1/invoices", before)
    await close_month(billing.client, "2026-03")
    assert await refuse(billing.client, "/v1/invoices", before) == (409, "month_closed")
    february = invoice(owner, 5_000, issue_date="2026-02-10", due_date="2026-05-01")
    assert await refuse(billing.client, "/v1/invoices", february) == (409, "month_closed")
    await billing.client.create("/v1/invoices", invoice(owner, 5_000, issue_date="2026-04-01"))
    assert await list_postings(billing) == [("invoice", date(2026, 3, 31)), ("invoice", date(2026, 4, 1))]


async def test_a_month_closes_when_it_is_over_everywhere_and_those_before_with_it(billing: Billing) -> None:
    """On Samoa (UTC-11), 11:59 UTC of 1 April is 00:59 of 1 April; where a date ends last, it is 31 March still."""
    await billing.database.move(datetime(2026, 4, 1, 11, 59, tzinfo=UTC))
    assert await refuse(billing.client, CLOSE.format("2026-03"), WHY) == (409, "month_not_over")
    await billing.database.move(datetime(2026, 4, 1, 12, tzinfo=UTC))
    await billing.client.create(CLOSE.format("2026-03"), WHY)
    for month in ("2026-02", "2026-02-01"):
        assert await refuse(billing.client, CLOSE.format(month), WHY) == (409, "already_closed")
    assert (await refuse(billing.client, CLOSE.format("2026-02-02"), WHY))[0] == 422


async def test_an_invoice_with_a_past_date_and_the_closing_of_its_month_wait_for_each_other(billing: Billing) -> None:
    """Whoever is first: the invoice is in the month before it closes, or it is refused."""
    owner = await billing.account()
    await billing.database.move(datetime(2026, 4, 1, 12, tzinfo=UTC))
    late = invoice(owner, 5_000, issue_date="2026-03-31", due_date="2026-05-01")
    async with billing.database.connected() as holder, asyncio.TaskGroup() as group, holder.transaction():
        await holder.execute("SELECT FROM invoicing.legal_entities WHERE code = 'GS-DE' FOR NO KEY UPDATE")
        sent = group.create_task(billing.client.post("/v1/invoices", late))
        while await billing.database.value(WAITING) < 1:  # noqa: ASYNC110  # the database says when
            await asyncio.sleep(0.01)
        await holder.execute(
            "INSERT INTO invoicing.ledger_periods VALUES ('GS-DE', '2026-03-01', 'finance', 'end', '2026-04-01')"
        )
    assert (sent.result().status_code, sent.result().json()["code"]) == (409, "month_closed")


async def test_a_run_dated_tomorrow_bills_each_account_when_its_own_day_begins(billing: Billing) -> None:
    """1 April begins at 11:00 UTC on 31 March in Auckland (UTC+13), and at 04:00 UTC on 1 April in New York (UTC-4)."""
    await billing.rate()
    plan = await billing.plan()
    owners = [await billing.account(time_zone=zone) for zone in ("Pacific/Auckland", "America/New_York")]
    for owner in owners:
        await billing.buy(plan, owner, start="2026-04-01")
    await billing.database.move(datetime(2026, 3, 31, 12, tzinfo=UTC))
    run = await billing.run(date(2026, 4, 1))
    assert (run["state"], run["accounts"]) == ("issuing", {"issued": 1, "waiting": 1})
    await billing.database.move(datetime(2026, 4, 1, 3, 59, tzinfo=UTC))
    assert (await billing.finish_run(run["id"]))["accounts"] == {"issued": 1, "waiting": 1}
    await billing.database.move(datetime(2026, 4, 1, 4, tzinfo=UTC))
    run = await billing.finish_run(run["id"])
    assert (run["state"], run["accounts"]) == ("done", {"issued": 2})
    query = "SELECT issue_date FROM invoicing.invoices ORDER BY number"
    assert [row["issue_date"] for row in await billing.database.rows(query)] == [date(2026, 4, 1), date(2026, 4, 1)]


async def test_a_run_that_waits_for_a_local_day_can_be_discarded(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account(time_zone="America/New_York")
    await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.database.move(datetime(2026, 3, 31, 12, tzinfo=UTC))
    run = await billing.run(date(2026, 4, 1), at_once=False)
    assert run["accounts"] == {"waiting": 1}
    discarded = await billing.client.create(f"/v1/bill-runs/{run['id']}:discard", {"reason": "too early"})
    assert (discarded["state"], discarded["accounts"]) == ("discarded", {"nothing": 1})
    await billing.to("2026-04-01")
    assert (await billing.run(date(2026, 4, 1)))["accounts"] == {"issued": 1}


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("/v1/accounts", account(legal_entity="GS-XX"), (422, "unknown_legal_entity")),
        (
            "/v1/tax-rates",
            {
                "legal_entity": "GS-XX",
                "country": "DE",
                "tax_class": "standard",
                "valid_from": "2026-01-01",
                "rate_bp": 1900,
                "reason": "law",
            },
            (422, "unknown_legal_entity"),
        ),
        (
            "/v1/vendor-invoices",
            {
                "number": "G1",
                "legal_entity": "GS-XX",
                "currency": "EUR",
                "invoice_date": "2026-03-08",
                "total_minor": 119,
                "tax_minor": 19,
            },
            (422, "unknown_legal_entity"),
        ),
        ("/v1/ledger/GS-XX/periods/2026-01:close", WHY, (404, "not_found")),
    ],
    ids=["account", "rate", "vendor invoice", "closing"],
)
async def test_a_legal_entity_that_does_not_exist_is_refused(
    billing: Billing, path: str, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert await refuse(billing.client, path, body) == refusal


async def test_a_ledger_or_tolerance_of_no_legal_entity_is_not_found(billing: Billing) -> None:
    for path in ("trial-balance", "journal/2026-03-02"):
        assert (await billing.client.get(f"/v1/ledger/GS-XX/{path}")).status_code == 404
    body = {"amount_minor": 5, "reason": "charges"}
    admin = billing.client
    put = await admin.http.put("/v1/tolerances/GS-XX/EUR", json=body, headers=admin.headers)
    assert (put.status_code, put.json()["code"]) == (404, "not_found")


async def test_codes_that_accounts_use_become_legal_entities_without_data(
    postgres: PostgresServer, keys: SigningKeyPair, jwks_file: Path
) -> None:
    database = Database(postgres, "before_entities")
    await create_database_at(postgres, database.name, "invoicing", "0020")
    await database.execute(
        "INSERT INTO invoicing.accounts (id, name, legal_entity, currency, time_zone, billing_email, terms_days,"
        " vendor_customer_ids, version, registered_at, tax_status, language)"
        " SELECT gen_random_uuid(), 'Customer', code, 'EUR', 'UTC', 'a@customer.example', 30, '{}', 1,"
        " '2026-01-05T09:00:00Z', 'standard', 'en' FROM unnest(ARRAY['GS-OLD', 'GS-OLD', 'GS-DE']) AS code"
    )
    await database.execute(
        "INSERT INTO invoicing.legal_entities VALUES ('GS-DE', 'Goodstanding GmbH', '{Street}', 'DE1', 'HRB', 'Bank',"
        " 'DE02120300000000202051', 'BYLADEM1001', NULL, true, 3, 'finance', '2026-01-01', NULL, 'rates')"
    )
    await migrate_database(postgres.url("owner", database.name))
    await database.install_clock()
    rows = await database.rows("SELECT code, version, sends_documents FROM invoicing.legal_entities ORDER BY code")
    assert [tuple(row) for row in rows] == [("GS-DE", 3, True), ("GS-OLD", 0, False)]
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        assert (await client.get("/v1/legal-entities/GS-OLD")).status_code == 404
        await client.create("/v1/accounts", account(legal_entity="GS-OLD"))
        body = {
            "name": "Goodstanding Ltd",
            "address": ["1 Street"],
            "tax_id": "GB1",
            "register_number": "R1",
            "bank_name": "Bank",
            "iban": "DE02120300000000202051",
            "bic": "BYLADEM1001",
        }
        put = await client.http.put("/v1/legal-entities/GS-OLD", json=body, headers=client.headers)
        assert (put.status_code, put.json()["version"]) == (200, 1)
