"""Services call each other in adapters only, where each call has its contract; and each rule bites."""

from pathlib import Path

import pytest

from shared.contracts.bank_knowledge import FreshBankKnowledge
from shared.contracts.invoice_balances import FreshInvoiceBalances, InvoiceBalancesQuestion
from tests.architecture.service_calls import UntypedCall, find_stray_clients, list_service_calls
from tests.architecture.source import ROOT, SERVICES

OPENING = """
from services.a.adapters.invoicing import InvoicingFacts


def open_facts(runtime):
    return InvoicingFacts(runtime.clients["invoicing"])
"""
ADAPTER = """
from shared.contracts.bank_knowledge import FreshBankKnowledge
from shared.contracts.invoice_balances import FreshInvoiceBalances, InvoiceBalancesQuestion


class InvoicingFacts:
    def __init__(self, client):
        self._client = client

    async def fetch_page(self, day, cursor) -> FreshBankKnowledge:
        after = "" if cursor is None else f"&after={cursor}"
        path = f"/v1/days/{day}?limit=1{after}"
        answer = await self._client.get(path)
        return parse_answer(FreshBankKnowledge, answer)

    async def fetch_balances(self, question: InvoiceBalancesQuestion) -> FreshInvoiceBalances:
        answer = await self._client.post("/v1/balances", serialize_request(question), key="1")
        return parse_answer(FreshInvoiceBalances, answer)

    async def reserve_amounts(self, question: InvoiceBalancesQuestion) -> None:
        await self._client.post("/v1/reservations", serialize_request(question))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_clients_of_services_are_used_in_adapters_only(service: str) -> None:
    assert find_stray_clients(ROOT / "services" / service) == []


def write_service(folder: Path, adapter: str = ADAPTER) -> Path:
    """Write a service that has one adapter."""
    (folder / "adapters").mkdir()
    (folder / "adapters/__init__.py").write_text(OPENING)
    (folder / "adapters/invoicing.py").write_text(adapter)
    return folder


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("use_cases.py", 'answer = await runtime.clients["invoicing"].get("/v1/invoices")'),
        ("use_cases.py", "clients = runtime.clients"),
        ("use_cases.py", 'client = ServiceClient("invoicing", url, tokens_dir)'),
        ("adapters/invoicing.py", 'InvoicingFacts(runtime.clients["invoicing"])'),
        ("adapters/__init__.py", 'client = runtime.clients["invoicing"]'),
        ("adapters/__init__.py", "InvoicingFacts(runtime.clients[name])"),
    ],
)
def test_a_client_elsewhere_is_seen(tmp_path: Path, module: str, text: str) -> None:
    service = write_service(tmp_path)
    assert find_stray_clients(service) == []
    (service / module).write_text(f"{text}\n")
    assert find_stray_clients(service) == [f"{module}:1"]


def test_calls_are_read_with_their_contracts(tmp_path: Path) -> None:
    page, balances, reserve = list_service_calls(write_service(tmp_path))
    assert (page.audience, page.operation, page.query) == ("invoicing", "GET /v1/days/{}", ("limit", "after"))
    assert (page.body, page.answer, page.has_key) == (None, FreshBankKnowledge, False)
    assert (balances.operation, balances.has_key) == ("POST /v1/balances", True)
    assert (balances.body, balances.answer) == (InvoiceBalancesQuestion, FreshInvoiceBalances)
    assert (reserve.body, reserve.answer) == (InvoiceBalancesQuestion, None)


@pytest.mark.parametrize(
    ("typed", "untyped"),
    [
        ("return parse_answer(FreshBankKnowledge, answer)", "return answer"),
        ("return parse_answer(FreshBankKnowledge, answer)", "return parse_answer(FreshInvoiceBalances, answer)"),
        ("class InvoicingFacts:", "class InvoicingFacts(CommonFacts):"),
        ("cursor) -> FreshBankKnowledge", "cursor) -> dict"),
        ("cursor) -> FreshBankKnowledge", "cursor)"),
        ("import FreshBankKnowledge", "import FreshBankKnowledge as Knowledge"),
        ("        await self._client.post", "        answer = await self._client.post"),
        ('"/v1/reservations", serialize_request(question)', '"/v1/reservations", {"amount_minor": 1}'),
        ("reserve_amounts(self, question: InvoiceBalancesQuestion)", "reserve_amounts(self, question)"),
        ("answer = await self._client.get(path)", "answer = await send(self._client, path)"),
        ("answer = await self._client.get(path)", "answer = [await self._client.get(path), self._client.get(path)]"),
    ],
)
def test_a_call_without_a_contract_is_seen(tmp_path: Path, typed: str, untyped: str) -> None:
    assert ADAPTER.count(typed) == 1
    service = write_service(tmp_path, ADAPTER.replace(typed, untyped))
    with pytest.raises(UntypedCall):
        list_service_calls(service)
