"""Messages about the outcome of a dispute name the date of the next step, where collections can say it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.contracts.dunning_item import DunningItem, DunningNext
from shared.pure.errors import RetryLater
from tests.builders import Database, invoice
from tests.component.case_mails import REASON, MailDesk, opened_desk

NEXT = DunningNext(step="final_notice", at=datetime(2026, 4, 6, 7, tzinfo=UTC), on=date(2026, 4, 6))
SENTENCE = "Bleibt von der Rechnung etwas offen, folgt der nächste Schritt"


@dataclass
class Collections:
    """Collections, which answers the same of each invoice: its next step, or none."""

    account_id: UUID
    next: DunningNext | None
    is_away: bool = False

    async def get(self, path: str) -> Any:
        if self.is_away:
            raise RetryLater("collections is away")
        invoice_id = UUID(path.removeprefix("/v1/items/"))
        item = DunningItem(invoice_id=invoice_id, account_id=self.account_id, terms=None, next=self.next)
        return item.model_dump(mode="json")

    async def close(self) -> None:
        pass


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        yield opened


async def test_the_message_about_the_outcome_names_the_next_date_where_there_is_one(desk: MailDesk) -> None:
    collections = Collections(UUID(desk.account_id), NEXT)
    desk.runtime.clients._clients["collections"] = collections  # type: ignore[assignment]
    await desk.add_person()
    issued = await desk.invoicing.create("/v1/invoices", invoice(desk.account_id, 700))
    lines = [{"line": 1, "amount_minor": 700}]
    body = {"account_id": desk.account_id, "invoice_id": issued["id"], "currency": "EUR", "lines": lines}
    dispute = await desk.client.create("/v1/disputes", body)
    await desk.write(dispute["case_id"], "Wir prüfen es.")
    await desk.send()
    await desk.client.create(f"/v1/disputes/{dispute['id']}:reject", REASON)
    await desk.write(dispute["case_id"], "Die Rechnung stimmt.", about_outcome=True)
    await desk.send()
    collections.next = None
    await desk.write(dispute["case_id"], "Es ist bezahlt.", about_outcome=True)
    await desk.send()
    collections.is_away = True
    await desk.write(dispute["case_id"], "Niemand antwortet.", about_outcome=True)
    mails = await desk.send()
    texts = [mail.get_content().replace("\r\n", "\n") for mail in mails]
    number = (await desk.client.got(f"/v1/cases/{dispute['case_id']}"))["number"]
    assert {str(mail["Subject"]) for mail in mails} == {f"[Fall {number}] Ihr Einwand: Rechnung {issued['number']}"}
    assert len(texts) == 4
    assert [SENTENCE in text for text in texts] == [False, True, False, False]
    assert "Die Rechnung stimmt.\n\nBleibt" in texts[1]
    assert "frühestens am 06.04.2026." in texts[1]


async def test_no_subject_of_ours_reaches_the_customer_until_a_person_gave_another(desk: MailDesk) -> None:
    credit = {"account_id": desk.account_id, "type_code": "duplicate_order", "counts_since": "2026-03-02"}
    opened = await desk.client.create("/v1/service-credits", credit | {"currency": "EUR", "expected_minor": 100})
    path = f"/v1/cases/{opened['case_id']}"
    case = await desk.client.get(path)
    assert case.json()["subject"].startswith("service credit: ")
    await desk.write(opened["case_id"])
    await desk.send()
    headers = desk.client.headers | {"if-match": case.headers["etag"]}
    changed = await desk.client.http.patch(path, json={"subject": "Your order of March"}, headers=headers)
    assert changed.status_code == 200, changed.text
    await desk.write(opened["case_id"])
    subjects = [str(mail["Subject"]).partition("] ")[2] for mail in await desk.send()]
    assert subjects == ["a possible credit", "Your order of March"]


async def test_a_message_of_an_account_that_nobody_knows_is_refused(desk: MailDesk) -> None:
    case_id = await desk.open(account_id=str(uuid4()))
    await desk.write(case_id)
    assert await desk.send() == []
    [entry] = await desk.entries(case_id, kind="mail_out")
    assert (entry["mail"]["state"], entry["mail"]["code"]) == ("refused", "550")
    assert await desk.tasks() == [f"mail_refused:{case_id}"]
