"""Drafts of a bill run are listed and opened until they are approved or discarded."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.component.billing_world import Billing
from tests.component.documents_world import SELLER


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing with a rate of 19 % in Germany."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        world = Billing(runtime, client, database)
        await world.rate()
        yield world


async def list_drafts(billing: Billing, run: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """List the drafts of a run."""
    return list((await billing.client.got(f"/v1/bill-runs/{run['id']}/drafts", **more))["items"])


async def open_draft(billing: Billing, run: dict[str, Any], draft: dict[str, Any]) -> dict[str, Any]:
    """Open a draft of a run."""
    return await billing.client.got(f"/v1/bill-runs/{run['id']}/drafts/{draft['id']}")


def pick(line: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Pick these fields of a line."""
    return tuple(line[name] for name in names)


PERIOD = ("kind", "period_from", "period_to", "quantity", "unit_price_minor")
AMOUNTS = ("net_minor", "tax_minor", "tax_rate_bp", "collectable_minor")


async def test_a_draft_has_the_lines_that_it_becomes(billing: Billing) -> None:
    """Ten seats at 10.08 for a month, and 12.75 hours at 2.00 of before: 126.30 net, of which 19 % are 24.00."""
    owner = await billing.account(terms_days=14)
    bought = await billing.buy(await billing.plan(), owner)
    usage = {"subscription_id": bought, "meter": "hours", "period_from": "2026-01-01", "period_to": "2026-02-01"}
    lines = [
        usage | {"id": str(number), "quantity": quantity, "unit_cost": "2"}
        for number, quantity in enumerate(["12.50", "0.25"])
    ]
    await billing.client.create("/v1/usage-lines", {"source": "meters", "currency": "EUR", "lines": lines})
    run = await billing.run(at_once=False)
    (draft,) = await list_drafts(billing, run)
    opened = await open_draft(billing, run, draft)
    assert draft == {name: opened[name] for name in draft}
    assert pick(draft, "account_id", "legal_entity", "state", "document_type") == (owner, "GS-DE", "drafted", "invoice")
    assert pick(draft, "currency", "drafted_on", "terms_days", "unbilled") == ("EUR", "2026-03-02", 14, None)
    assert pick(opened, "net_minor", "tax_minor", "total_minor") == (12_630, 2_400, 15_030)
    used, cycle = opened["lines"]
    assert {line["subscription_id"] for line in opened["lines"]} == {bought}
    assert pick(used, "line", *PERIOD) == (1, "usage", "2026-01-01", "2026-02-01", None, None)
    assert pick(used, "meters", "used", *AMOUNTS) == ("hours", "12.75", 2_550, 485, 1900, 3_035)
    assert pick(cycle, "line", *PERIOD) == (2, "cycle", "2026-03-02", "2026-04-02", 10, 1008)
    assert pick(cycle, "meters", "used", *AMOUNTS) == (None, None, 10_080, 1_915, 1900, 11_995)
    assert cycle["description"] == "Business Premium, 2026-03-02 – 2026-04-01"
    await billing.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
    await billing.finish_run(run["id"])
    issued = await billing.client.got(f"/v1/invoices/{draft['id']}")
    names = ("line", "description", *PERIOD, "meters", "used", "net_minor", "tax_minor", "tax_rate_bp")
    assert [pick(line, *names) for line in issued["lines"]] == [pick(line, *names) for line in opened["lines"]]


async def test_a_draft_of_credit_notes_is_below_zero(billing: Billing) -> None:
    """From 3 April on 28 of 30 days are taken back: 94.08 of 100.80, and 17.88 of tax."""
    await billing.to("2026-04-01")
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.run()
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    run = await billing.run(at_once=False)
    (draft,) = await list_drafts(billing, run)
    assert pick(draft, "document_type", "total_minor") == ("credit_notes", -11_196)
    (line,) = (await open_draft(billing, run, draft))["lines"]
    assert pick(line, *PERIOD) == ("reversal", "2026-04-03", "2026-05-01", -10, 1008)
    assert pick(line, *AMOUNTS) == (-9_408, -1_788, 1900, 0)


async def test_a_draft_that_waits_for_its_tax_says_so(billing: Billing) -> None:
    entity = SELLER | {"country": "DE", "tax_calculator": "outside", "sends_documents": False}
    client = billing.client
    assert (await client.http.put("/v1/legal-entities/GS-OUT", json=entity, headers=client.headers)).status_code == 200
    await billing.buy(await billing.plan(), await billing.account(legal_entity="GS-OUT"))
    run = await billing.run(at_once=False)
    (draft,) = await list_drafts(billing, run)
    assert pick(draft, "state", "total_minor") == ("to_be_taxed", 10_080)
    assert (await open_draft(billing, run, draft))["lines"][0]["tax_rate_bp"] is None


async def test_drafts_are_listed_by_account_in_pages_and_of_their_run_only(billing: Billing) -> None:
    plan = await billing.plan()
    owners = sorted([await billing.account() for _ in range(3)])
    for owner in owners:
        await billing.buy(plan, owner)
    run = await billing.run(at_once=False)
    await billing.buy(plan, await billing.account())
    other = await billing.run(at_once=False)
    path = f"/v1/bill-runs/{run['id']}/drafts"
    first = await billing.client.got(path, limit=2)
    second = await billing.client.got(path, limit=2, after=first["next"])
    assert [draft["account_id"] for page in (first, second) for draft in page["items"]] == owners
    assert second["next"] is None
    assert [draft["account_id"] for draft in await list_drafts(billing, run, account_id=owners[1])] == [owners[1]]
    (foreign,) = await list_drafts(billing, other)
    for missing in (f"{path}/{foreign['id']}", f"{path}/{uuid4()}", f"/v1/bill-runs/{uuid4()}/drafts"):
        assert (await billing.client.get(missing)).status_code == 404
    assert (await billing.client.get(f"/v1/bill-runs/{uuid4()}/drafts/{foreign['id']}")).status_code == 404
    await billing.client.create(f"/v1/bill-runs/{run['id']}:discard", {"reason": "wrong month"})
    assert await list_drafts(billing, run) == []
    assert (await billing.client.get(f"{path}/{first['items'][0]['id']}")).status_code == 404
