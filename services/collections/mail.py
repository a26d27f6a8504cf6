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


def message(row: NoticeRow, contact: dict[str, Any], sender: str, policy_url: str) -> EmailMessage:
    """The message of a notice; the same notice always gives the same message."""
    text = TEMPLATES.get_template(f"{row.template}.txt").render(
        name=contact["name"],
        items=[item | {"amount": str(Money(item["dunnable_minor"], item["currency"]))} for item in row.items],
        policy_url=policy_url,
    )
    subject, _, body = text.partition("\n")
    return letter(
        row.id,
        sender=sender,
        to=contact["billing_email"],
        subject=subject.removeprefix("Subject: "),
        body=body.lstrip("\n"),
        at=row.created_at,
    )
