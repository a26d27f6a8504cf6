"""Mail: a letter is handed to the next mail hop over SMTP (RFC 5321), and is the same at every attempt."""

from datetime import datetime, timedelta
from email import message_from_bytes
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, formataddr
from typing import Any
from uuid import UUID

import aiosmtplib

from shared.base.connections.access import MailAccess
from shared.base.connections.tls import describe_tls_refusal, read_secret
from shared.base.health import Health
from shared.base.retries import retry_briefly
from shared.base.telemetry import log
from shared.pure.addresses import is_mail_address
from shared.pure.errors import RetryLater

MAX_LINE_CHARS = 74
"""Characters of a folded line; the first one may exceed it by two, and 76 are allowed (RFC 2047, 2)."""
TIMEOUT = 10.0
"""Seconds for each step of a talk with the next mail hop."""
DEFERRED_FOR = timedelta(days=4)
"""Business time for which a letter that is put off is tried again: at least four days (RFC 5321, 4.5.4.1)."""
CLOSES_DOWN = 421
"""The code of a hop that is not available, whatever it was asked (RFC 5321, 4.2.2)."""
REFUSES_ACCESS = frozenset({432, 454, 530, 534, 535, 538})
"""Codes of a hop that refuses us, and not this letter: login or TLS is missing or fails (RFC 4954, 6; RFC 3207, 4)."""
NOT_WRITABLE = "553 the address is none that can be written to"
"""Refusal recorded for an address to which no letter can be written, with SMTP's code for it (RFC 5321, 4.2.3)."""


class _FoldingPolicy(EmailPolicy):
    """A policy that folds subjects as RFC 2047 wants them.

    That of the standard library loses a blank between two encoded words where the line breaks at it.
    """

    def fold(self, name: str, value: Any) -> str:
        if name.lower() != "subject" or str(value).isascii():
            return str(super().fold(name, value))
        encoded = Header(str(value), "utf-8", MAX_LINE_CHARS, name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


def fold_mail_headers(mail: EmailMessage) -> EmailMessage:
    """Fold the headers of a letter for good, so that whoever sends it sends them as they are."""
    return message_from_bytes(mail.as_bytes(policy=_FoldingPolicy(linesep="\r\n")), policy=SMTP)


class LetterDeferred(RetryLater):
    """The next mail hop puts the letter off (4xx), and may take it later."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the mail hop puts the letter off: {code}")
        self.code = code


def build_letter(
    id_: UUID,
    *,
    sender: str,
    to: str,
    subject: str,
    body: str,
    at: datetime,
    reply_to: str | None = None,
    secret: str = "",
    is_automatic: bool = True,
) -> EmailMessage:
    """A letter; its Message-ID is made of the id of what wanted it, and of a secret where a bounce has to name that.

    One that a person wrote is not automatic (RFC 3834, 5).
    """
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    if reply_to and is_mail_address(reply_to):
        mail["Reply-To"] = reply_to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = build_message_id(id_, secret)
    if is_automatic:
        mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    return mail


def build_message_id(id_: UUID, secret: str = "") -> str:
    """Build the Message-ID of a letter."""
    return f"<{id_}.{secret}@goodstanding>" if secret else f"<{id_}@goodstanding>"


def format_mail_sender(name: str, address: str | None, fallback: str) -> str:
    """Format the sender of a letter by name and address; without one that can be written, the fallback as it is."""
    if address and not is_mail_address(address):
        log.warning("a legal entity's sender is no address, so the one of the settings is used")
        return fallback
    return formataddr((name, address)) if address else fallback


class MailHop:
    """The next mail hop; how it was found is noted for `/health/ready`."""

    def __init__(self, access: MailAccess, health: Health) -> None:
        self._access = access
        self._health = health

    async def deliver_letter_once(
        self, mail: EmailMessage, waited: timedelta, envelope_sender: str | None = None
    ) -> str | None:
        """Hand a message over as `deliver_letter` does, but give up when it was put off for too long.

        `waited` is the business time since it was first to be sent. Raises RetryLater.
        """
        try:
            return await self.deliver_letter(mail, envelope_sender)
        except LetterDeferred as deferred:
            if waited < DEFERRED_FOR:
                raise
            return f"{deferred.code} put off by the next mail hop for {DEFERRED_FOR.days} days"

    async def deliver_letter(self, mail: EmailMessage, envelope_sender: str | None = None) -> str | None:
        """Hand a message over; None when the next hop took it, its answer when it refuses for good (5xx).

        Bounces go to the sender of the envelope, which is that of the message where none is named. Raises
        LetterDeferred for 4xx answers, and RetryLater when the hop cannot be reached, closes down, or refuses TLS or
        the login: then no letter goes out.
        """
        try:
            refusal = await self._deliver(mail, envelope_sender)
        except LetterDeferred:
            self._health.update_outside_health("mail", True, "answers")
            raise
        except RetryLater as later:
            if self._health.update_outside_health("mail", False, str(later)):
                log.error("mail cannot be sent", reason=str(later))
            raise
        self._health.update_outside_health("mail", True, "answers")
        return refusal

    async def _deliver(self, mail: EmailMessage, envelope_sender: str | None) -> str | None:
        folded = fold_mail_headers(mail)
        try:
            security = self._security()
            async for attempt in retry_briefly(_is_worth_another_attempt, attempts=3):
                with attempt:
                    await aiosmtplib.send(  # noqa: TID251
                        folded,
                        sender=envelope_sender,
                        hostname=self._access.smtp_host,
                        port=self._access.smtp_port,
                        timeout=TIMEOUT,
                        **security,
                    )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _final(refused.recipients[0])
        except aiosmtplib.SMTPResponseException as refused:
            if isinstance(refused, aiosmtplib.SMTPConnectError):
                raise RetryLater(f"the mail hop cannot be reached: {refused.code}") from refused
            return _final(refused)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise RetryLater(f"the mail hop cannot be reached: {self._describe(error)}") from error
        return None

    def _security(self) -> dict[str, Any]:
        """Options of `aiosmtplib.send` for what is configured, no less. Raises ConnectionAccessRefused."""
        access = self._access
        if access.smtp_security == "none":
            return {"start_tls": False}
        login = {}
        if access.smtp_password_file is not None:
            login = {"username": access.smtp_username, "password": read_secret(access.smtp_password_file)}
        is_implicit = access.smtp_security == "tls"
        context = access.smtp_tls.make_context()
        return {"use_tls": is_implicit, "start_tls": not is_implicit, "tls_context": context, **login}

    def _describe(self, error: BaseException) -> str:
        """Describe a failure by what of TLS is refused, or by its class. Never by its text, which quotes the hop."""
        if refusal := describe_tls_refusal(error):
            return refusal
        if "STARTTLS extension not supported" in str(error):  # aiosmtplib has no class of its own for either
            return "it offers no STARTTLS"
        if "AUTH extension is not supported" in str(error):
            return "it offers no login"
        return type(error).__name__


def _is_worth_another_attempt(error: BaseException) -> bool:
    return isinstance(error, aiosmtplib.SMTPConnectError | OSError) and describe_tls_refusal(error) is None


def _final(answer: aiosmtplib.SMTPResponseException) -> str:
    """A refusal for good. Its text may name the address, so only the code is kept."""
    if answer.code == CLOSES_DOWN:
        raise RetryLater("the mail hop closes down")
    if answer.code in REFUSES_ACCESS:
        raise RetryLater(f"the mail hop refuses the login, or TLS: {answer.code}")
    if answer.code < 500:
        raise LetterDeferred(answer.code)
    return f"{answer.code} refused by the next mail hop"
