"""Answers of other services are read by their contracts; one that cannot be read is no answer for now."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from shared.base.connections.tls import get_default_context
from shared.contracts.contact_persons import ContactPersonPage, LetterAddressee
from shared.contracts.dispute_reservations import CreditAuthorisation, ReservedAmount
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService, ServiceClient, UnreadableAnswer, parse_answer, serialize_request

ADDRESSEE = {"name": "Ines Alpenrose", "email": "ines@alpenrose.example", "language": "de"}


def test_what_is_added_to_an_answer_disturbs_nobody() -> None:
    assert parse_answer(LetterAddressee, ADDRESSEE | {"phone": None}) == LetterAddressee(**ADDRESSEE)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"name": "Ines Alpenrose", "language": "de"}, "email (missing)"),
        (ADDRESSEE | {"email": None}, "email (string_type)"),
        (ADDRESSEE | {"email": ["ines@alpenrose.example"]}, "email (string_type)"),
        ([ADDRESSEE], "all (model_type)"),
        (None, "all (model_type)"),
    ],
)
def test_what_cannot_be_read_is_named_without_what_is_in_it(answer: object, fault: str) -> None:
    with capture_logs() as logs, pytest.raises(RetryLater) as caught:
        parse_answer(LetterAddressee, answer)
    assert str(caught.value) == f"the answer is no LetterAddressee: {fault}"
    logged = {"event": "an answer cannot be read", "contract": "LetterAddressee", "fields": fault}
    assert [log.items() >= logged.items() for log in logs] == [True]
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_of_many_faults_a_few_are_named() -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        parse_answer(ContactPersonPage, {"items": [{"id": "nobody"}] * 100, "next": None})
    assert str(caught.value).count("items.") == 5
    assert "items.0.id (uuid_parsing), items.0.email (missing)" in str(caught.value)


def test_what_was_not_set_is_not_sent() -> None:
    lines = [ReservedAmount(line=1, amount_minor=700)]
    question = CreditAuthorisation(actor="ann", roles=["clerk"], outcome="upheld", lines=lines)
    written: dict[str, Any] = {
        "actor": "ann",
        "roles": ["clerk"],
        "outcome": "upheld",
        "lines": [{"line": 1, "amount_minor": 700}],
    }
    assert list(serialize_request(question).items()) == list(written.items())
    approved = question.model_copy(update={"approved": lines})
    assert serialize_request(approved) == written | {"approved": written["lines"]}


@pytest.fixture
async def client(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[ServiceClient]:
    (tmp_path / "invoicing.jwt").write_text("token")
    status, content = request.param
    client = ServiceClient("invoicing", "http://invoicing", tmp_path)
    await client._http.aclose()
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, content=content))
    client._http = httpx2.AsyncClient(base_url="http://invoicing", transport=transport)
    yield client
    await client.close()


@pytest.mark.parametrize("client", [(200, b"<html>"), (200, b""), (404, b"<html>")], indirect=True)
async def test_what_is_no_json_is_no_answer_for_now(client: ServiceClient) -> None:
    with pytest.raises(UnreadableAnswer, match=r"invoicing answers \d+ without JSON"):
        await client.get("/v1/invoices/1")


@pytest.mark.parametrize("client", [(404, b'{"code":"not_found","detail":"no invoice"}')], indirect=True)
async def test_a_refusal_stays_one(client: ServiceClient) -> None:
    with pytest.raises(RefusedByService, match="404 not_found: no invoice"):
        await client.get("/v1/invoices/1")


def test_certificate_authorities_are_loaded_once_a_process() -> None:
    assert get_default_context() is get_default_context()
    assert get_default_context().verify_mode is ssl.CERT_REQUIRED
