"""The messages of policy steps, as customers read them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.collections import mail
from services.collections.tables import NoticeRow


def notice_item(number: str, template: str | None, access: str | None) -> dict[str, Any]:
    """An item of a notice, of 3.00 EUR."""
    return {
        "number": number,
        "dunnable_minor": 300,
        "currency": "EUR",
        "template": template,
        "access": access,
        "policy_version": 1,
    }


def text_of(template: str, *items: dict[str, Any]) -> tuple[str, str]:
    """The subject of a notice of policy steps, and its text in one line."""
    row = NoticeRow(
        id=UUID(int=1),
        account_id=UUID(int=2),
        kind="steps",
        template=template,
        items=list(items),
        state="pending",
        created_at=datetime(2026, 3, 24, 9, tzinfo=UTC),
        delivered_at=None,
        failure=None,
    )
    contact = {"name": "Example Ltd", "billing_email": "billing@example.org"}
    message = mail.message(row, contact, "us@example.com", "http://collections.example/policy")
    return message["Subject"], " ".join(message.get_content().split())


def test_each_invoice_stands_under_its_own_step_the_gravest_first() -> None:
    subject, text = text_of(
        "final_notice", notice_item("A-1", "upcoming", "ends"), notice_item("B-2", "final_notice", "ends")
    )
    assert subject == "Final notice before access is suspended"
    assert text.startswith("Dear Example Ltd, this is the final notice for: B-2: €3.00 If it stays unpaid, access")
    final_notice, _, upcoming = text.partition("soon the following is due: A-1: €3.00")
    assert ("A-1" in final_notice, "B-2" in upcoming) == (False, False)


def test_what_is_suspended_already_is_not_announced_as_to_come() -> None:
    subject, text = text_of("final_notice", notice_item("B-2", "final_notice", "ended"))
    assert subject == "Final notice: a payment is overdue"
    assert ("suspended already" in text, "will be suspended" in text) == (True, False)


def test_no_access_is_spoken_of_where_none_depends_on_it() -> None:
    subject, text = text_of("final_notice", notice_item("B-2", "final_notice", "unaffected"))
    assert subject == "Final notice: a payment is overdue"
    assert "Access" not in text
    assert "access" not in text


def test_only_the_invoice_with_a_final_notice_decides_its_subject() -> None:
    subject, _ = text_of(
        "final_notice", notice_item("A-1", "reminder_1", "ends"), notice_item("B-2", "final_notice", "ended")
    )
    assert subject == "Final notice: a payment is overdue"


def test_items_without_a_template_of_their_own_speak_by_that_of_the_notice() -> None:
    subject, text = text_of("reminder_1", notice_item("A-1", None, None))
    assert subject == "A payment is overdue"
    assert "we have not received a payment for: A-1: €3.00" in text
