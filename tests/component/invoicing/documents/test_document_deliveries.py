"""Documents go out by mail exactly as their legal entity says: one delivery each, the same letter at each attempt."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.deliveries.repository import SEND_DOCUMENT
from services.invoicing.documents.use_cases import document_deliveries
from shared.events.escalation import MailBounced
from shared.process import intents
from shared.pure.bounces import compute_bounce_id
from tests.builders import Database, hear, invoice, running, work
from tests.component.billing_world import Billing
from tests.component.collections.test_collections import Hop, mailbox
from tests.component.documents_world import Papers, text


@pytest.fixture
async def papers(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Papers]:
    hop = Hop()
    async with (
        mailbox(hop) as port,
        running("invoicing", database, keys, jwks_file, smtp_port=port) as (runtime, client),
    ):
        yield Papers(runtime, client, database, hop)


async def intents_of(papers: Papers) -> list[tuple[Any, ...]]:
    rows = await papers.database.rows("SELECT id, state, attempts FROM invoicing.intents ORDER BY id")
    return [tuple(row) for row in rows]


async def events(papers: Papers, kind: str) -> list[str]:
    rows = await papers.database.rows("SELECT data FROM invoicing.outbox WHERE type LIKE $1", f"%.{kind}.%")
    return [row["data"] for row in rows]


async def issue_invoice(papers: Papers, owner: str, amount: int = 10_000) -> str:
    return str((await papers.client.create("/v1/invoices", invoice(owner, amount)))["id"])


def get_id(letter: Any) -> str:
    """Get the id of the delivery from a letter's Message-ID."""
    return str(letter["message-id"])[1:37]


def make_bounce(letter: Any, **more: Any) -> MailBounced:
    """Make the event by which escalation announces that a letter came back."""
    secret = str(letter["message-id"])[38:70]
    return MailBounced(**{"message_id": compute_bounce_id(secret), "permanent": True, "code": "5.1.1"} | more)


