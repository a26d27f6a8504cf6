"""Requests of collections to invoicing are these, to the letter."""

from uuid import UUID

from services.collections.adapters.invoicing import InvoicingFacts
from shared.contracts.invoice_balances import InvoiceBalancesQuestion
from shared.contracts.notice_facts import NoticeFactsIn
from tests.unit.service_requests import record_request

ACCOUNT, INVOICE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


async def test_questions_of_an_account() -> None:
    exposure = await record_request(InvoicingFacts, lambda facts: facts.fetch_vendor_exposure(ACCOUNT))
    assert exposure == (f"GET /v1/accounts/{ACCOUNT}/exposure", "", None)
    knowledge = await record_request(InvoicingFacts, lambda facts: facts.fetch_bank_knowledge(ACCOUNT))
    assert knowledge == (f"GET /v1/accounts/{ACCOUNT}/bank-knowledge", "", None)


async def test_balances_and_facts_of_a_notice_are_asked_for_in_bulk() -> None:
    question = InvoiceBalancesQuestion(invoice_ids=[OTHER, INVOICE])
    balances = await record_request(InvoicingFacts, lambda facts: facts.fetch_invoice_balances(question))
    assert balances == ("POST /v1/balances:batch", f'{{"invoice_ids": ["{OTHER}", "{INVOICE}"]}}', None)
    wanted = NoticeFactsIn(invoice_ids=[INVOICE], subscription_ids=[OTHER])
    notice = await record_request(InvoicingFacts, lambda facts: facts.fetch_notice_facts(ACCOUNT, wanted))
    body = f'{{"invoice_ids": ["{INVOICE}"], "subscription_ids": ["{OTHER}"]}}'
    assert notice == (f"POST /v1/accounts/{ACCOUNT}/notice-facts", body, None)
