"""A bill run gives back what it owes, over REST on real Postgres: credit notes for charges below nothing, once.

Worked by the programme's vector: ten seats at 10.08 cost 100.80 for April's 30 days; with 28 days left, 94.08.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.escalation import DisputedLine, DisputeResolved
from shared.events.invoicing import BillRunFinished, CreditNoteIssued
from tests.builders import Database, hear, invoice, running
from tests.component.billing_world import Billing
from tests.component.documents_world import SELLER
from tests.component.invoicing.adjustments.test_relief import balance, books, credit, credit_body, limit, pay
from tests.component.setting_requests import close_month

WHY = {"reason": "looks right"}
LAPSED = "without tax lapse: so much had been credited or written off before"


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        made = Billing(runtime, client, database)
        await made.rate()
        await limit(client, 10**6)
        yield made


async def bill_april(billing: Billing, **more: Any) -> tuple[str, str, str]:
    """Bill an account 100.80 and tax for April in advance; return it, the subscription and the invoice."""
    await billing.to("2026-04-01")
    owner = await billing.account(**more)
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.run()
    (issued,) = (await billing.client.got("/v1/invoices", account_id=owner))["items"]
    return owner, subscription, issued["id"]


async def bill_and_cancel(billing: Billing, **more: Any) -> tuple[str, str, str]:
    """Bill April, and cancel on 3 April: 94.08 and the tax of 17.88 are to be given back."""
    owner, subscription, invoice_id = await bill_april(billing, **more)
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    return owner, subscription, invoice_id


async def notes(billing: Billing, owner: str) -> list[dict[str, Any]]:
    return list((await billing.client.got("/v1/credit-notes", account_id=owner))["items"])


async def credits(billing: Billing, run: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await billing.client.got(f"/v1/bill-runs/{run['id']}/credits"))["items"])


async def read_events(billing: Billing, event: Any) -> list[Any]:
    query = "SELECT data FROM invoicing.outbox WHERE type = $1 ORDER BY position"
    return [event.model_validate_json(row["data"]) for row in await billing.database.rows(query, event.type())]


async def charges(billing: Billing, owner: str) -> list[tuple[Any, ...]]:
    rows = await billing.database.rows(
        "SELECT amount_minor, settled_minor, invoice_id IS NULL AS unbilled FROM invoicing.charges"
        " WHERE account_id = $1 ORDER BY created_at, quantity",
        UUID(owner),
    )
    return [tuple(row) for row in rows]


async def test_what_is_open_is_credited_with_its_tax_and_the_rest_is_never_earned(billing: Billing) -> None:
    """Tax: 17.87 of 19.15 are in 111.96 of 119.95 (truncated), so 94.09 were never revenue; 6.71 will be."""
    owner, _, invoice_id = await bill_and_cancel(billing)
    run = await billing.run()
    assert (run["state"], run["accounts"]) == ("done", {"credited": 1})
    assert run["totals"] == [
        {"currency": "EUR", "invoices": 0, "total_minor": 0, "credits": 1, "credited_minor": 11_196}
    ]
    (note,) = await notes(billing, owner)
    assert (note["invoice_id"], note["total_minor"], note["reason_code"]) == (invoice_id, 11_196, "proration")
    assert note["lines"] == [{"line": 1, "amount_minor": 11_196}]
    assert await credits(billing, run) == [
        {
            "account_id": owner,
            "state": "credited",
            "currency": "EUR",
            "total_minor": -11_196,
            "credit_note_ids": [note["id"]],
            "reason": None,
        }
    ]
    assert (await balance(billing.client, invoice_id))["open_minor"] == 799
    assert await charges(billing, owner) == [(10_080, 0, False), (-9_408, -9_408, False)]
    balances = await books(billing.database, owner)
    assert {code: balances[code] for code in ("receivables", "tax", "deferred_revenue")} == {
        "receivables": 799,
        "tax": -128,
        "deferred_revenue": -671,
    }
    await billing.to("2026-05-02")
    await close_month(billing.client, "2026-04")
    balances = await books(billing.database, owner)
    assert (balances.get("deferred_revenue", 0), balances["revenue"]) == (0, -671)
    assert "credits" not in balances


async def test_it_is_announced_and_sent_like_any_credit_note(billing: Billing) -> None:
    await billing.client.http.put("/v1/legal-entities/GS-DE", json=SELLER, headers=billing.client.headers)
    owner, _, invoice_id = await bill_and_cancel(billing)
    await billing.run()
    (note,) = await notes(billing, owner)
    (event,) = await read_events(billing, CreditNoteIssued)
    assert (event.number, event.total_minor, event.reason_code) == (note["number"], 11_196, "proration")
    assert (str(event.invoice_id), event.dispute_id, event.freed_cash) == (invoice_id, None, ())
    assert (await billing.client.got(f"/v1/credit-notes/{note['id']}/delivery"))["state"] == "pending"
    page = await billing.client.http.get(
        f"/v1/credit-notes/{note['id']}/document", headers=billing.client.headers | {"accept": "text/html"}
    )
    assert note["number"] in page.text
    finished = (await read_events(billing, BillRunFinished))[-1]
    assert (finished.accounts, finished.totals[0].credits, finished.totals[0].credited_minor) == (
        {"credited": 1},
        1,
        11_196,
    )


async def test_what_was_paid_pays_the_next_invoice(billing: Billing) -> None:
    """From the 119.95 paid, 111.96 are free again; of the next 119.95, 7.99 are open."""
    owner, _, invoice_id = await bill_and_cancel(billing)
    payment = await pay(billing.client, owner, 11_995)
    await billing.run()
    assert (await billing.client.got(f"/v1/payments/{payment['id']}"))["unapplied_minor"] == 11_196
    assert (await balance(billing.client, invoice_id))["open_minor"] == 0
    (event,) = await read_events(billing, CreditNoteIssued)
    assert [(str(allocation.payment_id), allocation.amount_minor) for allocation in event.freed_cash] == [
        (payment["id"], 11_196)
    ]
    await books(billing.database, owner)
    await billing.buy(await billing.plan(), owner, start="2026-04-03")
    await billing.run()
    after = (await billing.client.got("/v1/invoices", account_id=owner))["items"][1]
    assert (await balance(billing.client, after["id"]))["open_minor"] == 799
    await books(billing.database, owner)


async def test_what_is_open_comes_first_and_what_is_free_pays_at_once_what_else_is_owed(billing: Billing) -> None:
    """50.00 were paid: 69.95 were open and are credited, 42.01 are free and pay the other invoice."""
    owner, _, invoice_id = await bill_and_cancel(billing)
    await pay(billing.client, owner, 5_000)
    other = await billing.client.create("/v1/invoices", invoice(owner, 10_000))
    await billing.run()
    assert (await balance(billing.client, invoice_id))["open_minor"] == 0
    assert (await balance(billing.client, other["id"]))["open_minor"] == 10_000 - 4_201
    await books(billing.database, owner)


async def test_what_the_line_cannot_take_lapses_and_the_run_says_so(billing: Billing) -> None:
    """100.00 were credited by a person: 19.95 are left, 16.76 without tax: with it 19.94. 94.08 − 16.76 lapse."""
    owner, _, invoice_id = await bill_and_cancel(billing)
    await credit(billing.client, invoice_id, (1, 10_000))
    run = await billing.run()
    (said,) = await credits(billing, run)
    assert (said["state"], said["total_minor"], said["reason"]) == ("credited", -1_994, f"€77.32 {LAPSED}")
    assert await charges(billing, owner) == [(10_080, 0, False), (-9_408, -1_676, False)]
    for at_once in (True, False):
        assert (await billing.run(at_once=at_once))["accounts"] == {}
    assert len(await notes(billing, owner)) == 2
    await billing.buy(await billing.plan(), owner, start="2026-04-03")
    assert (await billing.run())["accounts"] == {"issued": 1}
    assert (await billing.lines(owner))[1:] == [(10_080, 1_915, 11_995)]
    await books(billing.database, owner)


YEARLY = {"period_months": 12, "prices": {"EUR": {"unit_price_minor": 12_000}}}
OTHER = {"prices": {"EUR": {"unit_price_minor": 3_100}}}


async def year(billing: Billing, paid: int = 12_000) -> tuple[str, str, str]:
    """An account, exempt from tax, that was billed 120.00 for a year; it, the subscription and the invoice."""
    await billing.to("2026-04-01")
    owner = await billing.account(tax_status="exempt")
    subscription = await billing.buy(await billing.plan(**YEARLY), owner, 1, "2026-04-01")
    await billing.run()
    (issued,) = (await billing.client.got("/v1/invoices", account_id=owner))["items"]
    if paid:
        await pay(billing.client, owner, paid)
    return owner, subscription, issued["id"]


async def test_what_was_credited_by_hand_is_not_given_back_again_on_another_invoice(billing: Billing) -> None:
    """100.00 of 120.00 are credited, so of the 119.34 of 363 days only 20.00 are left; the other costs 31.00."""
    owner, subscription, invoice_id = await year(billing)
    await credit(billing.client, invoice_id, (1, 10_000))
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.buy(await billing.plan(**OTHER), owner, 1, "2026-04-03")
    await billing.run()
    assert sorted((await billing.lines(owner))[1:]) == [(-2_000, 0, None), (3_100, 0, 1_100)]
    assert sum(note["total_minor"] for note in await notes(billing, owner)) == 10_000
    after = (await billing.client.got("/v1/invoices", account_id=owner))["items"][1]["id"]
    net = [line for line, *_ in (await billing.lines(owner))[1:]]
    explained = await billing.client.got(f"/v1/invoices/{after}/lines/{net.index(-2_000) + 1}/explanation")
    assert explained["description"].endswith(", what is left of it")
    assert explained["arithmetic"].endswith(
        "= -€119.34, truncated, of which -€20.00 here; tax of 0.00 % €0.00; -€20.00"
    )
    await books(billing.database, owner)


async def test_a_later_invoice_is_not_lowered_by_what_was_given_back(billing: Billing) -> None:
    owner, subscription, invoice_id = await year(billing)
    await credit(billing.client, invoice_id, (1, 10_000))
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.run()
    await billing.buy(await billing.plan(**OTHER), owner, 1, "2026-04-03")
    await billing.run()
    assert (await billing.lines(owner))[1:] == [(3_100, 0, 3_100)]
    assert sorted(note["total_minor"] for note in await notes(billing, owner)) == [2_000, 10_000]
    await books(billing.database, owner)


async def test_what_a_reversal_gave_back_on_another_invoice_is_not_credited_by_hand(billing: Billing) -> None:
    """119.34 lowered the other's 310.00 to 190.66, so of the line of 120.00 only 0.66 can be credited."""
    owner, subscription, invoice_id = await year(billing)
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.buy(await billing.plan(**OTHER), owner, 10, "2026-04-03")
    await billing.run()
    assert sorted((await billing.lines(owner))[1:]) == [(-11_934, 0, None), (31_000, 0, 19_066)]
    refused = await billing.client.post("/v1/credit-notes", credit_body(invoice_id, (1, 67)))
    assert (refused.status_code, refused.json()["code"]) == (409, "amount_refused")
    assert "has 66 to be credited" in refused.json()["detail"]
    assert (await credit(billing.client, invoice_id, (1, 66)))["state"] == "carried_out"


