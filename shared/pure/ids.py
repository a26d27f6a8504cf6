"""Identifiers: UUID version 7 (RFC 9562), so that they sort by the time they were made."""

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new identifier."""
    return uuid7()


def new_text_id() -> str:
    """A new identifier, as text."""
    return str(uuid_utils.uuid7())
