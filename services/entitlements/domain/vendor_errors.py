"""Refusals of the vendor: which to wait for and try again, which to read again for, and which are final.

Codes and their meaning are those of the partner programme's REST error codes.
"""

from enum import Enum


class RefusalKind(Enum):
    """The consequence of a refusal."""

    PASSES = "passes"
    """The same call may work later."""
    STALE = "stale"
    """The resource was changed since it was read: read it again."""
    FINAL = "final"
    """It will not work however often it is tried."""


CODES: dict[str, RefusalKind] = {
    "2055": RefusalKind.STALE,  # the ETag is not the current one
    "800082": RefusalKind.PASSES,  # the subscription is not ready
    "27009": RefusalKind.PASSES,  # its parent subscription is not active
    "900278": RefusalKind.PASSES,  # another operation is pending; also during a renewal
    "2011": RefusalKind.FINAL,  # the subscription is deleted
    "20003": RefusalKind.FINAL,  # there is no such subscription
    "800040": RefusalKind.FINAL,  # the change of status is illegal
    "900115": RefusalKind.FINAL,  # a usage plan with active subscriptions under it cannot be suspended
}
"""Codes that decide whatever the status is."""

STATUSES: dict[int, RefusalKind] = {
    401: RefusalKind.PASSES,  # our credentials, so nothing about this subscription
    403: RefusalKind.PASSES,
    408: RefusalKind.PASSES,
    409: RefusalKind.PASSES,
    412: RefusalKind.STALE,
    429: RefusalKind.PASSES,
}


def classify_refusal(status: int, code: str) -> RefusalKind:
    """Classify an error answer by its code if that is known, else by its HTTP status."""
    if code in CODES:
        return CODES[code]
    return RefusalKind.PASSES if status >= 500 else STATUSES.get(status, RefusalKind.FINAL)
