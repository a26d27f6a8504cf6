"""The mail that carries a document: a short text in the customer's words, and the document as PDF."""

from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

from services.invoicing.domain.documents.paper import Paper
from services.invoicing.papers.wording import Wording
from shared.mail import letter


def letter_with(paper: Paper, pdf: bytes, id_: UUID, *, sender: str, to: str, at: datetime) -> EmailMessage:
    """The letter with an invoice or a credit note; the same delivery always gives the same letter."""
    wording, seller = Wording(paper.parties.buyer.language), paper.parties.seller.name
    filled = {"number": paper.number, "about": paper.about, "total": wording.money(paper.total, paper.currency)}
    if paper.due_on:
        filled["due"] = wording.day(paper.due_on)
    body = (wording("mail_greeting"), wording(f"mail_{paper.kind}", **filled), f"{wording('mail_closing')}\n{seller}")
    mail = letter(
        id_,
        sender=sender,
        to=to,
        subject=wording(f"mail_subject_{paper.kind}", number=paper.number, seller=seller),
        body="\n\n".join(body) + "\n",
        at=at,
    )
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{paper.number}.pdf")
    mail.set_boundary(f"={id_}")  # else it is another one at each attempt
    return mail
