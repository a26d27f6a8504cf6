"""Bill runs on real Postgres, over REST: what is due becomes invoices, once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.escalation import DisputedLine, DisputeResolved
from shared.events.invoicing import InvoiceIssued
from tests.builders import Database, eur, hear, invoice, running
from tests.component.billing_world import VERSION, Billing
from tests.component.setting_requests import make_by_two


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def test_a_subscription_is_billed_with_tax_and_announced(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner)
    run = await billing.run()
    assert (run["state"], run["accounts"]) == ("done", {"issued": 1})
    assert run["totals"] == [
        {"currency": "EUR", "invoices": 1, "total_minor": 11_995, "credits": 0, "credited_minor": 0}
    ]
    assert await billing.lines(owner) == [(10_080, 1_915, 11_995)]
    (invoice,) = (await billing.client.got("/v1/invoices", account_id=owner))["items"]
    assert (invoice["number"], invoice["issue_date"], invoice["due_date"]) == (
        "GS-DE-00000001",
        "2026-03-02",
        "2026-04-01",
    )
    rows = await billing.database.rows(
        "SELECT data, headers FROM invoicing.outbox WHERE type = $1", InvoiceIssued.type()
    )
    event = InvoiceIssued.model_validate_json(rows[0]["data"])
    asked = await billing.client.got(f"/v1/invoices/{invoice['id']}/balance")
    assert (event.balance.total_minor, event.balance.open_minor, len(event.balance.lines)) == (11_995, 11_995, 1)
    assert event.balance.lines[0].subscription_id == UUID(subscription)
    assert event.model_dump_json() == orjson.dumps(orjson.loads(rows[0]["data"])).decode()
    assert asked["sequence"] == int(orjson.loads(rows[0]["headers"])["ce_sequence"])
    assert asked["open_minor"] == 11_995
    posted = await billing.database.rows("SELECT DISTINCT document, event_sequence FROM invoicing.ledger_entries")
    assert ("invoice", asked["sequence"]) in [tuple(row) for row in posted]


async def test_the_ledger_has_both_sides(billing: Billing) -> None:
    await billing.rate()
    await billing.buy(await billing.plan(), await billing.account())
    await billing.run()
    assert await billing.trial_balance() == {
        ("receivables", "EUR"): 11_995,
        ("deferred_revenue", "EUR"): -10_080,
        ("tax", "EUR"): -1_915,
        ("vendor_cost", "USD"): 8_200,
        ("vendor_payable", "USD"): -8_200,
    }


async def test_a_run_that_comes_late_bills_every_month_that_is_due(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    await billing.to("2026-05-02")
    await billing.run()
    assert await billing.lines(owner) == [(10_080, 1_915, 11_995), (10_080, 1_915, 11_995), (10_080, 1_916, 11_996)]
    assert [
        (str(row["period_from"]), str(row["period_to"]))
        for row in await billing.database.rows("SELECT * FROM invoicing.charges ORDER BY period_from")
    ] == [("2026-03-02", "2026-04-02"), ("2026-04-02", "2026-05-02"), ("2026-05-02", "2026-06-02")]


async def test_run_again_it_does_nothing(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    await billing.run()
    again = await billing.run()
    assert (again["state"], again["accounts"], again["totals"]) == ("done", {}, [])
    assert len(await billing.lines(owner)) == 1


async def test_a_change_is_a_reversal_and_a_charge_on_the_next_invoice(billing: Billing) -> None:
    """The vector of the programme: 10.08 for 30 days; with 28 days left 10 become 12.

    12 become 11 on the same day: −112.89 and +103.48 are 9.41 to be given back, at once and not in May.
    """
    owner = await billing.account(tax_status="exempt")
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.to("2026-04-01")
    await billing.run()
    await billing.to("2026-04-03")
    await billing.change(subscription, "quantity", quantity=12)
    await billing.run()
    assert await billing.lines(owner) == [(10_080, 0, 10_080), (-9_408, 0, None), (11_289, 0, 1_881)]
    await billing.change(subscription, "quantity", quantity=11)
    run = await billing.run()
    assert run["accounts"] == {"credited": 1}
    (note,) = (await billing.client.got("/v1/credit-notes", account_id=owner))["items"]
    assert (note["total_minor"], note["lines"]) == (941, [{"line": 2, "amount_minor": 941}])
    await billing.to("2026-05-01")
    await billing.run()
    assert (await billing.lines(owner))[3:] == [(11_088, 0, 11_088)]
    vendor = await billing.database.rows("SELECT kind, amount_minor FROM invoicing.vendor_charges")
    assert sorted(tuple(row) for row in vendor) == [
        ("addQuantity", -7_653),
        ("addQuantity", 9_184),
        ("cycleCharge", 9_020),
        ("new", 8_200),
        ("removeQuantity", -9_184),
        ("removeQuantity", 8_418),
    ]


async def test_the_ledger_follows_the_money(billing: Billing) -> None:
    """119.95 are billed; 100.00 come in for it, 50.00 later, of which 30.05 are too much; that one is taken back."""
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    await billing.run()
    before = await billing.trial_balance()
    await billing.client.create("/v1/payments", {"account_id": owner, "amount": eur(10_000)})
    second = await billing.client.create("/v1/payments", {"account_id": owner, "amount": eur(5_000)})
    after = await billing.trial_balance()
    assert (after["cash", "EUR"], after["receivables", "EUR"], after["unapplied", "EUR"]) == (15_000, 0, -3_005)
    await billing.client.create(f"/v1/payments/{second['id']}:reverse", {"reason": "returned"})
    assert await billing.trial_balance() == before | {
        ("cash", "EUR"): 10_000,
        ("receivables", "EUR"): 1_995,
        ("unapplied", "EUR"): 0,
    }


async def test_an_upheld_dispute_credits_the_tax_too(billing: Billing) -> None:
    """Half of 119.95 is credited: 59.97, of which 9.57 are tax (19.15 × 59.97 / 119.95, truncated).

    The month was billed in advance and nothing of it is earned yet, so the rest was never revenue.
    """
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    await billing.run()
    (invoice,) = (await billing.client.got("/v1/invoices", account_id=owner))["items"]
    dispute = uuid4()
    body = {"dispute_id": str(dispute), "invoice_id": invoice["id"], "lines": [{"line": 1, "amount_minor": 5_997}]}
    await billing.client.create("/v1/reservations", body)
    upheld = DisputeResolved(
        case_id=uuid4(),
        account_id=UUID(owner),
        dispute_id=dispute,
        invoice_id=UUID(invoice["id"]),
        currency="EUR",
        lines=(DisputedLine(line=1, amount_minor=5_997),),
        outcome="upheld",
    )
    await hear(billing.runtime, upheld)
    balance = await billing.trial_balance()
    assert (balance["deferred_revenue", "EUR"], balance["tax", "EUR"]) == (-5_040, -958)
    assert ("credits", "EUR") not in balance
    assert balance["receivables", "EUR"] == 5_998


async def test_a_closed_month_has_earned_its_days_and_takes_nothing_more(billing: Billing) -> None:
    """The 30 days in March, of the 31 days from 2 March on, have earned 97.54 of 100.80."""
    await billing.rate()
    await billing.buy(await billing.plan(), await billing.account())
    await billing.run()
    close = "/v1/ledger/GS-DE/periods/2026-03:close"
    early = await billing.client.post(close, {"reason": "month end"})
    assert (early.status_code, early.json()["code"]) == (409, "month_not_over")
    await billing.to("2026-04-02")
    await make_by_two(billing.client, close, {"reason": "month end"})
    assert (await billing.client.post(close, {"reason": "again"})).json()["code"] == "already_closed"
    balance = await billing.client.got("/v1/ledger/GS-DE/trial-balance")
    balances = {item["code"]: item["balance_minor"] for item in balance["items"] if item["currency"] == "EUR"}
    assert balances == {"receivables": 11_995, "tax": -1_915, "deferred_revenue": -326, "revenue": -9_754}
    day = await billing.client.get("/v1/ledger/GS-DE/journal/2026-03-31")
    assert [line.split(",")[4:7] for line in day.text.splitlines()[1:]] == [
        ["deferred_revenue", "EUR", "9754"],
        ["revenue", "EUR", "-9754"],
    ]
    late = "INSERT INTO invoicing.ledger_entries (legal_entity, code, currency, amount_minor, account_id, document,"
    late += " document_id, event_sequence, posted_on, posted_at) SELECT legal_entity, code, currency, amount_minor,"
    late += " account_id, 'late', document_id, 1, '2026-03-31', posted_at FROM invoicing.ledger_entries"
    with pytest.raises(asyncpg.RaiseError, match="a closed period"):
        await billing.database.execute(f"{late} WHERE currency = 'EUR' AND document = 'release'")


async def test_what_does_not_balance_is_refused(billing: Billing) -> None:
    await billing.rate()
    await billing.buy(await billing.plan(), await billing.account())
    await billing.run()
    one_side = "INSERT INTO invoicing.ledger_entries (legal_entity, code, currency, amount_minor, account_id, document,"
    one_side += " document_id, event_sequence, posted_on, posted_at) SELECT legal_entity, code, currency, amount_minor,"
    one_side += " account_id, document, document_id, 1, '2026-03-31', posted_at FROM invoicing.ledger_entries"
    with pytest.raises(asyncpg.RaiseError, match="do not balance"):
        await billing.database.execute(f"{one_side} WHERE code = 'receivables'")


async def test_drafts_wait_for_approval_and_what_was_set_aside_is_tried_again(billing: Billing) -> None:
    plan = await billing.plan()
    owners = [await billing.account(), await billing.account(country="FR")]
    await billing.rate()
    for owner in owners:
        await billing.buy(plan, owner)
    run = await billing.run(at_once=False)
    assert (run["state"], run["accounts"]) == ("drafted", {"drafted": 1, "set_aside": 1})
    aside = await billing.client.got(f"/v1/bill-runs/{run['id']}/set-aside")
    assert aside["items"] == [{"account_id": owners[1], "reason": "no tax rate for standard in FR on 2026-03-02"}]
    assert await billing.lines(owners[0]) == []
    assert await billing.database.value("SELECT count(*) FROM invoicing.numbers") == 0
    await billing.rate(2000, country="FR")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:retry", {"reason": "the rate is known now"})
    run = await billing.finish_run(run["id"])
    assert (run["state"], run["accounts"]) == ("drafted", {"drafted": 2})
    differences = await billing.client.got(f"/v1/bill-runs/{run['id']}/differences")
    assert sorted(item["total_minor"] for item in differences["items"]) == [11_995, 12_096]
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
    run = await billing.finish_run(run["id"])
    assert (run["state"], run["accounts"]) == ("done", {"issued": 2})
    assert [await billing.lines(owner) for owner in owners] == [[(10_080, 1_915, 11_995)], [(10_080, 2_016, 12_096)]]


async def test_discarded_drafts_are_billed_by_another_run(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    run = await billing.run(at_once=False)
    await billing.client.create(f"/v1/bill-runs/{run['id']}:discard", {"reason": "the price is wrong"})
    assert await billing.lines(owner) == []
    assert (await billing.run())["accounts"] == {"issued": 1}
    assert await billing.lines(owner) == [(10_080, 1_915, 11_995)]


async def test_an_account_that_breaks_is_set_aside_and_the_others_go_on(billing: Billing) -> None:
    await billing.rate()
    plan, owners = await billing.plan(), [await billing.account() for _ in range(3)]
    for owner in owners:
        await billing.buy(plan, owner)
    await billing.database.execute(
        f"ALTER TABLE invoicing.invoices ADD CONSTRAINT broken CHECK (account_id <> '{owners[1]}')"
    )
    run = await billing.run()
    assert (run["state"], run["accounts"]) == ("done", {"issued": 2, "set_aside": 1})
    await billing.database.execute("ALTER TABLE invoicing.invoices DROP CONSTRAINT broken")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:retry", {"reason": "mended"})
    assert (await billing.finish_run(run["id"]))["accounts"] == {"issued": 3}
    numbers = await billing.database.rows("SELECT number FROM invoicing.invoices ORDER BY number")
    assert [row["number"] for row in numbers] == [f"GS-DE-0000000{n}" for n in (1, 2, 3)]


async def test_an_approved_draft_that_breaks_is_drafted_again(billing: Billing) -> None:
    """Its charges are not left on the draft that could not be issued."""
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    run = await billing.run(at_once=False)
    await billing.database.execute(
        f"ALTER TABLE invoicing.invoices ADD CONSTRAINT broken CHECK (account_id <> '{owner}')"
    )
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
    run = await billing.finish_run(run["id"])
    assert (run["state"], run["accounts"]) == ("done", {"set_aside": 1})
    await billing.database.execute("ALTER TABLE invoicing.invoices DROP CONSTRAINT broken")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:retry", {"reason": "mended"})
    assert (await billing.finish_run(run["id"]))["accounts"] == {"drafted": 1}
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
    assert (await billing.finish_run(run["id"]))["accounts"] == {"issued": 1}
    assert await billing.lines(owner) == [(10_080, 1_915, 11_995)]


async def test_a_line_is_explained(billing: Billing) -> None:
    """12 seats for 28 of 30 days at 10.08 are 112.896, truncated; 19 % of the sum of the lines, 18.81, are 3.57."""
    await billing.rate()
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.to("2026-04-01")
    await billing.run()
    await billing.to("2026-04-03")
    change = await billing.change(subscription, "quantity", quantity=12)
    await billing.run()
    second = (await billing.client.got("/v1/invoices", account_id=owner))["items"][1]
    path = f"/v1/invoices/{second['id']}/lines"
    explanation = await billing.client.got(f"{path}/2/explanation")
    assert (
        explanation["arithmetic"] == "€10.08 × 28 of 30 days × 12 = €112.89, truncated; tax of 19.00 % €21.45; €134.34"
    )
    assert (explanation["price"]["version"], explanation["period"]["quantity"], explanation["collectable_minor"]) == (
        1,
        12,
        2_238,
    )
    assert (explanation["cause"]["change_id"], explanation["cause"]["reason"]) == (change["id"], "asked for")
    taken_back = await billing.client.got(f"{path}/1/explanation")
    assert taken_back["arithmetic"].startswith("€10.08 × 28 of 30 days × -10 = -€94.08; tax of 19.00 % -€17.88")
    posted = await billing.client.create("/v1/invoices", invoice(owner, 700))
    plain = await billing.client.got(f"/v1/invoices/{posted['id']}/lines/1/explanation")
    assert (plain["price"], plain["arithmetic"]) == (None, "posted as €7.00, of which tax of 19.00 % €1.12")
    assert (await billing.client.get(f"{path}/3/explanation")).status_code == 404


async def test_the_exposure_shows_what_we_go_on_owing(billing: Billing) -> None:
    """A year of 10 seats at 8.20 USD, of which a month has begun; a suspension stops what the vendor lets it stop."""
    await billing.rate()
    owner = await billing.account(terms_days=0)
    cheap = {"unit_cost_minor": 100, "currency": "USD", "bills_while_suspended": False}
    await billing.buy(await billing.plan(), owner)
    await billing.buy(await billing.plan(vendor=cheap), owner)
    await billing.run()
    await billing.to("2026-03-04")
    exposure = await billing.client.got(f"/v1/accounts/{owner}/exposure")
    assert exposure == {
        "account_id": owner,
        "owed_to_us": [{"currency": "EUR", "open_minor": 23_990, "overdue_minor": 23_990, "disputed_minor": 0}],
        "billed": [{"currency": "EUR", "billed_minor": 20_160}],
        "vendor_accrued": [{"currency": "USD", "accrued_minor": 9_200}],
        "vendor_invoices": [],
        "vendor_committed": [
            {
                "currency": "USD",
                "committed_minor": 11 * 9_200,
                "stopped_by_suspension_minor": 11 * 1_000,
                "until": "2027-03-02",
            }
        ],
    }
    assert await billing.client.got("/v1/exposure") == exposure | {"account_id": None, "vendor_contested": []}


async def test_usage_is_on_the_next_invoice_once(billing: Billing) -> None:
    """12.5 hours at 0.0999 with 15 % are 1.4360..., truncated: 1.43; the line that is known changes nothing."""
    await billing.rate()
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(usage_markup_bp=1500), owner)
    await billing.run()
    line = {"subscription_id": subscription, "meter": "hours", "period_from": "2026-01-01", "period_to": "2026-02-01"}
    lines = [line | {"id": "17", "quantity": "12.5", "unit_cost": "0.0999"}]
    lines.append(line | {"id": "18", "quantity": "0", "unit_cost": "5"})
    body = {"source": "meters", "currency": "EUR", "lines": lines}
    assert await billing.client.create("/v1/usage-lines", body) == {"new": 2, "unchanged": 0}
    assert await billing.client.create("/v1/usage-lines", body) == {"new": 0, "unchanged": 2}
    await billing.run()
    assert (await billing.lines(owner))[1:] == [(143, 27, 170)]
    unknown = lines[0] | {"id": "19", "subscription_id": str(uuid4())}
    refused = await billing.client.post("/v1/usage-lines", body | {"lines": [lines[0] | {"id": "20"}, unknown]})
    assert (refused.status_code, refused.json()["code"]) == (422, "usage_refused")
    assert await billing.client.create("/v1/usage-lines", body | {"lines": [lines[0] | {"id": "20"}]}) == {
        "new": 1,
        "unchanged": 0,
    }


async def test_a_preview_shows_what_the_run_will_bill_and_changes_nothing(billing: Billing) -> None:
    """Over two renewals of a monthly term, the second of which has a higher price and more seats."""
    await billing.rate()
    owner = await billing.account()
    plan = await billing.plan(term_months=1)
    subscription = await billing.buy(plan, owner)
    dearer = {"effective_from": "2026-05-01", "term_months": 1, "prices": {"EUR": {"unit_price_minor": 1209}}}
    await billing.client.create(f"/v1/plans/{plan}/versions", dearer | {"vendor": VERSION["vendor"]})
    await billing.change(subscription, "quantity", when="renewal", quantity=12)
    before = await everything(billing)
    path = f"/v1/accounts/{owner}/bill-preview"
    preview = await billing.client.got(path, run_date="2026-05-02")
    assert await everything(billing) == before
    await billing.to("2026-05-02")
    await billing.run()
    assert [(line["net_minor"], line["tax_minor"], line["collectable_minor"]) for line in preview["lines"]] == (
        await billing.lines(owner)
    )
    assert [line["net_minor"] for line in preview["lines"]] == [10_080, 12_096, 14_508]
    assert (await billing.client.get(path, run_date="2026-05-01")).json()["code"] == "date_refused"
    assert (await billing.client.got(path, run_date="2026-05-02"))["lines"] == []


async def everything(billing: Billing) -> list[Any]:
    """List everything that a preview might have left behind."""
    tables = ("outbox", "charges", "vendor_charges", "terms", "subscription_changes", "drafts", "bill_runs", "streams")
    return [await billing.database.rows(f"SELECT * FROM invoicing.{table} ORDER BY 1, 2") for table in tables]


async def test_a_plan_without_a_price_in_the_currency_cannot_be_scheduled(billing: Billing) -> None:
    """Else the renewal would find nothing that it could begin."""
    subscription = await billing.buy(await billing.plan(term_months=1), await billing.account())
    foreign = await billing.plan(prices={"USD": {"unit_price_minor": 1008}})
    body = {"kind": "plan", "when": "renewal", "plan_id": foreign, "reason": "asked for"}
    refused = await billing.client.post(f"/v1/subscriptions/{subscription}/changes", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_offered")


async def test_another_plan_gives_no_more_seats_back_than_may_be(billing: Billing) -> None:
    """Eight days after the purchase, and while access is suspended."""
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner)
    other = await billing.plan(prices={"EUR": {"unit_price_minor": 1209}})
    path = f"/v1/subscriptions/{subscription}/changes"
    body = {"kind": "plan", "when": "now", "plan_id": other, "reason": "asked for"}
    await billing.to("2026-03-10")
    refused = await billing.client.post(path, body | {"quantity": 9})
    assert (refused.status_code, refused.json()["code"]) == (409, "change_refused")
    event_fields = {"account_id": UUID(owner), "subscription_id": UUID(subscription), "suspension_id": None}
    await hear(billing.runtime, SubscriptionSuspended(**event_fields, hold_reasons=("admin",), vendor_bills_on=True))
    assert (await billing.client.post(path, body)).json()["code"] == "change_refused"
    await hear(billing.runtime, SubscriptionReinstated(**event_fields, renewal_restored=True), sequence=2)
    assert (await billing.client.create(path, body | {"quantity": 12}))["quantity"] == 12
