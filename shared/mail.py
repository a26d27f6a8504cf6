"""Mail: a letter is handed to the next mail hop over SMTP (RFC 5321), and is the same at every attempt."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from uuid import UUID

import aiosmtplib

from shared.addresses import is_address
from shared.errors import Later
from shared.retries import quick
from shared.telemetry import log

TIMEOUT = 10.0
"""Seconds for each step of a talk with the next mail hop."""
DEFERRED_FOR = timedelta(days=4)
"""Business time for which a letter that is put off is tried again: at least four days (RFC 5321, 4.5.4.1)."""
CLOSES_DOWN = 421
"""The code of a hop that is not available, whatever it was asked (RFC 5321, 4.2.2)."""
NOT_WRITABLE = "553 the address is none that can be written to"
"""What is recorded for an address that no letter can be made for, with the code for such a name (RFC 5321, 4.2.3)."""


class LetterDeferred(Later):
    """The next mail hop puts the letter off (4xx), and may take it later."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the mail hop puts the letter off: {code}")
        self.code = code


def letter(
    id_: UUID, *, sender: str, to: str, subject: str, body: str, at: datetime, reply_to: str | None = None
) -> EmailMessage:
    """A letter written by a machine; its Message-ID is made of the id of what wanted it."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    if reply_to and is_address(reply_to):
        mail["Reply-To"] = reply_to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{id_}@goodstanding>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    return mail


def format_sender(name: str, address: str | None, fallback: str) -> str:
    """Format the sender of a letter by name and address; without one that can be written, the fallback as it is."""
    if address and not is_address(address):
        log.warning("a legal entity's sender is no address, so the one of the settings is used")
        return fallback
    return formataddr((name, address)) if address else fallback


async def deliver_once(mail: EmailMessage, host: str, port: int, waited: timedelta) -> str | None:
    """Hand a message over as `deliver` does, but give up when it was put off for too long.

    `waited` is the business time since it was first to be sent. Raises Later.
    """
    try:
        return await deliver(mail, host, port)
    except LetterDeferred as deferred:
        if waited < DEFERRED_FOR:
            raise
        return f"{deferred.code} put off by the next mail hop for {DEFERRED_FOR.days} days"


async def deliver(mail: EmailMessage, host: str, port: int) -> str | None:
    """Hand a message over; None when the next hop took it, its answer when it refuses for good (5xx).

    Raises LetterDeferred for 4xx answers, and Later when the hop cannot be reached or closes down.
    """
    try:
        async for attempt in quick(lambda error: isinstance(error, aiosmtplib.SMTPConnectError | OSError), attempts=3):
            with attempt:
                await aiosmtplib.send(mail, hostname=host, port=port, timeout=TIMEOUT, start_tls=False)
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _final(refused.recipients[0])
    except aiosmtplib.SMTPResponseException as refused:
        if isinstance(refused, aiosmtplib.SMTPConnectError):
            raise Later(f"the mail hop cannot be reached: {refused.code}") from refused
        return _final(refused)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Later(f"the mail hop cannot be reached: {type(error).__name__}") from error
    return None


def _final(answer: aiosmtplib.SMTPResponseException) -> str:
    """A refusal for good. Its text may name the address, so only the code is kept."""
    if answer.code == CLOSES_DOWN:
        raise Later("the mail hop closes down")
    if answer.code < 500:
        raise LetterDeferred(answer.code)
    return f"{answer.code} refused by the next mail hop"