async def test_an_upheld_dispute_gives_back_no_more_than_is_left_of_the_charge(billing: Billing) -> None:
    """120.00 are disputed; 119.34 of them lower the other's invoice before it is upheld, so 0.66 are credited."""
    owner, subscription, invoice_id = await year(billing, paid=0)
    dispute = uuid4()
    body = {"dispute_id": str(dispute), "invoice_id": invoice_id, "lines": [{"line": 1, "amount_minor": 12_000}]}
    await billing.client.create("/v1/reservations", body)
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.buy(await billing.plan(**OTHER), owner, 10, "2026-04-03")
    await billing.run()
    named = {"account_id": UUID(owner), "case_id": uuid4(), "dispute_id": dispute, "invoice_id": UUID(invoice_id)}
    lines = (DisputedLine(line=1, amount_minor=12_000),)
    await hear(
        billing.runtime,
        DisputeResolved(**named, currency="EUR", total_minor=12_000, lines=lines, outcome="upheld"),
    )
    assert [note["total_minor"] for note in await notes(billing, owner)] == [66]


async def test_what_was_written_off_is_not_given_back_on_another_invoice(billing: Billing) -> None:
    """The customer paid nothing of the 119.95: the reversal takes nothing off what is billed next."""
    owner, _, invoice_id = await bill_and_cancel(billing)
    body = {"invoice_id": invoice_id, "reason_code": "insolvency", "reason": "filed"}
    assert (await billing.client.create("/v1/write-offs", body))["state"] == "carried_out"
    await billing.buy(await billing.plan(), owner, start="2026-04-03")
    await billing.run()
    assert (await billing.lines(owner))[1:] == [(10_080, 1_915, 11_995)]


