"""Messages to customers: written from templates, handed to the next mail hop over SMTP (RFC 5321)."""

from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.collections.tables import NoticeRow
from shared.errors import Later
from shared.money import Money
from shared.retries import quick

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=lambda name: bool(name and name.endswith(".html")),
)
TIMEOUT = 10.0


def message(row: NoticeRow, contact: dict[str, Any], sender: str, policy_url: str) -> EmailMessage:
    """The message of a notice; the same notice always gives the same message."""
    text = TEMPLATES.get_template(f"{row.template}.txt").render(
        name=contact["name"],
        items=[item | {"amount": str(Money(item["dunnable_minor"], item["currency"]))} for item in row.items],
        policy_url=policy_url,
    )
    subject, _, body = text.partition("\n")
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = contact["billing_email"]
    mail["Subject"] = subject.removeprefix("Subject: ")
    mail["Date"] = format_datetime(row.created_at)
    mail["Message-ID"] = f"<{row.id}@goodstanding>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body.lstrip("\n"))
    return mail


async def deliver(mail: EmailMessage, host: str, port: int) -> str | None:
    """Hand a message over; None when the next hop took it, its answer when it refuses for good (5xx).

    Raises Later for 4xx answers and when the hop cannot be reached.
    """
    try:
        async for attempt in quick(lambda error: isinstance(error, aiosmtplib.SMTPConnectError | OSError), attempts=3):
            with attempt:
                await aiosmtplib.send(mail, hostname=host, port=port, timeout=TIMEOUT, start_tls=False)
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _final(refused.recipients[0])
    except aiosmtplib.SMTPResponseException as refused:
        return _final(refused)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Later(f"the mail hop cannot be reached: {type(error).__name__}") from error
    return None


def _final(answer: aiosmtplib.SMTPResponseException) -> str:
    """A refusal for good. Its text may name the address, so only the code is kept."""
    if answer.code < 500:
        raise Later(f"the mail hop answers {answer.code}")
    return f"{answer.code} refused by the next mail hop"
