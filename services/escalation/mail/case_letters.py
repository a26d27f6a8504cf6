"""Messages to the customer as mail: what a person wrote, between a greeting and a closing in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from services.escalation.domain.mails import build_reply_address
from shared.base.locale_texts import LocaleTexts, choose_locale
from shared.contracts.notice_facts import NoticeSeller
from shared.outside.mail import build_letter, format_mail_sender

WORDS = Path(__file__).parent.parent / "templates" / "words"


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """A message of a case, with the secrets of its answer and of its bounce."""

    id: UUID
    case_number: int
    case_kind: str
    case_subject: str | None
    """None where the subject is words of ours."""
    content: str
    token: str
    secret: str
    in_reply_to: str | None
    written_at: datetime


@dataclass(frozen=True, slots=True)
class LetterRecipient:
    """Whom a message is for."""

    name: str
    email: str
    language: str


def write_case_letter(
    message: CaseMessage,
    reader: LetterRecipient,
    seller: NoticeSeller | None,
    support_address: str,
    invoice_number: str | None = None,
    next_day: date | None = None,
) -> EmailMessage:
    """Write the mail of a message; the same message, reader, seller, number and day always give the same mail.

    It comes from the legal entity's own address, else from support's, and is answered to the address of the case.
    `invoice_number` is that of an invoice that was disputed, `next_day` the day of its next step.
    """
    texts = LocaleTexts(WORDS, choose_locale(reader.language, seller.language if seller else None))
    name = seller.name if seller else ""
    signature = "\n".join(line for line in (seller.signature if seller else None, name) if line)
    closing = "\n".join(line for line in (texts("closing"), signature) if line)
    content = [message.content] + ([texts("next_step", day=texts.write_day(next_day))] if next_day else [])
    body = (texts("greeting", name=reader.name), *content, closing, texts("answer", number=message.case_number))
    mail = build_letter(
        message.id,
        sender=format_mail_sender(name, seller.mail_from if seller else None, support_address),
        to=reader.email,
        subject=texts("subject", number=message.case_number, subject=_write_topic(texts, message, invoice_number)),
        body="\n\n".join(body) + "\n",
        at=message.written_at,
        reply_to=build_reply_address(support_address, message.token),
        secret=message.secret,
        is_automatic=False,
    )
    if message.in_reply_to:
        mail["In-Reply-To"] = mail["References"] = message.in_reply_to
    return mail


def _write_topic(texts: LocaleTexts, message: CaseMessage, invoice_number: str | None) -> str:
    """Write what a mail is about: the subject that a person gave the case, else what its kind is called."""
    if message.case_subject is not None:
        return message.case_subject
    topic = texts(f"topic_{message.case_kind}")
    return texts("topic_of_invoice", topic=topic, number=invoice_number) if invoice_number else topic
