"""Notices and the facts that they state, as the tests of mails write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.collections.tables import NoticeRow
from shared.contracts.notice_facts import NoticeFacts

FIRST, SECOND, OFFICE, MAILBOX = (UUID(int=number) for number in (1, 2, 3, 4))
"""Two invoices and two subscriptions."""
SUSPEND = {"step": "suspend", "action": "suspend", "template": None, "day": "2026-03-31"}
FINAL = {"step": "final_notice", "action": "notice", "template": "final_notice", "day": "2026-03-31"}
SECOND_REMINDER = {"step": "reminder_2", "action": "notice", "template": "reminder_2", "day": "2026-03-24"}
TERMINATE = {"step": "terminate", "action": "terminate", "template": None, "day": "2026-04-24"}
SELLER = {
    "name": "Goodstanding GmbH",
    "bank_name": "Sparkasse Berlin",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "mail_from": "billing@goodstanding.example",
    "reply_to": "questions@goodstanding.example",
    "signature": "Anna Weber\n+49 30 1234567",
    "language": "de",
}


def build_facts(language: str = "en", **more: Any) -> NoticeFacts:
    """Build the facts of an account with two invoices and two subscriptions."""
    office = {"text": "Microsoft 365 Business Premium", "period_from": "2026-03-01", "period_to": "2026-04-01"}
    mailbox = {"text": "Exchange Online", "period_from": "2026-03-01", "period_to": "2026-04-01"}
    once = {"text": "Onboarding 24/7", "period_from": None, "period_to": None}
    invoice = {"currency": "EUR", "due_date": "2026-03-10", "total_minor": 150_000}
    first = {"invoice_id": FIRST, "number": "GS-DE-00000001", "payment_reference": "RF73GSDE00000001"}
    second = {"invoice_id": SECOND, "number": "GS-DE-00000002", "payment_reference": "RF46GSDE00000002"}
    later = {"due_date": "2026-03-17", "total_minor": 5040}
    facts: dict[str, Any] = {
        "account_id": UUID(int=9),
        "name": "Alpenrose Hotels",
        "billing_email": "billing@alpenrose.example",
        "language": language,
        "seller": SELLER,
        "invoices": [
            invoice | first | {"supplies": [office, once]},
            invoice | second | later | {"supplies": [mailbox]},
        ],
        "subscriptions": [
            {"subscription_id": OFFICE, "product": "Microsoft 365 Business Premium"},
            {"subscription_id": MAILBOX, "product": "Exchange Online"},
        ],
    }
    return NoticeFacts.model_validate(facts | more)


def build_item(
    template: str | None,
    access: str | None = "ends",
    *,
    coming: Sequence[dict[str, Any]] = (),
    is_first: bool = True,
) -> dict[str, Any]:
    """Build an item: of the first invoice, of 1,252.00 EUR of which 250.40 are disputed, or of the second, of 50.40."""
    open_minor, to_pay_minor = (125_200, 100_160) if is_first else (5040, 5040)
    return {
        "invoice_id": str(FIRST if is_first else SECOND),
        "number": "GS-DE-00000001" if is_first else "GS-DE-00000002",
        "policy_version": 2 if is_first else 3,
        "dunnable_minor": to_pay_minor,
        "to_pay_minor": to_pay_minor,
        "open_minor": open_minor,
        "currency": "EUR",
        "template": template,
        "access": access,
        "subscription_ids": [str(OFFICE if is_first else MAILBOX)],
        "coming": list(coming),
    }


def build_notice(kind: str, template: str, *items: dict[str, Any], subscription_ids: Sequence[UUID] = ()) -> NoticeRow:
    """Build a notice of 24 March."""
    return NoticeRow(
        id=UUID(int=7),
        account_id=UUID(int=9),
        kind=kind,
        template=template,
        items=list(items),
        subscription_ids=list(subscription_ids),
        state="pending",
        created_at=datetime(2026, 3, 24, 9, tzinfo=UTC),
        delivered_at=None,
        failure=None,
        secret=None,
        bounce_id=None,
    )


def build_notices() -> dict[str, NoticeRow]:
    """Build a notice for each template; the final notice has a second reminder in it."""
    second = build_item("reminder_2", coming=(FINAL, SUSPEND | {"day": "2026-04-07"}), is_first=False)
    first_reminder = build_item("reminder_1", coming=(SECOND_REMINDER, FINAL), is_first=False)
    upcoming = build_item("upcoming", coming=(SECOND_REMINDER | {"template": "reminder_1"},), is_first=False)
    causes = (build_item(None, None, coming=(TERMINATE,)), build_item(None, None, is_first=False))
    return {
        "upcoming": build_notice("steps", "upcoming", upcoming),
        "reminder_1": build_notice("steps", "reminder_1", first_reminder),
        "final_notice": build_notice("steps", "final_notice", build_item("final_notice", coming=(SUSPEND,)), second),
        "suspended": build_notice("suspended", "suspended", *causes, subscription_ids=(OFFICE, MAILBOX)),
        "restored": build_notice("restored", "restored", subscription_ids=(OFFICE,)),
    }
