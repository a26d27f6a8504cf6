"""Rules of contact persons: in which roles there are, how they are reached, and when they are asked."""

from datetime import date
from typing import Literal

from shared.pure.errors import Refusal

ContactRole = Literal["billing", "technical", "owner"]
ContactChannel = Literal["email", "phone", "letter"]
DEFAULT_ROLE: ContactRole = "billing"
"""The role of the addressee where nobody has the one that is asked for."""


class ContactPersonRefused(Refusal):
    """The fields of a contact person do not fit one another."""

    code = "contact_person_refused"
    status = 422


class ContactPersonErased(Refusal):
    """A contact person who was erased stays so, and is not changed."""

    code = "contact_person_erased"


def check_contact_person(channel: str, phone: str | None, valid_from: date, valid_to: date | None) -> None:
    """Refuse a channel without its number, and a validity that ends before it begins. Raises ContactPersonRefused."""
    if channel == "phone" and phone is None:
        raise ContactPersonRefused("phone: who is reached by telephone has a number")
    if valid_to is not None and valid_to < valid_from:
        raise ContactPersonRefused(f"valid_to: {valid_to} is before {valid_from}, from which on the person is valid")
