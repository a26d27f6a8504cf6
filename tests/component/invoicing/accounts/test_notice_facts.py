"""Invoicing says what a notice to a customer states, and writes its own mails as the legal entity wants."""

from typing import Any
from uuid import uuid4

from tests.builders import Client, invoice, work
from tests.component.billing_world import Billing
from tests.component.documents_world import Papers
from tests.component.invoicing.documents import test_document_deliveries

papers = test_document_deliveries.papers
ENTITY = {
    "mail_from": "billing@goodstanding.example",
    "reply_to": "questions@goodstanding.example",
    "signature": "Anna Weber",
    "language": "de",
}


async def ask(client: Client, owner: str, invoice_ids: list[str], subscription_ids: list[str]) -> dict[str, Any]:
    body = {"invoice_ids": invoice_ids, "subscription_ids": subscription_ids}
    answer = await client.http.post(f"/v1/accounts/{owner}/notice-facts", json=body, headers=client.headers)
    assert answer.status_code == 200
    facts: dict[str, Any] = answer.json()
    return facts


async def test_what_a_notice_states_comes_in_one_answer(papers: Papers) -> None:
    """The bill run's invoice is for a cycle in advance; the one by hand has a line without a charge."""
    await papers.seller(**ENTITY)
    billing = Billing(papers.runtime, papers.client, papers.database)
    await billing.rate()
    owner, other = await billing.account(language="fr"), await billing.account()
    bought = await billing.buy(await billing.plan(), owner, start="2026-03-02")
    await billing.run()
    by_run = str(await papers.database.value("SELECT id FROM invoicing.invoices"))
    by_hand = str((await papers.client.create("/v1/invoices", invoice(owner, 5000)))["id"])
    foreign = str((await papers.client.create("/v1/invoices", invoice(other, 5000)))["id"])
    facts = await ask(papers.client, owner, [by_hand, foreign, by_run, str(uuid4())], [bought, str(uuid4())])
    seller = {"name": "Goodstanding GmbH", "bank_name": "Sparkasse Berlin", "iban": "DE02120300000000202051"}
    assert facts["seller"] == seller | {"bic": "BYLADEM1001"} | ENTITY
    assert (facts["language"], facts["billing_email"]) == ("fr", "billing@account-17.example")
    product = await papers.database.value("SELECT product FROM invoicing.subscriptions")
    assert facts["subscriptions"] == [{"subscription_id": bought, "product": product}]
    first, second = facts["invoices"]
    assert (first["invoice_id"], first["number"]) == (by_run, "GS-DE-00000001")
    supply = {"text": product, "period_from": "2026-03-02", "period_to": "2026-04-02"}
    assert first["supplies"] == [supply]
    assert (second["invoice_id"], second["total_minor"], second["currency"]) == (by_hand, 5000, "EUR")
    assert [(supply["period_from"], supply["period_to"]) for supply in second["supplies"]] == [(None, None)]
    assert second["payment_reference"] == "RF77GSDE00000002"


async def test_nothing_is_known_of_the_seller_and_an_account_must_exist(papers: Papers) -> None:
    owner = await papers.account()
    assert (await ask(papers.client, owner, [], []))["seller"] is None
    body: dict[str, list[str]] = {"invoice_ids": [], "subscription_ids": []}
    path = f"/v1/accounts/{uuid4()}/notice-facts"
    missing = await papers.client.http.post(path, json=body, headers=papers.client.headers)
    assert missing.status_code == 404


async def test_documents_come_from_the_legal_entitys_own_address_too(papers: Papers) -> None:
    await papers.seller(**ENTITY)
    owner = await papers.account(language="de")
    await papers.client.create("/v1/invoices", invoice(owner, 10_000))
    await work(papers.runtime)
    (letter,) = papers.letters()
    assert letter["from"] == "Goodstanding GmbH <billing@goodstanding.example>"
    assert letter["reply-to"] == "questions@goodstanding.example"
    body = letter.get_body()
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text.endswith("Mit freundlichen Grüßen\nAnna Weber\nGoodstanding GmbH\n")


async def test_a_language_without_words_is_refused(papers: Papers) -> None:
    assert (await papers.seller(language="pt")).status_code == 422
    assert (await papers.seller(reply_to="no address")).status_code == 422
