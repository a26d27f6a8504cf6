"""Requests to a distributor as mail: the text of a ticket with its evidence pack, or a note of ours."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

from services.escalation.domain.mails import build_reply_address
from shared.outside.mail import build_letter, format_mail_sender

PACK_NAME = "request.zip"


@dataclass(frozen=True, slots=True)
class DistributorMail:
    """A mail to a distributor, with the secrets of its answer and of its bounce; a note has no pack."""

    id: UUID
    company: str
    recipient: str
    subject: str
    content: str
    pack: bytes | None
    token: str
    secret: str
    in_reply_to: str | None
    written_at: datetime


def write_distributor_mail(request: DistributorMail, support_address: str) -> EmailMessage:
    """Write the mail of a request or note; the same one always gives the same mail."""
    mail = build_letter(
        request.id,
        sender=format_mail_sender(request.company, support_address, support_address),
        to=request.recipient,
        subject=request.subject,
        body=request.content,
        at=request.written_at,
        reply_to=build_reply_address(support_address, request.token),
        secret=request.secret,
        is_automatic=False,
    )
    if request.in_reply_to:
        mail["In-Reply-To"] = mail["References"] = request.in_reply_to
    if request.pack is not None:
        mail.add_attachment(request.pack, maintype="application", subtype="zip", filename=PACK_NAME)
        mail.set_boundary(f"={request.id}")
    return mail
