"""Contents of documents: usage with its meter and quantity, and the footer in the language of the document."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.pure.languages import LANGUAGES
from tests.builders import Database, invoice, running
from tests.component.billing_world import Billing
from tests.component.collections.test_collections import Hop
from tests.component.documents_world import Papers


@pytest.fixture
async def papers(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Papers]:
    async with running("invoicing", database, keys, jwks_file, public_url="https://pay.example") as (runtime, client):
        yield Papers(runtime, client, database, Hop())


async def test_usage_is_named_by_its_meter_with_the_quantity_of_all_its_lines(papers: Papers) -> None:
    """12.50 and 0.25 hours at 2 EUR: 25.50 EUR net, 30.35 with 19 %; the set-up of a year stretches no period."""
    await papers.seller()
    billing = Billing(papers.runtime, papers.client, papers.database)
    await billing.rate()
    owner = await billing.account()
    prices = {"EUR": {"unit_price_minor": 1008, "setup_minor": 500}}
    bought = await billing.buy(await billing.plan(prices=prices), owner)
    usage = {"subscription_id": bought, "meter": "hours", "period_from": "2026-01-01", "period_to": "2026-02-01"}
    lines = [
        usage | {"id": str(number), "quantity": quantity, "unit_cost": "2"}
        for number, quantity in enumerate(["12.50", "0.25"])
    ]
    await papers.client.create("/v1/usage-lines", {"source": "meters", "currency": "EUR", "lines": lines})
    await billing.run()
    issued = str(await papers.database.value("SELECT id FROM invoicing.invoices"))
    page = (await papers.document(f"invoices/{issued}")).text
    assert "Business Premium, usage: hours<br>" in page
    assert '<td class="n">12.75</td>\n<td class="n"></td>' in page
    assert '<td class="n">10</td>\n<td class="n">€10.08</td>' in page
    assert "<dt>Period of supply</dt><dd>Mar 2, 2026 – Apr 1, 2026</dd>" in page
    line = await papers.database.value("SELECT line FROM invoicing.invoice_lines WHERE net_minor = 2550")
    note = await papers.credit(owner, issued, 100, line=int(str(line)))
    credited = (await papers.document(f"credit-notes/{note}")).text
    assert "Business Premium, usage: hours<br>" in credited
    assert "Quantity" not in credited


async def test_the_footer_is_in_the_language_of_the_document(papers: Papers) -> None:
    await papers.seller(footers={"de": "Geschäftsführung: A. Person"})
    footers = {"de-AT": "Geschäftsführung: A. Person", "fr": "Managing director: A. Person"}
    for language, footer in footers.items():
        owner = await papers.account(language=language)
        issued = (await papers.client.create("/v1/invoices", invoice(owner)))["id"]
        assert f"<footer>{footer}</footer>" in (await papers.document(f"invoices/{issued}")).text
    shown = (await papers.client.got("/v1/legal-entities/GS-DE"))["footers"]
    assert shown == dict.fromkeys(LANGUAGES) | {"de": "Geschäftsführung: A. Person"}


async def test_who_has_paid_all_is_not_asked_to_pay(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account()
    issued = (await papers.client.create("/v1/invoices", invoice(owner, 10_000)))["id"]
    await papers.pay(owner, 9_999)
    assert "Please pay to" in (await papers.document(f"invoices/{issued}")).text
    await papers.pay(owner, 1)
    paid = (await papers.document(f"invoices/{issued}")).text
    assert "Please pay to" not in paid
    assert "€0.00" in paid
