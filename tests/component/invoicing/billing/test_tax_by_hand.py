"""Invoices by hand contain the tax of the rates in force on their date, in every place that states it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, invoice, running
from tests.component.billing_world import Billing
from tests.component.collections.test_collections import Hop
from tests.component.documents_world import SELLER, Papers, text
from tests.component.relief_requests import build_credit, set_limit

NOTES = {
    "en": "For lines without a VAT rate none was set on the date of the invoice; they contain no VAT.",
    "de": "Für Positionen ohne Steuersatz war am Rechnungsdatum keiner festgelegt; sie enthalten keine Umsatzsteuer.",
    "fr": "Pour les lignes sans taux de TVA, aucun n&#39;était fixé à la date de la facture ; elles ne contiennent pas "
    "de TVA.",
    "ru": "Для строк без ставки НДС на дату счёта ставка не была установлена; НДС в них не входит.",
}


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing in which Germany has 19 % on what is standard and 7 % on what is reduced."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        world = Billing(runtime, client, database)
        await world.rate()
        await world.rate(700, tax_class="reduced")
        yield world


async def issue(billing: Billing, owner: str, *lines: tuple[int, str | None], **more: Any) -> dict[str, Any]:
    """Issue an invoice with lines of these gross amounts and classes; the invoice as it is read."""
    body = invoice(owner, *(amount for amount, _ in lines), **more)
    for line, (_, tax_class) in zip(body["lines"], lines, strict=True):
        if tax_class is not None:
            line["tax_class"] = tax_class
    issued = await billing.client.create("/v1/invoices", body)
    return await billing.client.got(f"/v1/invoices/{issued['id']}")


def list_taxes(issued: dict[str, Any]) -> list[tuple[Any, ...]]:
    """List net, tax, rate and gross of each line."""
    names = ("net_minor", "tax_minor", "tax_rate_bp", "amount_minor")
    return [tuple(line[name] for name in names) for line in issued["lines"]]


async def test_tax_is_taken_out_of_the_amounts_by_rate(billing: Billing) -> None:
    """Two lines of 50.00 contain 15.97 at 19 % together, of which the first has 7.98; 10.70 contain 0.70 at 7 %."""
    owner = await billing.account()
    issued = await issue(billing, owner, (5_000, None), (1_070, "reduced"), (5_000, "standard"))
    assert list_taxes(issued) == [(4_202, 798, 1900, 5_000), (1_000, 70, 700, 1_070), (4_201, 799, 1900, 5_000)]
    assert (issued["total_minor"], issued["net_minor"], issued["tax_minor"], issued["open_minor"]) == (
        11_070,
        9_403,
        1_667,
        11_070,
    )
    assert [line["tax_class"] for line in issued["lines"]] == ["standard", "reduced", "standard"]
    assert await billing.trial_balance() == {
        ("receivables", "EUR"): 11_070,
        ("tax", "EUR"): -1_667,
        ("revenue", "EUR"): -9_403,
    }
    balance = await billing.client.got(f"/v1/invoices/{issued['id']}/balance")
    assert (balance["total_minor"], balance["open_minor"]) == (11_070, 11_070)
    exposure = await billing.client.got(f"/v1/accounts/{owner}/exposure")
    assert [sums["billed_minor"] for sums in exposure["billed"]] == [9_403]
    explained = await billing.client.got(f"/v1/invoices/{issued['id']}/lines/1/explanation")
    assert explained["arithmetic"] == "posted as €50.00, of which tax of 19.00 % €7.98"
    assert explained["tax_calculator"] == "rates"


async def test_the_event_states_gross_amounts(billing: Billing) -> None:
    owner = await billing.account()
    await issue(billing, owner, (11_900, None))
    query = "SELECT data::jsonb FROM invoicing.outbox WHERE type LIKE '%.InvoiceIssued.v1'"
    balance = orjson.loads(await billing.database.value(query))["balance"]
    assert (balance["total_minor"], balance["open_minor"], balance["lines"][0]["open_minor"]) == (11_900,) * 3


async def test_the_rate_is_that_of_the_issue_date(billing: Billing) -> None:
    """The rate rises to 25 % on 2 March: 125.00 contain 25.00 from then on, and 19.96 the day before."""
    await billing.rate(2500, valid_from="2026-03-02")
    owner = await billing.account()
    dates = {"issue_date": "2026-03-01", "due_date": "2026-04-01"}
    assert list_taxes(await issue(billing, owner, (12_500, None), **dates)) == [(10_504, 1_996, 1900, 12_500)]
    assert list_taxes(await issue(billing, owner, (12_500, None))) == [(10_000, 2_500, 2500, 12_500)]


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ({"tax_status": "exempt"}, (11_900, 0, 0, 11_900)),
        ({"tax_status": "reverse_charge", "country": "AT", "tax_id": "ATU12345678"}, (11_900, 0, 0, 11_900)),
        ({"country": "FR"}, (11_900, 0, None, 11_900)),
        ({"country": None}, (11_900, 0, None, 11_900)),
        ({"legal_entity": "GS-FR"}, (11_900, 0, None, 11_900)),
    ],
)
async def test_who_is_not_taxed_or_has_no_rate_has_no_tax(
    billing: Billing, profile: dict[str, Any], line: tuple[Any, ...]
) -> None:
    issued = await issue(billing, await billing.account(**profile), (11_900, None))
    assert list_taxes(issued) == [line]
    assert await billing.trial_balance() == {("receivables", "EUR"): 11_900, ("revenue", "EUR"): -11_900}


async def test_a_credit_note_takes_its_part_of_the_tax_back(billing: Billing) -> None:
    """119.00 contain 19.00; of the first 40.00 credited 6.386… is tax, which is cut off, and of all the whole."""
    await set_limit(billing.client, 100_000)
    issued = await issue(billing, await billing.account(), (11_900, None))
    for amount_minor, tax in ((4_000, -1_262), (7_900, 0)):
        await billing.client.create("/v1/credit-notes", build_credit(issued["id"], (1, amount_minor)))
        assert (await billing.trial_balance())["tax", "EUR"] == tax


async def test_an_entity_whose_tax_is_said_from_outside_is_refused_and_takes_no_number(billing: Billing) -> None:
    entity = SELLER | {"country": "DE", "tax_calculator": "outside", "sends_documents": False}
    client = billing.client
    assert (await client.http.put("/v1/legal-entities/GS-OUT", json=entity, headers=client.headers)).status_code == 200
    answer = await client.post("/v1/invoices", invoice(await billing.account(legal_entity="GS-OUT")))
    assert (answer.status_code, answer.json()["code"]) == (409, "taxed_outside")
    assert await billing.database.value("SELECT count(*) FROM invoicing.numbers") == 0


@pytest.fixture
async def papers(billing: Billing) -> Papers:
    """Documents of a legal entity in that service, which are not sent."""
    world = Papers(billing.runtime, billing.client, billing.database, Hop())
    await world.seller(sends_documents=False)
    return world


@pytest.mark.parametrize("language", NOTES)
async def test_a_document_says_why_a_line_has_no_tax(billing: Billing, papers: Papers, language: str) -> None:
    owner = await billing.account(country="FR", language=language)
    issued = await issue(billing, owner, (5_000, None))
    note = await papers.credit(owner, issued["id"], 700)
    for path in (f"invoices/{issued['id']}", f"credit-notes/{note}"):
        assert f"<p>{NOTES[language]}</p>" in (await papers.document(path)).text


async def test_a_document_shows_net_tax_and_gross(billing: Billing, papers: Papers) -> None:
    """95.20 contain 15.20 at 19 %; for the class of the other line nothing is set there."""
    await billing.rate(550, country="FR", tax_class="books")
    issued = await issue(billing, await billing.account(), (9_520, None), (500, "books"))
    page = (await papers.document(f"invoices/{issued['id']}", "application/pdf")).content
    for words in ("19% €80.00", "Total net €85.00", "VAT 19% on €80.00 €15.20", "Total €100.20", NOTES["en"]):
        assert words in text(page), text(page)


async def test_a_document_of_lines_with_rates_or_of_no_class_says_nothing_of_missing_ones(
    billing: Billing, papers: Papers
) -> None:
    """A line without a class is one that was issued when lines had none."""
    taxed = await issue(billing, await billing.account(), (11_900, None))
    exempt = await issue(billing, await billing.account(tax_status="exempt"), (11_900, None))
    old = await issue(billing, await billing.account(country="FR"), (11_900, None))
    await billing.database.execute(
        "UPDATE invoicing.invoice_lines SET tax_class = NULL WHERE invoice_id = $1", UUID(old["id"])
    )
    for issued in (taxed, exempt, old):
        assert NOTES["en"] not in (await papers.document(f"invoices/{issued['id']}")).text
