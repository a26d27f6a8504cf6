"""Statements of account about paying: where to, by which reference, and what was paid back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, eur, invoice, running
from tests.component.collections.test_collections import Hop
from tests.component.documents_world import Papers

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture
async def papers(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Papers]:
    async with running("invoicing", database, keys, jwks_file, public_url="https://pay.example") as (runtime, client):
        yield Papers(runtime, client, database, Hop())


async def read_entries(papers: Papers, owner: str) -> tuple[list[tuple[str, int]], int, int]:
    """Read kind and amount of each entry, the closing balance and the unapplied cash; minor units."""
    (euro,) = (await papers.client.got(f"/v1/accounts/{owner}/statement", **MARCH))["balances"]
    entries = [(entry["kind"], entry["amount_minor"]) for entry in euro["entries"]]
    return entries, euro["closing_minor"], euro["unapplied_minor"]


async def test_a_statement_says_where_to_pay_what_is_open_and_by_which_reference(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account()
    await papers.pay(owner, 1_000)
    nothing_open = (await papers.document(f"accounts/{owner}/statement", **MARCH)).text
    assert "IBAN" not in nothing_open
    await papers.client.create("/v1/invoices", invoice(owner, 10_000))
    page = (await papers.document(f"accounts/{owner}/statement", **MARCH)).text
    assert "IBAN DE02 1203 0000 0000 2020 51, BIC BYLADEM1001" in page
    # G 16, S 28, D 13, E 14, R 27, F 15: 98 - 1628131400000001271500 mod 97 = 98 - 91.
    assert "RF07 GSDE 0000 0001" in page


async def test_a_refund_is_on_the_statement_once_it_is_paid_out(papers: Papers) -> None:
    await papers.seller()
    limit = {"amount_minor": 10_000, "reason": "the board"}
    await papers.client.http.put("/v1/approval-limits/lead/EUR", json=limit, headers=papers.client.headers)
    lead = papers.client.somebody(roles="lead")
    owner = await papers.account()
    await papers.pay(owner, 5_000)
    body = {"account_id": owner, "reason_code": "overpayment", "reason": "asked for"}
    declined = await papers.client.create("/v1/refunds", body | {"amount": eur(1_200)})
    assert await read_entries(papers, owner) == ([("payment", -5_000)], -5_000, 5_000)
    await lead.create(f"/v1/approvals/{declined['id']}:decline", {"reason": "no"})
    assert await read_entries(papers, owner) == ([("payment", -5_000)], -5_000, 5_000)
    approved = await papers.client.create("/v1/refunds", body | {"amount": eur(2_000)})
    await lead.create(f"/v1/approvals/{approved['id']}:approve", {"reason": "yes"})
    assert await read_entries(papers, owner) == ([("payment", -5_000), ("refund", 2_000)], -3_000, 3_000)


async def read_open_items(papers: Papers, owner: str, until: str) -> list[int]:
    """Read what was open of each invoice at the end of a day; it adds up to the closing balance and unapplied cash."""
    days = {"from": "2026-03-01", "to": until}
    (euro,) = (await papers.client.got(f"/v1/accounts/{owner}/statement", **days))["balances"]
    open_items = [item["open_minor"] for item in euro["open_items"]]
    assert sum(open_items) == euro["closing_minor"] + euro["unapplied_minor"]
    return open_items


async def test_what_was_open_stays_on_the_statement_of_a_day_after_which_it_was_written_off(papers: Papers) -> None:
    """Written off after 30 days, paid after 31 after all, and the payment taken back after 32."""
    await papers.seller()
    limit = {"amount_minor": 10_000, "reason": "the board"}
    await papers.client.http.put("/v1/approval-limits/lead/EUR", json=limit, headers=papers.client.headers)
    owner = await papers.account()
    issued = (await papers.client.create("/v1/invoices", invoice(owner, 5_000)))["id"]
    await papers.database.move(days=30)
    lost = {"invoice_id": issued, "reason_code": "insolvency", "reason": "filed"}
    written_off = await papers.client.somebody(roles="lead").create("/v1/write-offs", lost)
    assert written_off["state"] == "carried_out"
    await papers.database.move(days=1)
    paid = await papers.pay(owner, 2_000, invoice_id=issued)
    await papers.database.move(days=1)
    await papers.client.create(f"/v1/payments/{paid}:reverse", {"reason": "returned"})
    ends = ["2026-03-31", "2026-04-01", "2026-04-02", "2026-04-03"]
    assert [await read_open_items(papers, owner, end) for end in ends] == [[5_000], [], [], []]