async def test_an_approved_draft_that_would_have_to_be_paid_now_is_set_aside(billing: Billing) -> None:
    """Drawn up with 119.34 less 31.00; then 100.00 are credited by hand: nobody approved that 11.00 are to be paid."""
    owner, subscription, invoice_id = await year(billing)
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.buy(await billing.plan(**OTHER), owner, 1, "2026-04-03")
    run = await billing.run(at_once=False)
    await credit(billing.client, invoice_id, (1, 10_000))
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", WHY)
    assert (await billing.finish_run(run["id"]))["accounts"] == {"set_aside": 1}
    await billing.client.create(f"/v1/bill-runs/{run['id']}:retry", WHY)
    assert (await billing.finish_run(run["id"]))["accounts"] == {"drafted": 1}
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", WHY)
    assert (await billing.finish_run(run["id"]))["accounts"] == {"issued": 1}
    assert sorted((await billing.lines(owner))[1:]) == [(-2_000, 0, None), (3_100, 0, 1_100)]
    await books(billing.database, owner)


async def test_drafts_give_back_once_they_are_approved(billing: Billing) -> None:
    owner, _, invoice_id = await bill_and_cancel(billing)
    other = await billing.account()
    await billing.buy(await billing.plan(), other, start="2026-04-03")
    run = await billing.run(at_once=False)
    assert (run["state"], run["accounts"]) == ("drafted", {"drafted": 2})
    assert run["totals"] == [
        {"currency": "EUR", "invoices": 1, "total_minor": 11_995, "credits": 1, "credited_minor": 11_196}
    ]
    (said,) = await credits(billing, run)
    assert (said["account_id"], said["state"], said["total_minor"]) == (owner, "drafted", -11_196)
    assert (said["credit_note_ids"], said["reason"]) == ([], None)
    differences = (await billing.client.got(f"/v1/bill-runs/{run['id']}/differences"))["items"]
    assert {difference["account_id"]: difference["total_minor"] for difference in differences} == {
        owner: -11_196,
        other: 11_995,
    }
    assert await notes(billing, owner) == []
    assert (await balance(billing.client, invoice_id))["open_minor"] == 11_995
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", WHY)
    run = await billing.finish_run(run["id"])
    assert (run["state"], run["accounts"]) == ("done", {"credited": 1, "issued": 1})
    assert [note["total_minor"] for note in await notes(billing, owner)] == [11_196]
    assert await billing.lines(other) == [(10_080, 1_915, 11_995)]
    assert (await billing.run())["accounts"] == {}
    assert len(await notes(billing, owner)) == 1
    for table in ("drafts", "draft_lines"):
        assert await billing.database.value(f"SELECT count(*) FROM invoicing.{table}") == 0


