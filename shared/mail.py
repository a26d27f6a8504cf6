"""Mail: a letter is handed to the next mail hop over SMTP (RFC 5321), and is the same at every attempt."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from uuid import UUID

import aiosmtplib

from shared.errors import Later
from shared.retries import quick

TIMEOUT = 10.0


def letter(
    id_: UUID, *, sender: str, to: str, subject: str, body: str, at: datetime, reply_to: str | None = None
) -> EmailMessage:
    """A letter written by a machine; its Message-ID is made of the id of what wanted it."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    if reply_to:
        mail["Reply-To"] = reply_to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{id_}@goodstanding>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    return mail


def format_sender(name: str, address: str | None, fallback: str) -> str:
    """Format the sender of a letter by name and address; without an address, the fallback as it is."""
    return formataddr((name, address)) if address else fallback


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
