"""The way of answers: what a customer replies to a mail is handed over to the service that takes mails in."""

import hashlib
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, make_msgid, parseaddr
from pathlib import Path
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True)
class MailRelay:
    """Where mails are handed over, and the file with the token for it, read anew each time."""

    url: str
    token_file: Path

    async def hand_mail_over(self, mail: Message) -> dict[str, Any]:
        """Hand a mail over as it is; what the service answers. Raises httpx2.HTTPError."""
        content = mail.as_bytes()
        headers = {
            "authorization": f"Bearer {self.token_file.read_text().strip()}",
            "content-type": "message/rfc822",
            "idempotency-key": hashlib.sha256(content).hexdigest(),
        }
        async with httpx2.AsyncClient(base_url=self.url, timeout=10) as http:
            answer = await http.post("/v1/inbound-mails", content=content, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())


def write_bounce_mail(content: str, status: str) -> Message:
    """Write the delivery status (RFC 3464) of a mail that its recipient's server could not deliver."""
    mail = message_from_string(content, EmailMessage, policy=policy.default)
    bounce = MIMEMultipart("report", report_type="delivery-status")
    bounce["From"] = "MAILER-DAEMON@mx.customer.example"
    bounce["To"] = parseaddr(str(mail["From"]))[1]
    bounce["Return-Path"] = "<>"
    bounce["Subject"] = "Undelivered mail"
    bounce["Message-ID"] = make_msgid(domain="mx.customer.example")
    bounce["Auto-Submitted"] = "auto-replied"
    bounce.attach(MIMEText("It was not delivered."))
    bounce.attach(_write_status(parseaddr(str(mail["To"]))[1], status))
    bounce.attach(MIMEText(f"Message-ID: {str(mail['Message-ID']).strip()}\n", "rfc822-headers"))
    return bounce


def _write_status(recipient: str, status: str) -> Message:
    server, failed = Message(), Message()
    server["Reporting-MTA"] = "dns; mx.customer.example"
    failed["Final-Recipient"] = f"rfc822; {recipient}"
    failed["Action"] = "failed" if status.startswith("5") else "delayed"
    failed["Status"] = status
    part = MIMENonMultipart("message", "delivery-status")
    part.set_payload([server, failed])
    return part


def write_reply_mail(content: str, text: str, sender: str | None = None) -> EmailMessage:
    """Write what a customer replies to a mail; without a sender it is the one who got it."""
    mail = message_from_string(content, EmailMessage, policy=policy.default)
    recipient = parseaddr(str(mail.get("Reply-To", mail["From"])))[1]
    reply = EmailMessage()
    reply["From"] = formataddr(("", sender or parseaddr(str(mail["To"]))[1]))
    reply["To"] = recipient
    reply["Delivered-To"] = recipient
    reply["Subject"] = f"Re: {mail['Subject']}"
    reply["Message-ID"] = make_msgid(domain="customer.example")
    reply["In-Reply-To"] = str(mail["Message-ID"]).strip()
    reply.set_content(text)
    return reply