async def test_a_discarded_draft_gives_nothing_and_leaves_the_charges(billing: Billing) -> None:
    owner, _, invoice_id = await bill_and_cancel(billing)
    run = await billing.run(at_once=False)
    await billing.client.create(f"/v1/bill-runs/{run['id']}:discard", WHY)
    assert await notes(billing, owner) == []
    assert (await balance(billing.client, invoice_id))["open_minor"] == 11_995
    assert await charges(billing, owner) == [(10_080, 0, False), (-9_408, 0, True)]
    assert (await billing.run())["accounts"] == {"credited": 1}
    assert [note["total_minor"] for note in await notes(billing, owner)] == [11_196]


@pytest.mark.parametrize(("before", "state", "given_back"), [(10_000, "credited", 1_995), (11_995, "nothing", 0)])
async def test_what_was_credited_between_draft_and_approval_is_not_given_twice(
    billing: Billing, before: int, state: str, given_back: int
) -> None:
    owner, _, invoice_id = await bill_and_cancel(billing)
    run = await billing.run(at_once=False)
    await credit(billing.client, invoice_id, (1, before))
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", WHY)
    run = await billing.finish_run(run["id"])
    assert run["accounts"] == {state: 1}
    (said,) = await credits(billing, run)
    assert (said["state"], said["total_minor"]) == (state, -given_back)
    assert said["reason"].endswith(LAPSED)
    assert sum(note["total_minor"] for note in await notes(billing, owner)) == before + given_back
    assert (await charges(billing, owner))[1][2] is (given_back == 0)
    assert (await billing.run())["accounts"] == {}
    await books(billing.database, owner)


