"""Scopes of tokens: all that there are, and what each of them lets a caller do."""

from typing import Final

SCOPES: Final[dict[str, dict[str, str]]] = {
    "invoicing": {
        "read": "read whatever invoicing answers with, but the audit",
        "write": "change what is owed and what is billed",
        "admin": "set limits, tolerances and exchange rates",
        "audit": "read who changed what",
        "operate": "see what failed, and have it tried again",
    },
    "collections": {
        "read": "read standings, notices, suspensions, the policy and the guard",
        "write": "release suspensions, send notices again, act on the guard",
        "messages": "read the text and the recipient of mails that were sent",
        "publish": "publish a version of the policy",
        "admin": "set the limits of the guard",
        "audit": "read who changed what",
        "operate": "see what failed, and have it tried again",
    },
    "entitlements": {
        "read": "ask for access and holds",
        "write": "place and release holds",
        "audit": "read who changed what",
        "operate": "see what failed, and have it tried again",
    },
    "escalation": {
        "read": "read cases and disputes",
        "write": "open, decide and close them",
        "audit": "read who changed what",
        "operate": "see what failed, and have it tried again",
    },
}
"""By service: the word after the colon in `service:word`, and its meaning."""


def list_scopes(service: str) -> list[str]:
    """List the scopes of a service, as tokens carry them."""
    return [f"{service}:{word}" for word in SCOPES[service]]


def is_scope(name: str) -> bool:
    """Say whether there is a scope of this name."""
    service, _, word = name.partition(":")
    return word in SCOPES.get(service, {})
