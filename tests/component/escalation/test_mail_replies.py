"""From a message of a case to the customer's mailbox and back: the mailbox of the sandbox and escalation, for real."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from sandbox.mailbox.api import create_app
from sandbox.mailbox.relay import MailRelay
from sandbox.mailbox.smtp import MailIntake
from sandbox.mailbox.store import MailStore
from tests.builders import Database
from tests.component.case_mails import MailDesk, opened_desk


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        yield opened


async def test_a_customer_replies_from_the_mailbox_and_the_answer_is_in_the_thread(
    desk: MailDesk, keys: SigningKeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_file = tmp_path / "escalation.jwt"
    token_file.write_text(keys.token("escalation", "escalation:mail", subject="mail-relay", roles=""))
    intake, original = MailIntake(MailStore(tmp_path / "mails")), httpx2.AsyncClient
    case_id = await desk.open()
    await desk.write(case_id)
    await desk.send()
    kept = intake.store.keep_mail(["billing@account-17.example"], desk.hop.taken[0])

    def connect(**options: Any) -> httpx2.AsyncClient:
        return original(transport=desk.client.http._transport, base_url=options["base_url"])

    monkeypatch.setattr("sandbox.mailbox.relay.httpx2.AsyncClient", connect)
    app = create_app(intake, "127.0.0.1", 0, relay=MailRelay("http://service", token_file))
    async with original(transport=httpx2.ASGITransport(app=app), base_url="http://mailbox") as mailbox:
        answer = await mailbox.post(f"/v1/messages/{kept.id}/replies", json={"text": "We ordered ten."})
        assert (answer.status_code, answer.json()["state"]) == (201, "joined")
        stranger = {"text": "Pay me instead.", "sender": "stranger@else.example"}
        assert (await mailbox.post(f"/v1/messages/{kept.id}/replies", json=stranger)).json()["state"] == "triage"
        bounced = await mailbox.post(f"/v1/messages/{kept.id}/bounces", json={"status": "5.2.1"})
        assert (bounced.status_code, bounced.json()["state"]) == (201, "bounce")
    assert '"code":"5.2.1"' in (await desk.events("MailBounced"))[0]
    (entry,) = await desk.entries(case_id, kind="mail_in")
    assert entry["content"] == "We ordered ten."
    audited = (await desk.client.got("/v1/audit-entries", action="inbound_mail.take", actor="mail-relay"))["items"]
    assert len(audited) == 3
    assert "ordered" not in str(audited)
    for path, method in (("/v1/cases", "GET"), (f"/v1/cases/{case_id}/notes", "POST")):
        headers = {"authorization": f"Bearer {token_file.read_text()}", "idempotency-key": "a"}
        refused = await desk.client.http.request(method, path, headers=headers, json={"content": "a"})
        assert refused.status_code == 403, "the relay hands mails over, and does nothing else"
