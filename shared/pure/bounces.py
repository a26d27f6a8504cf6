"""Secrets of mails that we send: a bounce counts only if it names one, and is announced without saying it."""

import hashlib
import secrets
from uuid import UUID

SECRET_BYTES = 16
"""128 bits, which nobody guesses."""
BOUNCE_PREFIX = "bounce-"
"""Prefix of the secret in the address to which a mail bounces."""


def create_mail_secret() -> str:
    """Create the secret of a mail, in the form in which its addresses and its Message-ID carry it."""
    return secrets.token_hex(SECRET_BYTES)


def compute_bounce_id(secret: str) -> UUID:
    """Compute the id by which `MailBounced` names a mail with this secret: its digest, from which none can be had."""
    return UUID(bytes=hashlib.sha256(secret.encode()).digest()[:SECRET_BYTES])


def build_envelope_sender(support_address: str, secret: str) -> str:
    """Build the address to which a mail bounces."""
    local_part, _, domain = support_address.partition("@")
    return f"{local_part}+{BOUNCE_PREFIX}{secret}@{domain}"
