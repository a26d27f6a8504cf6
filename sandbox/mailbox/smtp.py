"""The SMTP side: takes mail in, and refuses a recipient when it was asked to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.mailbox.store import MailStore

REPLIES = {550: "550 5.1.1 no such mailbox", 451: "451 4.7.1 try again later"}


@dataclass
class RecipientFault:
    """A recipient to be refused, with which reply, and how many times more."""

    recipient: str
    reply: int
    times: int


@dataclass
class MailIntake:
    """Handler of aiosmtpd for each recipient and each message."""

    store: MailStore
    faults: list[RecipientFault] = field(default_factory=list)

    async def handle_RCPT(  # the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, or refuse it as an active fault says."""
        for fault in self.faults:
            if fault.times > 0 and fault.recipient.lower() == address.lower():
                fault.times -= 1
                return REPLIES[fault.reply]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Say yes only when the message is written down."""
        content = envelope.content
        message = self.store.keep_mail(envelope.rcpt_tos, content if isinstance(content, bytes) else b"")
        return f"250 OK kept as {message.id}"


@dataclass(frozen=True, slots=True)
class SmtpLogin:
    """Takes mail only over TLS (STARTTLS, RFC 3207), and from the one who logs in (RFC 4954)."""

    context: ssl.SSLContext
    username: str
    password: str = field(repr=False)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, answer: object
    ) -> AuthResult:
        """Say whether a login is that of the one who may send."""
        right = LoginPassword(self.username.encode(), self.password.encode())
        return AuthResult(success=answer == right, handled=False)


@asynccontextmanager
async def run_smtp_server(
    intake: MailIntake, host: str, port: int, doorkeeper: SmtpLogin | None = None
) -> AsyncIterator[None]:
    """An SMTP server on the running loop."""
    options: dict[str, Any] = {}
    if doorkeeper:
        options = {"tls_context": doorkeeper.context, "require_starttls": True, "auth_required": True}
        options["authenticator"] = doorkeeper.authenticate

    def connection() -> SMTP:
        return SMTP(intake, hostname="mailbox.example", enable_SMTPUTF8=True, **options)

    server = await asyncio.get_running_loop().create_server(connection, host, port)
    try:
        yield
    finally:
        server.close()
