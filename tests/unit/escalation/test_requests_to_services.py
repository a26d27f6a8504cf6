"""Requests of escalation to invoicing and collections are these, to the letter: invoicing knows a repeat by them."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.escalation.adapters.collections import CollectionsItems
from services.escalation.adapters.invoicing import InvoicingRecords
from services.escalation.use_cases import upholding
from shared.contracts.dispute_reservations import (
    CreditAuthorisation,
    DisputeReservationAmendment,
    DisputeReservationRequest,
    ReservedAmount,
)
from shared.contracts.notice_facts import NoticeFactsIn
from tests.unit.service_requests import record_request

SUBJECT, OTHER = UUID(int=1), UUID(int=2)
LINES = [ReservedAmount(line=1, amount_minor=700), ReservedAmount(line=2, amount_minor=300)]
WRITTEN = '[{"line": 1, "amount_minor": 700}, {"line": 2, "amount_minor": 300}]'
DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda records: records.fetch_account_zone(SUBJECT), f"accounts/{SUBJECT}"),
        (lambda records: records.fetch_addressee(SUBJECT, "billing"), f"accounts/{SUBJECT}/addressee?role=billing"),
        (lambda records: records.fetch_contact_person(SUBJECT, OTHER), f"accounts/{SUBJECT}/contact-persons/{OTHER}"),
        (
            lambda records: records.fetch_contact_page(SUBJECT, DAY, None),
            f"accounts/{SUBJECT}/contact-persons?valid_on=2026-03-02&limit=200",
        ),
        (
            lambda records: records.fetch_contact_page(SUBJECT, DAY, "abc"),
            f"accounts/{SUBJECT}/contact-persons?valid_on=2026-03-02&limit=200&after=abc",
        ),
        (lambda records: records.fetch_issue_date(SUBJECT), f"invoices/{SUBJECT}"),
        (lambda records: records.fetch_line_totals(SUBJECT), f"invoices/{SUBJECT}"),
        (lambda records: records.fetch_disputable_balance(SUBJECT), f"invoices/{SUBJECT}/balance"),
        (lambda records: records.fetch_credited_total(SUBJECT), f"credit-notes/{SUBJECT}"),
        (lambda records: records.fetch_contestable_invoice(SUBJECT), f"vendor-invoices/{SUBJECT}"),
        (lambda records: records.fetch_contestable_difference(SUBJECT), f"vendor-differences/{SUBJECT}"),
        (lambda records: records.fetch_compared_line(SUBJECT), f"vendor-differences/{SUBJECT}"),
    ],
)
async def test_questions_to_invoicing(call: Callable[[Any], Awaitable[Any]], path: str) -> None:
    assert await record_request(InvoicingRecords, call) == (f"GET /v1/{path}", "", None)


async def test_the_question_to_collections() -> None:
    request = await record_request(CollectionsItems, lambda items: items.fetch_dunning_item(SUBJECT))
    assert request == (f"GET /v1/items/{SUBJECT}", "", None)


async def test_facts_of_a_mail_are_asked_for() -> None:
    question = NoticeFactsIn(invoice_ids=[OTHER], subscription_ids=[])
    request = await record_request(InvoicingRecords, lambda records: records.fetch_letter_facts(SUBJECT, question))
    body = f'{{"invoice_ids": ["{OTHER}"], "subscription_ids": []}}'
    assert request == (f"POST /v1/accounts/{SUBJECT}/notice-facts", body, None)


async def test_reservations_have_a_key_and_their_fields_in_order() -> None:
    reservation = DisputeReservationRequest(dispute_id=SUBJECT, invoice_id=OTHER, lines=LINES)
    request = await record_request(InvoicingRecords, lambda records: records.request_reservation(reservation, "key"))
    body = f'{{"dispute_id": "{SUBJECT}", "invoice_id": "{OTHER}", "lines": {WRITTEN}}}'
    assert request == ("POST /v1/reservations", body, "key")
    amendment = DisputeReservationAmendment(amendment=3, lines=LINES)
    request = await record_request(
        InvoicingRecords, lambda records: records.request_reservation_amendment(SUBJECT, amendment, "key")
    )
    assert request == (f"POST /v1/reservations/{SUBJECT}:amend", f'{{"amendment": 3, "lines": {WRITTEN}}}', "key")


@pytest.mark.parametrize("approved", [None, LINES[:1]])
async def test_an_authorisation_has_a_key_by_all_that_is_asked(approved: list[ReservedAmount] | None) -> None:
    asked: dict[str, Any] = {} if approved is None else {"approved": approved}
    question = CreditAuthorisation(actor="ann", roles=["clerk"], outcome="declined", lines=LINES, **asked)
    body: dict[str, Any] = {"actor": "ann", "roles": ["clerk"], "outcome": "declined", "lines": json.loads(WRITTEN)}
    if approved:
        body["approved"] = [{"line": 1, "amount_minor": 700}]
    request = await record_request(InvoicingRecords, lambda records: records.authorise_credit(SUBJECT, question, "key"))
    assert request == (f"POST /v1/reservations/{SUBJECT}:authorise", json.dumps(body), "key")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert upholding._build_key(SUBJECT, question) == f"{SUBJECT}:{digest}"
