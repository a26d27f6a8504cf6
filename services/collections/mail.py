"""Messages to customers, written from templates."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.collections.tables import NoticeRow
from shared.mail import letter
from shared.money import Money

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=lambda name: bool(name and name.endswith(".html")),
)


SUBJECTS = {
    "upcoming": "Your invoice is due soon",
    "reminder_1": "A payment is overdue",
    "reminder_2": "Second reminder: a payment is overdue",
    "final_notice": "Final notice before access is suspended",
    "suspended": "Access to a subscription is suspended",
    "restored": "Access to your subscription is restored",
}
FINAL_NOTICE_WITHOUT_WARNING = "Final notice: a payment is overdue"
"""The subject of a final notice after which no access ends."""
SECTIONS = ("final_notice", "reminder_2", "reminder_1", "upcoming")
"""The order in which a message speaks of its invoices: the gravest step first."""


def message(row: NoticeRow, contact: dict[str, Any], sender: str, policy_url: str) -> EmailMessage:
    """The message of a notice; the same notice always gives the same message."""
    items = [item | {"amount": str(Money(item["dunnable_minor"], item["currency"]))} for item in row.items]
    template = "steps" if row.kind == "steps" else row.template
    body = TEMPLATES.get_template(f"{template}.txt").render(
        name=contact["name"],
        items=items,
        sections=list_sections(row.template, items) if row.kind == "steps" else [],
        policy_url=policy_url,
    )
    return letter(
        row.id,
        sender=sender,
        to=contact["billing_email"],
        subject=_subject(row),
        body=body,
        at=row.created_at,
    )


def list_sections(template: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the sections of a message: its items by the template of each one's own step and by what access is.

    Items that were written without them speak by the template of the whole.
    """
    sections: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in items:
        own = (item.get("template") or template, item.get("access") or "ends")
        sections.setdefault(own, []).append(item)
    ordered = sorted(sections, key=lambda own: (SECTIONS.index(own[0]), own[1]))
    return [{"template": own[0], "access": own[1], "invoices": sections[own]} for own in ordered]


def _subject(row: NoticeRow) -> str:
    """The subject of the furthest step; that access will be suspended only where an item's final notice says so."""
    if row.kind != "steps" or row.template != "final_notice":
        return SUBJECTS[row.template]
    final_notices = [item for item in row.items if item.get("template") in (None, "final_notice")]
    ends = any(item.get("access") in (None, "ends") for item in final_notices)
    return SUBJECTS["final_notice"] if ends else FINAL_NOTICE_WITHOUT_WARNING
