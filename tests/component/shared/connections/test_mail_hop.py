"""Mail goes out over TLS and with a login where that is set, and otherwise not at all."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import ValidationError
from structlog.testing import capture_logs

from shared.base.connections.access import MailAccess
from shared.base.health import Health
from shared.outside.mail import LetterDeferred, MailHop
from shared.pure.errors import RetryLater
from tests.certificates import Authority, Signed

PASSWORD = "correct-horse-battery"
WAITED = timedelta(days=30)
"""Longer than any letter is put off for: what refuses us must not fail a letter even then."""


@dataclass
class Intake:
    """Keeps what a hop takes, and how it came."""

    recipient_answer: str = "250 ok"
    taken: list[tuple[bool, bytes | None]] = field(default_factory=list)
    """Whether a letter came over TLS, and as whom."""
    octets: bytearray = field(default_factory=bytearray)
    """All that came before TLS."""

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append((session.ssl is not None, session.auth_data))
        return "250 taken"


class Recording(SMTP):
    """An SMTP server that keeps what comes in the clear."""

    octets: bytearray

    def data_received(self, octets: bytes) -> None:
        if self.session is not None and self.session.ssl is None:
            self.octets += octets
        super().data_received(octets)


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, answer: Any) -> AuthResult:
    is_right = isinstance(answer, LoginPassword) and (answer.login, answer.password) == (b"sender", PASSWORD.encode())
    return AuthResult(success=is_right, handled=False, auth_data=b"sender" if is_right else None)


def context_of(signed: Signed) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    return context


@asynccontextmanager
async def listening(intake: Intake, signed: Signed | None = None, *, implicit: bool = False) -> AsyncIterator[int]:
    """A hop that wants STARTTLS (or TLS at once) and a login before it takes mail; without a certificate, neither."""
    context = context_of(signed) if signed else None

    def protocol() -> SMTP:
        login: dict[str, Any] = {"authenticator": authenticate, "auth_required": True} if signed else {}
        starts: dict[str, Any] = {"tls_context": context, "require_starttls": True} if context and not implicit else {}
        with warnings.catch_warnings(action="ignore"):  # of logins without STARTTLS, though TLS is there already
            server = Recording(intake, hostname="hop.example", auth_require_tls=not implicit, **login, **starts)
        server.octets = intake.octets
        return server

    at_once = context if implicit else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=at_once)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@dataclass
class Place:
    """The files of a sender."""

    authority: Authority
    password_file: Path

    def access(self, port: int, **changes: Any) -> MailAccess:
        files = {"smtp_ca_file": self.authority.file, "smtp_password_file": self.password_file}
        usual = {"smtp_port": port, "smtp_security": "starttls", "smtp_username": "sender"}
        fields: dict[str, Any] = usual | files | changes
        return MailAccess(**fields)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD + "\n")
    return Place(Authority(tmp_path / "tls"), password_file)


def letter() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "billing@reseller.example", "a@account-17.example", "Invoice 17"
    mail.set_content("Hello")
    return mail


async def test_letters_go_out_over_tls_with_the_login(place: Place) -> None:
    intake, health = Intake(), Health()
    async with listening(intake, place.authority.sign("hop", "127.0.0.1")) as port:
        assert await MailHop(place.access(port), health).deliver_letter_once(letter(), WAITED) is None
    assert intake.taken == [(True, b"sender")]
    assert PASSWORD.encode() not in intake.octets
    assert health.outside["mail"] == (True, "answers")


async def test_letters_go_out_over_tls_from_the_first_octet(place: Place) -> None:
    intake = Intake()
    async with listening(intake, place.authority.sign("hop", "127.0.0.1"), implicit=True) as port:
        access = place.access(port, smtp_security="tls")
        assert await MailHop(access, Health()).deliver_letter_once(letter(), WAITED) is None
    assert len(intake.taken) == 1


async def test_a_rotated_password_is_used_with_the_next_letter(place: Place) -> None:
    intake = Intake()
    async with listening(intake, place.authority.sign("hop", "127.0.0.1")) as port:
        hop = MailHop(place.access(port), Health())
        place.password_file.write_text("former")
        with pytest.raises(RetryLater, match="refuses the login"):
            await hop.deliver_letter_once(letter(), WAITED)
        place.password_file.write_text(PASSWORD)
        await hop.deliver_letter_once(letter(), WAITED)
    assert len(intake.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("expired", "its certificate has expired"),
        ("host", "its certificate is for another"),
        ("authority", "its certificate is signed by nobody who is trusted"),
        ("password", "refuses the login, or TLS: 535"),
        ("password file", "the secret's file password cannot be read"),
    ],
)
async def test_a_hop_that_is_not_the_one_or_refuses_us_gets_no_letter(
    place: Place, tmp_path: Path, security: str, fault: str, sentence: str
) -> None:
    signed = place.authority.sign("hop", "127.0.0.1")
    match fault:
        case "expired":
            signed = place.authority.sign("expired", "127.0.0.1", begins=timedelta(-2), ends=timedelta(hours=-1))
        case "host":
            signed = place.authority.sign("other", "192.0.2.17", "hop.example")
        case "authority":
            signed = Authority(tmp_path / "foreign", "foreign").sign("hop", "127.0.0.1")
        case "password":
            place.password_file.write_text("wrong-horse")
        case "password file":
            place.password_file.unlink()
    intake, health = Intake(), Health()
    async with listening(intake, signed, implicit=security == "tls") as port:
        hop = MailHop(place.access(port, smtp_security=security), health)
        with capture_logs() as logs, pytest.raises(RetryLater) as raised:
            await hop.deliver_letter_once(letter(), WAITED)
        with pytest.raises(RetryLater):
            await hop.deliver_letter_once(letter(), WAITED)
    assert not isinstance(raised.value, LetterDeferred)
    assert intake.taken == []
    well, state = health.outside["mail"]
    assert not well
    assert sentence in state
    assert [line["reason"] for line in logs] == [state]
    assert "horse" not in f"{logs}{state}{raised.value}{hop._access!r}"


async def test_a_hop_whose_starttls_was_taken_away_gets_no_letter_and_no_login(place: Place) -> None:
    intake, health = Intake(), Health()
    async with listening(intake) as port:
        with pytest.raises(RetryLater):
            await MailHop(place.access(port), health).deliver_letter_once(letter(), WAITED)
    assert intake.taken == []
    assert b"MAIL FROM" not in intake.octets.upper()
    assert b"AUTH" not in intake.octets.upper()
    assert health.outside["mail"] == (False, "the mail hop cannot be reached: it offers no STARTTLS")


@pytest.mark.parametrize("code", [432, 454, 530, 534, 535, 538])
async def test_what_a_hop_says_of_our_access_fails_no_letter(code: int) -> None:
    intake = Intake(recipient_answer=f"{code} not you")
    async with listening(intake) as port:
        with pytest.raises(RetryLater) as raised:
            await MailHop(MailAccess(smtp_port=port), Health()).deliver_letter_once(letter(), WAITED)
    assert not isinstance(raised.value, LetterDeferred)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"smtp_security": "none", "smtp_ca_file": None}, "not sent in plain text"),
        ({"smtp_password_file": None}, "belong together"),
        ({"smtp_security": "none", "smtp_username": "", "smtp_password_file": None}, "TLS is not switched on"),
        ({"smtp_key_file": "key.pem"}, "belong together"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(place: Place, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        place.access(25, **settings)