async def test_an_invoice_and_a_credit_note_are_sent_with_their_pdf(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account(language="de", terms_days=14)
    invoice_id = await issue_invoice(papers, owner)
    assert (await papers.client.got(f"/v1/invoices/{invoice_id}/delivery"))["state"] == "pending"
    note = await papers.credit(owner, invoice_id, 500)
    await work(papers.runtime)
    delivery = await papers.client.got(f"/v1/invoices/{invoice_id}/delivery")
    assert (delivery["id"], delivery["state"]) == (invoice_id, "sent")
    letters = {get_id(letter): letter for letter in papers.letters()}
    assert set(letters) == {invoice_id, note}
    letter = letters[invoice_id]
    assert letter["to"] == "billing@account-17.example"
    assert letter["subject"] == "Rechnung GS-DE-00000001 von Goodstanding GmbH"
    body = letter.get_body()
    assert body is not None
    assert "fällig am 16.03.2026" in body.get_content()
    (pdf,) = letter.iter_attachments()
    assert pdf.get_filename() == "GS-DE-00000001.pdf"
    assert "Rechnung GS-DE-00000001" in text(pdf.get_content())
    sent = await events(papers, "DocumentSent")
    assert len(sent) == 2
    assert not any("account-17" in payload or "Account 17" in payload for payload in sent)
    await work(papers.runtime)
    assert len(papers.hop.taken) == 2


async def test_a_bill_run_wants_one_delivery_for_each_invoice_and_a_draft_none(papers: Papers) -> None:
    await papers.seller()
    billing = Billing(papers.runtime, papers.client, papers.database)
    await billing.rate()
    plan = await billing.plan()
    owners = [await billing.account() for _ in range(3)]
    for owner in owners:
        await billing.buy(plan, owner, start="2026-03-02")
    run = await billing.run(at_once=False)
    assert await intents_of(papers) == []
    await papers.client.create(f"/v1/bill-runs/{run['id']}:discard", {"reason": "too early"})
    await billing.finish_run(run["id"])
    assert await intents_of(papers) == []
    await billing.run()
    numbers = await papers.database.rows("SELECT id FROM invoicing.invoices ORDER BY id")
    assert len(numbers) == 3
    assert [intent[0] for intent in await intents_of(papers)] == [row["id"] for row in numbers]
    await work(papers.runtime)
    assert {get_id(letter) for letter in papers.letters()} == {str(row["id"]) for row in numbers}


async def test_who_sends_no_documents_wants_none(papers: Papers) -> None:
    owner = await papers.account()
    await issue_invoice(papers, owner)
    await papers.seller(sends_documents=False)
    invoice_id = await issue_invoice(papers, owner)
    assert await intents_of(papers) == []
    assert (await papers.client.get(f"/v1/invoices/{invoice_id}/delivery")).status_code == 404
    again = await papers.client.create(f"/v1/invoices/{invoice_id}/delivery:resend", {"reason": "asked for"})
    assert (again["state"], again["requested_by"], again["reason"]) == ("pending", "operator", "asked for")
    twice = await papers.client.post(f"/v1/invoices/{invoice_id}/delivery:resend", {"reason": "asked for"})
    assert twice.json()["code"] == "delivery_pending"
    await work(papers.runtime)
    assert [get_id(letter) for letter in papers.letters()] == [again["id"]]


async def test_an_attempt_cut_off_between_hop_and_record_is_repeated_as_the_same_letter(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account()
    invoice_id = await issue_invoice(papers, owner)
    (claimed,) = await papers.runtime.units.run(lambda unit: intents.claim_intents(unit, 10))
    kind = next(kind for kind in papers.runtime.service.intents if kind.name == SEND_DOCUMENT)
    assert await kind.perform(papers.runtime, claimed) is None  # the hop has it, and the process dies here
    await papers.database.move(days=3)
    await papers.pay(owner, 4_000)
    await papers.seller('"1"', name="Another GmbH")
    await papers.database.execute("UPDATE invoicing.intents SET leased_until = '2000-01-01'")
    await work(papers.runtime)
    first, second = papers.letters()
    assert first["message-id"] == second["message-id"]
    assert get_id(first) == invoice_id
    assert first["date"] == second["date"]
    texts = [text(next(letter.iter_attachments()).get_content()) for letter in (first, second)]
    assert texts[0] == texts[1]
    assert "€100.00" in texts[0]
    assert "€60.00" not in texts[0]
    assert len(await events(papers, "DocumentSent")) == 1
    assert first.get_boundary() == second.get_boundary()


async def test_a_hop_that_is_away_is_asked_later_and_one_that_refuses_is_recorded(papers: Papers) -> None:
    await papers.seller()
    invoice_id = await issue_invoice(papers, await papers.account())
    papers.hop.answer = "451 try again"
    await work(papers.runtime)
    assert (await papers.client.got(f"/v1/invoices/{invoice_id}/delivery"))["state"] == "pending"
    papers.hop.answer = "550 no such mailbox"
    await papers.database.move(minutes=2)
    await work(papers.runtime)
    failed = await papers.client.got(f"/v1/invoices/{invoice_id}/delivery")
    assert (failed["state"], failed["failure"]) == ("failed", "550 refused by the next mail hop")
    assert len(await events(papers, "DocumentFailed")) == 1
    papers.hop.answer = "250 taken"
    await papers.client.create(f"/v1/invoices/{invoice_id}/delivery:resend", {"reason": "address mended"})
    await work(papers.runtime)
    assert (await papers.client.got(f"/v1/invoices/{invoice_id}/delivery"))["state"] == "sent"
    assert len(papers.hop.taken) == 1


async def test_a_worker_that_dies_amid_a_document_leaves_the_intent_for_later(papers: Papers) -> None:
    await papers.seller()
    invoice_id = await issue_invoice(papers, await papers.account())
    printer = papers.runtime.printer
    printer._command = ("-c", "import os; os._exit(9)")
    await work(papers.runtime)
    assert [state for _, state, _ in await intents_of(papers)] == ["pending"]
    assert papers.hop.taken == []
    due = await papers.database.value("SELECT due_at FROM invoicing.intents")
    assert due > papers.database.now
    printer._command = ("-m", "shared.outside.printing.worker")
    await papers.database.move(due)
    await work(papers.runtime)
    assert (await papers.client.got(f"/v1/invoices/{invoice_id}/delivery"))["state"] == "sent"


async def test_a_printer_that_is_busy_for_too_long_leaves_the_intent_for_later(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await papers.seller()
    await issue_invoice(papers, await papers.account())
    monkeypatch.setattr(document_deliveries, "PRINTED_WITHIN", timedelta(seconds=0.2))
    papers.runtime.printer._command = ("-c", "import time; time.sleep(600)")
    await work(papers.runtime)
    last = await papers.database.value("SELECT last_error FROM invoicing.intents WHERE state = 'pending'")
    assert last == "the printer is busy"
    assert document_deliveries.PRINTED_WITHIN < intents.LEASE


async def test_an_invoice_is_not_sent_before_it_is_known_who_it_is_from(papers: Papers) -> None:
    owner = await papers.account()
    invoice_id = await issue_invoice(papers, owner)
    await papers.client.create(f"/v1/invoices/{invoice_id}/delivery:resend", {"reason": "first time"})
    await work(papers.runtime)
    assert papers.hop.taken == []
    last = await papers.database.value("SELECT last_error FROM invoicing.intents")
    assert last == "nothing is known of the legal entity GS-DE"
    await papers.seller()
    await papers.database.move(minutes=2)
    await work(papers.runtime)
    assert len(papers.hop.taken) == 1


@pytest.mark.parametrize("address", ["a@[", "a;b@c.example"])
async def test_an_invoice_to_an_address_that_cannot_be_written_to_fails_at_once(papers: Papers, address: str) -> None:
    await papers.seller()
    owner = await papers.account()
    await papers.database.execute("UPDATE invoicing.accounts SET billing_email = $1", address)
    invoice_id = await issue_invoice(papers, owner)
    await work(papers.runtime)
    failed = await papers.client.got(f"/v1/invoices/{invoice_id}/delivery")
    assert (failed["state"], failed["failure"]) == ("failed", "553 the address is none that can be written to")
    assert [state for _, state, _ in await intents_of(papers)] == ["done"]
    assert len(await events(papers, "DocumentFailed")) == 1
    assert papers.hop.taken == []


async def test_an_invoice_that_is_put_off_for_days_fails(papers: Papers) -> None:
    await papers.seller()
    invoice_id = await issue_invoice(papers, await papers.account())
    papers.hop.recipient_answer = "450 greylisted"
    await work(papers.runtime)
    await papers.database.move(days=4)
    await work(papers.runtime)
    failed = await papers.client.got(f"/v1/invoices/{invoice_id}/delivery")
    assert (failed["state"], failed["failure"]) == ("failed", "450 put off by the next mail hop for 4 days")


async def test_a_document_that_comes_back_has_failed(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account()
    invoice_id = await issue_invoice(papers, owner)
    await work(papers.runtime)
    (letter,) = papers.letters()
    assert papers.hop.senders == [f"support+bounce-{str(letter['message-id'])[38:70]}@reseller.example"]
    for harmless in (make_bounce(letter, message_id=invoice_id), make_bounce(letter, message_id=uuid4())):
        await hear(papers.runtime, harmless)
    await hear(papers.runtime, make_bounce(letter, permanent=False))
    assert (await papers.client.got(f"/v1/invoices/{invoice_id}/delivery"))["state"] == "sent"
    for _ in range(2):
        await hear(papers.runtime, make_bounce(letter))
    delivery = await papers.client.got(f"/v1/invoices/{invoice_id}/delivery")
    assert (delivery["state"], delivery["delivered_at"]) == ("failed", None)
    assert delivery["failure"] == "5.1.1 came back after the next mail hop took it"
    (failed,) = await events(papers, "DocumentFailed")
    assert '"cause":"5.1.1"' in failed
    assert "@" not in failed
    other = await issue_invoice(papers, owner)
    (claimed,) = await papers.runtime.units.run(lambda unit: intents.claim_intents(unit, 10))
    kind = next(kind for kind in papers.runtime.service.intents if kind.name == SEND_DOCUMENT)
    assert await kind.perform(papers.runtime, claimed) is None
    await hear(papers.runtime, make_bounce(papers.letters()[1]))  # before it is recorded that the hop took it
    await papers.database.execute("UPDATE invoicing.intents SET leased_until = '2000-01-01'")
    await work(papers.runtime)
    assert (await papers.client.got(f"/v1/invoices/{other}/delivery"))["state"] == "failed"
    assert (len(papers.hop.taken), len(await events(papers, "DocumentSent"))) == (2, 1)
