"""The mail that carries a document: a short text in the customer's words, and the document as PDF."""

from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

from services.invoicing.accounts.tables.legal_entity_tables import LegalEntityRow
from services.invoicing.documents.domain.paper import DocumentContent
from services.invoicing.documents.papers.wording import DocumentWording
from shared.outside.mail import build_letter, format_mail_sender


def build_document_mail(
    paper: DocumentContent,
    pdf: bytes,
    id_: UUID,
    *,
    sender: str,
    to: str,
    at: datetime,
    secret: str = "",
    entity: LegalEntityRow | None = None,
) -> EmailMessage:
    """The letter with an invoice or a credit note; the same delivery always gives the same letter.

    It comes from the legal entity's own address where that has one, and bears its signature.
    """
    wording, seller = DocumentWording(paper.parties.buyer.language), paper.parties.seller.name
    filled = {
        "number": paper.number,
        "about": paper.credited_invoice,
        "total": wording.format_document_money(paper.total_minor, paper.currency),
    }
    if paper.due_on:
        filled["due"] = wording.format_document_date(paper.due_on)
    signature = f"{entity.signature}\n{seller}" if entity and entity.signature else seller
    closing = f"{wording('mail_closing')}\n{signature}"
    body = (wording("mail_greeting"), wording(f"mail_{paper.kind}", **filled), closing)
    mail = build_letter(
        id_,
        sender=format_mail_sender(seller, entity.mail_from if entity else None, sender),
        to=to,
        subject=wording(f"mail_subject_{paper.kind}", number=paper.number, seller=seller),
        body="\n\n".join(body) + "\n",
        at=at,
        reply_to=entity.reply_to if entity else None,
        secret=secret,
    )
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{paper.number}.pdf")
    mail.set_boundary(f"={id_}")  # else it is another one at each attempt
    return mail
