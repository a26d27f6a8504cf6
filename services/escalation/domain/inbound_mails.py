"""Rules of mail that comes in: what it is, which case it may join, and which bounces count."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from shared.pure.errors import Refusal

MAX_CONTENT_CHARS = 20_000
"""How much of a mail's text is kept; what is cut says so."""
_PERMANENT = re.compile(r"5\.\d{1,3}\.\d{1,3}")
_AUTOMATIC_PRECEDENCES = frozenset({"bulk", "list", "junk", "auto_reply"})
_AUTOMATIC_HEADERS = (
    "list-id",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autoreply-from",
    "x-autorespond",
    "x-mail-autoreply",
)


class InboundState(StrEnum):
    """Where a mail that came in is."""

    TRIAGE = "triage"
    """A person decides."""
    JOINED = "joined"
    AUTOMATIC = "automatic"
    """A machine wrote it; it may stand in the thread of a case, where it changes nothing."""
    BOUNCE = "bounce"
    DISCARDED = "discarded"


INBOUND_ALLOWED: Mapping[InboundState, frozenset[InboundState]] = {
    InboundState.TRIAGE: frozenset({InboundState.JOINED, InboundState.DISCARDED}),
    InboundState.JOINED: frozenset(),
    InboundState.AUTOMATIC: frozenset({InboundState.JOINED}),
    InboundState.BOUNCE: frozenset(),
    InboundState.DISCARDED: frozenset(),
}


class TriageReason(StrEnum):
    """Why a mail waits for a person."""

    NO_CASE_ADDRESS = "no_case_address"
    """It came to no address of a case."""
    SENDER_UNKNOWN = "sender_unknown"
    """The sender is no contact person of the case's account, or not whom we wrote to at the distributor."""
    SENDER_UNCHECKED = "sender_unchecked"
    """Invoicing could not say whose the sender is."""
    MESSAGE_ID_REUSED = "message_id_reused"
    """Another mail with the same Message-ID is here."""
    UNREADABLE = "unreadable"
    """It has more parts, or is nested deeper, than is read."""


class UnreadCustomerAnswer(Refusal):
    """Nobody has read yet what the customer answered."""

    code: ClassVar[str] = "unread_answer"


@dataclass(frozen=True, slots=True)
class MailBounce:
    """A delivery status, with the secrets of mails that it names; the code is that of a permanent failure, if any."""

    secrets: frozenset[str]
    code: str | None


@dataclass(frozen=True, slots=True)
class InboundMailFile:
    """A file that a mail brings."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail that came in, as far as it is of use; without a Message-ID it is known by its digest."""

    digest: str
    message_id: str | None = None
    sender: str | None = None
    """The address of the one who wrote it; None where the mail names not exactly one."""
    subject: str = ""
    content: str = ""
    is_cut: bool = False
    recipients: tuple[str, ...] = ()
    is_automatic: bool = False
    bounce: MailBounce | None = None
    files: tuple[InboundMailFile, ...] = ()
    omitted_files: tuple[str, ...] = ()
    """Names of those beyond how many are read."""
    is_readable: bool = True

    @property
    def get_mail_key(self) -> str:
        """Identity by which the mail is taken once."""
        return self.message_id or f"sha256:{self.digest}"


def is_automatic_mail(headers: Mapping[str, str]) -> bool:
    """Say whether a machine wrote a mail, by its headers in small letters (RFC 3834, 5; RFC 2919)."""
    submitted = headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    precedence = headers.get("precedence", "").strip().lower()
    return (
        submitted != "no"
        or headers.get("return-path", "").strip() == "<>"
        or precedence in _AUTOMATIC_PRECEDENCES
        or any(name in headers for name in _AUTOMATIC_HEADERS)
    )


def find_permanent_bounce_code(statuses: list[tuple[str, str]]) -> str | None:
    """Find the code of a recipient to whom a mail could not be delivered for good, by actions and codes (RFC 3464)."""
    return next(
        (
            status.strip()
            for action, status in statuses
            if action.strip().lower() == "failed" and _PERMANENT.fullmatch(status.strip())
        ),
        None,
    )


def is_case_unreachable(state: str, customer_informed: bool, no_customer_affected: str | None, kind: str) -> bool:
    """Say whether a closed case is open again in fact: nothing that told the customer the outcome has arrived."""
    return state == "closed" and not customer_informed and not no_customer_affected and kind != "task"
