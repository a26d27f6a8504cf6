"""A support desk with mail: escalation beside invoicing, and a mail hop that keeps what it takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, build_registered, hear, running, work
from tests.component.collections.test_collections import Hop, mailbox
from tests.component.escalation.test_escalation import Door

REASON = {"reason": "as agreed"}


@dataclass
class MailDesk:
    """Escalation, invoicing with one account, and the mails that were sent."""

    runtime: Runtime
    client: Client
    invoicing: Client
    door: Door
    hop: Hop
    database: Database
    account_id: str = ""

    async def open(self, subject: str = "What is line 3?", **more: Any) -> str:
        body = {"kind": "billing_question", "account_id": self.account_id, "subject": subject}
        return str((await self.client.create("/v1/cases", body | more))["id"])

    async def do(self, case_id: str, verb: str, **body: Any) -> dict[str, Any]:
        return await self.client.create(f"/v1/cases/{case_id}:{verb}", REASON | body)

    async def refuse(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        answer = await self.client.post(path, body)
        return answer.status_code, answer.json()["code"]

    async def write(self, case_id: str, content: str = "It is the set-up charge.", **more: Any) -> dict[str, Any]:
        body = {"content": content, "about_outcome": False}
        return await self.client.create(f"/v1/cases/{case_id}/messages", body | more)

    async def send(self) -> list[EmailMessage]:
        """Let the workers send what waits; the mails that the hop has taken so far."""
        await work(self.runtime)
        return [message_from_bytes(content, EmailMessage, policy=policy.default) for content in self.hop.taken]

    async def entries(self, case_id: str, **criteria: Any) -> list[dict[str, Any]]:
        return list((await self.client.got(f"/v1/cases/{case_id}/entries", **criteria))["items"])

    async def add_person(self, **more: Any) -> str:
        person = {"role": "billing", "name": "Ines Alpenrose", "email": "ines@alpenrose.example", "language": "de"}
        body = person | {"valid_from": "2026-03-02"} | more
        return str((await self.invoicing.create(f"/v1/accounts/{self.account_id}/contact-persons", body))["id"])

    async def hand_over(self, mail: EmailMessage | bytes, key: str | None = None) -> dict[str, Any]:
        """Hand a mail over as the relay does; what the answer says."""
        content = mail if isinstance(mail, bytes) else mail.as_bytes()
        headers = {"content-type": "message/rfc822", "idempotency-key": key or sha256(content).hexdigest()}
        answer = await self.client.http.post(
            "/v1/inbound-mails", content=content, headers=self.client.headers | headers
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def triage(self) -> list[tuple[str | None, str | None]]:
        page = await self.client.got("/v1/inbound-mails", state="triage")
        return [(mail["sender"], mail["reason"]) for mail in page["items"]]

    async def events(self, kind: str) -> list[str]:
        query = "SELECT data FROM escalation.outbox WHERE type LIKE '%.' || $1 || '.%' ORDER BY position"
        return [str(row["data"]) for row in await self.database.rows(query, kind)]

    async def tasks(self) -> list[str]:
        return [task["cause"] for task in (await self.client.got("/v1/cases", kind="task"))["items"]]


def reply(mail: EmailMessage, text: str = "We ordered ten.", **headers: str) -> EmailMessage:
    """Write what a customer answers to a mail."""
    defaults = {
        "from": f"Somebody <{mail['To']}>",
        "to": str(mail["Reply-To"]),
        "subject": f"Re: {mail['Subject']}",
        "message-id": f"<{uuid4()}@customer.example>",
        "in-reply-to": str(mail["Message-ID"]),
    }
    answer = EmailMessage()
    for name, value in (defaults | {name.replace("_", "-").lower(): value for name, value in headers.items()}).items():
        answer[name] = value
    answer.set_content(text)
    return answer


def bounce(of: EmailMessage, to: str, *, status: str = "5.1.1", action: str = "failed") -> bytes:
    """Write the delivery status of a mail, as a mail server does that could not deliver it."""
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nMessage-ID: <{uuid4()}@mx.example>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt was not delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {of['To']}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {of['Message-ID']}\r\n\r\n--b--\r\n"
    ).encode()


@asynccontextmanager
async def opened_desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    """Open a desk for one account, of which nobody but its billing address is known."""
    hop = Hop()
    async with (
        mailbox(hop) as port,
        running("invoicing", database, keys, jwks_file) as (_, invoicing),
        running("escalation", database, keys, jwks_file, smtp_port=port) as (runtime, client),
    ):
        door = Door(invoicing)
        runtime.clients._clients["invoicing"] = door  # type: ignore[assignment]
        desk = MailDesk(runtime, client, invoicing, door, hop, database)
        desk.account_id = (await invoicing.create("/v1/accounts", account()))["id"]
        await hear(runtime, build_registered(UUID(desk.account_id)))
        yield desk
