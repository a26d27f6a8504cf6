"""Invoicing, as collections asks it."""

from uuid import UUID

from shared.contracts.bank_knowledge import FreshBankKnowledge
from shared.contracts.invoice_balances import FreshInvoiceBalances, InvoiceBalancesQuestion
from shared.contracts.notice_facts import NoticeFacts, NoticeFactsIn
from shared.contracts.vendor_exposures import VendorExposure
from shared.web.clients import ServiceClient, parse_answer, serialize_request


class InvoicingFacts:
    """Answers of invoicing about accounts and invoices. Every call raises RetryLater, RefusedByService."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def fetch_vendor_exposure(self, account_id: UUID) -> VendorExposure:
        """Ask for the debt to the vendor for an account."""
        answer = await self._client.get(f"/v1/accounts/{account_id}/exposure")
        return parse_answer(VendorExposure, answer)

    async def fetch_bank_knowledge(self, account_id: UUID) -> FreshBankKnowledge:
        """Ask how much is known of an account's receipts."""
        answer = await self._client.get(f"/v1/accounts/{account_id}/bank-knowledge")
        return parse_answer(FreshBankKnowledge, answer)

    async def fetch_invoice_balances(self, question: InvoiceBalancesQuestion) -> FreshInvoiceBalances:
        """Ask for the balances of invoices."""
        answer = await self._client.post("/v1/balances:batch", serialize_request(question))
        return parse_answer(FreshInvoiceBalances, answer)

    async def fetch_notice_facts(self, account_id: UUID, question: NoticeFactsIn) -> NoticeFacts:
        """Ask what a notice to an account states."""
        answer = await self._client.post(f"/v1/accounts/{account_id}/notice-facts", serialize_request(question))
        return parse_answer(NoticeFacts, answer)
