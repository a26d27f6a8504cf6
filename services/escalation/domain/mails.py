"""Rules of mail of cases: addresses and ids that nobody can guess, and when a message tells the outcome."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from shared.pure.bounces import BOUNCE_PREFIX
from shared.pure.errors import Refusal

_SECRET = r"[0-9a-f]{32}"
ROLES_BY_KIND = {"technical": "technical"}
"""In which role the customer is written to, by the kind of the case; else in that of billing."""
DEFAULT_ROLE = "billing"


class MailState(StrEnum):
    """Where a mail that we send is."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    """The next mail hop took it, and nothing came back."""
    REFUSED = "refused"
    BOUNCED = "bounced"
    """It came back, after the next mail hop took it."""


MAIL_ALLOWED: Mapping[MailState, frozenset[MailState]] = {
    MailState.QUEUED: frozenset({MailState.DELIVERED, MailState.REFUSED, MailState.BOUNCED}),
    MailState.DELIVERED: frozenset({MailState.BOUNCED}),
    MailState.REFUSED: frozenset(),
    MailState.BOUNCED: frozenset(),
}


class OutcomeUnknown(Refusal):
    """A message cannot tell an outcome that is not known."""

    code: ClassVar[str] = "outcome_unknown"


class CaseAccountMissing(Refusal):
    """A case without an account has no customer who could be written to."""

    code: ClassVar[str] = "no_customer"


@dataclass(frozen=True, slots=True)
class ReplySecrets:
    """Secrets of ours in the addresses that a mail was sent to."""

    reply_tokens: frozenset[str]
    """Tokens in the reply addresses of cases."""
    bounce_secrets: frozenset[str]
    """Secrets of mails that we sent, in the addresses to which they bounce."""


def build_reply_address(support_address: str, token: str) -> str:
    """Build the address to which the mails of a case are answered."""
    local_part, _, domain = support_address.partition("@")
    return f"{local_part}+{token}@{domain}"


def find_reply_secrets(support_address: str, addresses: Iterable[str]) -> ReplySecrets:
    """Find the secrets in addresses; those of other local parts and domains have none."""
    local_part, _, domain = support_address.partition("@")
    form = rf"{re.escape(local_part)}\+({BOUNCE_PREFIX})?({_SECRET})@{re.escape(domain)}"
    matches = [match for address in addresses if (match := re.fullmatch(form, address.lower()))]
    return ReplySecrets(
        frozenset(match[2] for match in matches if not match[1]),
        frozenset(match[2] for match in matches if match[1]),
    )


def choose_recipient_role(kind: str) -> str:
    """Choose the role in which the customer of a case is written to."""
    return ROLES_BY_KIND.get(kind, DEFAULT_ROLE)


def is_message_about_outcome(about_outcome: bool, written_sequence: int | None, outcome_sequence: int | None) -> bool:
    """Say whether a message tells the outcome that a case has now: the one that was known when it was written."""
    return about_outcome and written_sequence is not None and written_sequence == outcome_sequence
