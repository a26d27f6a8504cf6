"""Exposure of all accounts: every unpaid invoice of the vendor counts, wholly and once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.vendor_files import BilledLine, World, as_csv, expect, world


@pytest.fixture
async def place(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield await world(client, database)


async def test_unpaid_invoices_count_reconciled_or_not_with_a_customer_or_without(place: World) -> None:
    """Ours 100.80 and nobody's 50.00 on a reconciled invoice, 30.00 on one without a file, 70.00 paid."""
    await expect(place.database, [place.charge()])
    lines = [BilledLine(), BilledLine("vendor-9", customer="tenant-99", subtotal=5_000)]
    await place.reconcile_lines(lines, due_date="2026-06-07")
    await place.record_invoice([BilledLine(subtotal=3_000)], due_date="2026-06-07")
    later = await place.record_invoice([BilledLine(subtotal=2_500)], due_date="2026-06-30")
    paid = await place.record_invoice([BilledLine(subtotal=7_000)], due_date="2026-06-07")
    payment = {"amount_minor": 7_000, "currency": "EUR", "paid_on": "2026-03-02", "reason": "due"}
    await place.client.create(f"/v1/vendor-invoices/{paid}:pay", payment)
    assert (await place.client.got("/v1/exposure"))["vendor_invoices"] == [
        {"due_date": "2026-06-07", "currency": "EUR", "total_minor": 18_080},
        {"due_date": "2026-06-30", "currency": "EUR", "total_minor": 2_500},
    ]
    assert (await place.client.got(f"/v1/accounts/{place.account_id}/exposure"))["vendor_invoices"] == [
        {"due_date": "2026-06-07", "currency": "EUR", "total_minor": 10_080}
    ]
    answer = await place.put(later, as_csv([BilledLine("vendor-9", subtotal=2_500)]))
    assert answer.status_code == 201, answer.text
    after = await place.client.got("/v1/exposure")
    assert [unpaid["total_minor"] for unpaid in after["vendor_invoices"]] == [18_080, 2_500]
