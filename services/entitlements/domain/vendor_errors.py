"""What the vendor's refusals mean: wait and try again, read again, or take it as final.

Codes and their meaning are those of the partner programme's REST error codes.
"""

from enum import Enum


class Meaning(Enum):
    """What to do about a refusal."""

    PASSES = "passes"
    """The same call may work later."""
    STALE = "stale"
    """The resource was changed since it was read: read it again."""
    FINAL = "final"
    """It will not work however often it is tried."""


CODES: dict[str, Meaning] = {
    "2055": Meaning.STALE,  # the ETag is not the current one
    "800082": Meaning.PASSES,  # the subscription is not ready
    "27009": Meaning.PASSES,  # its parent subscription is not active
    "900278": Meaning.PASSES,  # another operation is pending; also during a renewal
    "2011": Meaning.FINAL,  # the subscription is deleted
    "20003": Meaning.FINAL,  # there is no such subscription
    "800040": Meaning.FINAL,  # the change of status is illegal
    "900115": Meaning.FINAL,  # a usage plan with active subscriptions under it cannot be suspended
}
"""Codes that decide whatever the status is."""

STATUSES: dict[int, Meaning] = {
    401: Meaning.PASSES,  # our credentials, so nothing about this subscription
    403: Meaning.PASSES,
    408: Meaning.PASSES,
    409: Meaning.PASSES,
    412: Meaning.STALE,
    429: Meaning.PASSES,
}


def meaning_of(status: int, code: str) -> Meaning:
    """What an error answer means: by its code if that is known, else by its HTTP status."""
    if code in CODES:
        return CODES[code]
    return Meaning.PASSES if status >= 500 else STATUSES.get(status, Meaning.FINAL)
