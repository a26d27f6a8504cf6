"""Scopes of tokens: all that there are, and what each of them lets a caller do."""

from typing import Final

SCOPES: Final[dict[str, dict[str, str]]] = {
    "invoicing": {
        "read": "read whatever invoicing answers with, but the audit",
        "sales": "register accounts, contact persons and subscriptions, change them, record usage",
        "billing": "run and approve bill runs, issue invoices by hand, send documents again",
        "payments": "record, apply and reverse payments, chargebacks, direct debits, and what the bank says",
        "credits": "credit, write off and refund within a limit, decide about proposals, release what disputes reserve",
        "vendor": "book what the vendor bills, compare it, and decide about differences",
        "settings": "set legal entities with their calendars, plans, tax rates, and close months",
        "disputes": "reserve amounts for disputes and ask who may uphold them: for escalation",
        "admin": "set limits, the second person, tolerances and exchange rates",
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
        "mail": "hand mails over that came in: for the mail relay",
        "override": "go on with a reason where the rules would stop: to the vendor, or with a rejected dispute",
        "admin": "set how long answers may take, how the vendor is reached and how long words are kept, keep support"
        " resources and reasons of disputes, export and erase what a person wrote",
        "audit": "read who changed what",
        "operate": "see what failed, and have it tried again",
    },
}
"""By service: the word after the colon in `service:word`, and its meaning."""


SERVICE_SCOPES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "invoicing": {},
    "collections": {"invoicing": ("read",)},
    "entitlements": {"collections": ("read",)},
    "escalation": {"invoicing": ("read", "disputes"), "collections": ("read",)},
}
"""By service and by the other one that it calls: what its own token lets it do there, and no more than it uses."""


def list_scopes(service: str) -> list[str]:
    """List the scopes of a service, as tokens carry them."""
    return [f"{service}:{word}" for word in SCOPES[service]]


def is_scope(name: str) -> bool:
    """Say whether there is a scope of this name."""
    service, _, word = name.partition(":")
    return word in SCOPES.get(service, {})
