"""Contact persons of an account: whom a message goes to, and whose mails are answers."""

from datetime import date
from uuid import UUID

from shared.contracts.answers import AnswerContract


class LetterAddressee(AnswerContract):
    """Person of a role whom a message goes to, or the account itself."""

    name: str
    email: str
    language: str


class LetterContactPerson(AnswerContract):
    """Contact person, without name and address once erased; `valid_to` is exclusive."""

    name: str | None
    email: str | None
    language: str
    valid_to: date | None


class ContactPersonAddress(AnswerContract):
    """Contact person by mail address; null where there is none."""

    id: UUID
    email: str | None


class ContactPersonPage(AnswerContract):
    """Page of contact persons; `next` is the cursor of the page after it."""

    items: tuple[ContactPersonAddress, ...]
    next: str | None