async def test_an_account_that_breaks_is_given_nothing_by_half_and_once_when_it_is_tried_again(
    billing: Billing,
) -> None:
    """The other accounts of the chunk go on: of two, one is given back, and one is billed."""
    owner, _, invoice_id = await bill_and_cancel(billing)
    well = await bill_and_cancel(billing)
    other = await billing.account()
    await billing.buy(await billing.plan(), other, start="2026-04-03")
    # It breaks late: the balance, the number and the entries have been written.
    await billing.database.execute(
        f"ALTER TABLE invoicing.credited_charges ADD CONSTRAINT broken CHECK (account_id <> '{owner}')"
    )
    run = await billing.run()
    assert run["accounts"] == {"credited": 1, "issued": 1, "set_aside": 1}
    assert await notes(billing, owner) == []
    assert (await balance(billing.client, invoice_id))["open_minor"] == 11_995
    assert await charges(billing, owner) == [(10_080, 0, False), (-9_408, 0, True)]
    await books(billing.database, owner)
    await billing.database.execute("ALTER TABLE invoicing.credited_charges DROP CONSTRAINT broken")
    await billing.client.create(f"/v1/bill-runs/{run['id']}:retry", {"reason": "mended"})
    assert (await billing.finish_run(run["id"]))["accounts"] == {"credited": 2, "issued": 1}
    numbers = [(await notes(billing, who))[0]["number"] for who in (well[0], owner)]
    assert numbers == ["GS-DE-CN-00000001", "GS-DE-CN-00000002"]
    await books(billing.database, owner)


async def test_charges_of_another_subscription_are_settled_with_it(billing: Billing) -> None:
    """−94.08 and 10.08 for a seat of another: 84.00. That one is cancelled, too: 9.40 for 28 of 30 days, truncated.

    The second has no line of its own, so what the first line kept for it is credited. 7.40 are left for five days.
    """
    owner, first, invoice_id = await bill_and_cancel(billing, tax_status="exempt")
    second = await billing.buy(await billing.plan(), owner, quantity=1, start="2026-04-03")
    await billing.run()
    await billing.to("2026-04-05")
    await billing.change(second, "cancel")
    assert (await billing.run())["accounts"] == {"credited": 1}
    assert [note["lines"] for note in await notes(billing, owner)] == [
        [{"line": 1, "amount_minor": 8_400}],
        [{"line": 1, "amount_minor": 940}],
    ]
    assert (await balance(billing.client, invoice_id))["open_minor"] == 672 + 68
    explained = await billing.client.got(f"/v1/invoices/{invoice_id}/lines/1/explanation")
    assert [(credit_line["amount_minor"], credit_line["reason_code"]) for credit_line in explained["credits"]] == [
        (8_400, "proration"),
        (940, "proration"),
    ]
    settles = [
        [(part["kind"], part["net_minor"]) for part in credit_line["settles"]] for credit_line in explained["credits"]
    ]
    assert [sorted(parts) for parts in settles] == [[("cycle", 1_008), ("reversal", -9_408)], [("reversal", -940)]]
    said = {
        part["arithmetic"]: part["reason"] for credit_line in explained["credits"] for part in credit_line["settles"]
    }
    assert said["€10.08 × 28 of 30 days × -10 = -€94.08"] == "asked for"
    assert said["€10.08 × 28 of 30 days × -1 = -€9.40, truncated"] == "asked for"
    assert first != second
    await books(billing.database, owner)


async def test_what_a_reversal_took_off_another_line_is_credited_on_its_own(billing: Billing) -> None:
    """94.08 of the first were on the invoice of the second, 201.60, of which 107.52 were collected.

    Now 188.16 of the second are reversed: all that was collected of it, and 80.64 on the line of the first.
    """
    owner, _, invoice_id = await bill_and_cancel(billing, tax_status="exempt")
    second = await billing.buy(await billing.plan(), owner, quantity=20, start="2026-04-03")
    assert (await billing.run())["accounts"] == {"issued": 1}
    assert sorted((await billing.lines(owner))[1:]) == [(-9_408, 0, None), (20_160, 0, 10_752)]
    await billing.to("2026-04-05")
    await billing.change(second, "cancel")
    run = await billing.run()
    assert [note["total_minor"] for note in await notes(billing, owner)] == [8_064, 10_752]
    assert [credit_line["reason"] for credit_line in await credits(billing, run)] == [None]
    assert (await balance(billing.client, invoice_id))["open_minor"] == 672 + 1_344
    assert (await books(billing.database, owner))["receivables"] == 672 + 1_344


async def test_what_a_person_credited_is_not_taken_from_other_lines(billing: Billing) -> None:
    """Neither from the set-up of the same subscription, nor from one that was given back before, 6.72 of which stand.

    The second costs 100.80 a year; 100.00 are credited, and 363 of its 365 days are 100.24 (truncated).
    """
    owner, *_ = await bill_and_cancel(billing, tax_status="exempt")
    assert (await billing.run())["accounts"] == {"credited": 1}
    plan = await billing.plan(period_months=12, prices={"EUR": {"unit_price_minor": 1008, "setup_minor": 5000}})
    second = await billing.buy(plan, owner, start="2026-04-03")
    await billing.run()
    invoice_id = (await billing.client.got("/v1/invoices", account_id=owner))["items"][1]["id"]
    lines = [net for net, *_ in (await billing.lines(owner))[1:]]
    await credit(billing.client, invoice_id, (lines.index(10_080) + 1, 10_000))
    await billing.to("2026-04-05")
    await billing.change(second, "cancel")
    (said,) = await credits(billing, await billing.run())
    assert (said["total_minor"], said["reason"]) == (-80, f"€99.44 {LAPSED}")
    assert (await books(billing.database, owner))["receivables"] == 672 + 5_000


async def test_one_credit_note_for_each_invoice_that_is_taken_back(billing: Billing) -> None:
    """10 → 12 seats on 3 April, and cancelled that day: −112.89, of which 18.81 were collected of the second line."""
    owner, subscription, invoice_id = await bill_april(billing, tax_status="exempt")
    await billing.to("2026-04-03")
    await billing.change(subscription, "quantity", quantity=12)
    await billing.run()
    await billing.change(subscription, "cancel")
    run = await billing.run()
    assert [(note["invoice_id"] == invoice_id, note["lines"]) for note in await notes(billing, owner)] == [
        (True, [{"line": 1, "amount_minor": 9_408}]),
        (False, [{"line": 2, "amount_minor": 1_881}]),
    ]
    assert run["totals"][0]["credits"] == 1
    assert (await books(billing.database, owner))["receivables"] == 672


async def test_a_preview_says_that_it_will_be_given_back(billing: Billing) -> None:
    owner, _, invoice_id = await bill_and_cancel(billing)
    path = f"/v1/accounts/{owner}/bill-preview"
    seen = await billing.client.got(path, run_date="2026-04-03")
    assert (seen["total_minor"], seen["document_type"], seen["due_date"]) == (-11_196, "credit_notes", None)
    assert [(line["net_minor"], line["tax_minor"]) for line in seen["lines"]] == [(-9_408, -1_788)]
    assert seen["unbilled"] is None
    assert await notes(billing, owner) == []
    assert (await balance(billing.client, invoice_id))["open_minor"] == 11_995
    await credit(billing.client, invoice_id, (1, 11_995))
    seen = await billing.client.got(path, run_date="2026-04-03")
    assert (seen["total_minor"], seen["document_type"], seen["lines"]) == (0, None, [])
    assert seen["unbilled"] == f"€94.08 {LAPSED}"
    await billing.buy(await billing.plan(), owner, start="2026-04-03")
    assert (await billing.client.got(path, run_date="2026-04-03"))["document_type"] == "invoice"


async def test_what_cancels_itself_out_waits_for_the_next_invoice(billing: Billing) -> None:
    owner, subscription, _ = await bill_april(billing, tax_status="exempt")
    await billing.to("2026-04-03")
    same = await billing.plan()
    await billing.change(subscription, "plan", plan_id=same)
    run = await billing.run()
    assert (run["accounts"], await credits(billing, run)) == ({"nothing": 1}, [])
    assert [row[2] for row in await charges(billing, owner)] == [False, True, True]
    await billing.to("2026-05-01")
    await billing.run()
    assert [net for net, *_ in (await billing.lines(owner))[1:]] == [-9_408, 9_408, 10_080]
