"""Refusals of Partner Center: which to wait for and try again, which to read again for, and which are final.

Codes and their meaning are those of the partner programme's REST error codes.
"""

from enum import Enum


class VendorRefusalKind(Enum):
    """The consequence of a refusal."""

    PASSES = "passes"
    """The same call may work later."""
    STALE = "stale"
    """The resource was changed since it was read: read it again."""
    FINAL = "final"
    """It will not work however often it is tried."""


CODES: dict[str, VendorRefusalKind] = {
    "2055": VendorRefusalKind.STALE,  # the ETag is not the current one
    "800082": VendorRefusalKind.PASSES,  # the subscription is not ready
    "27009": VendorRefusalKind.PASSES,  # its parent subscription is not active
    "900278": VendorRefusalKind.PASSES,  # another operation is pending; also during a renewal
    "2011": VendorRefusalKind.FINAL,  # the subscription is deleted
    "20003": VendorRefusalKind.FINAL,  # there is no such subscription
    "800040": VendorRefusalKind.FINAL,  # the change of status is illegal
    "900115": VendorRefusalKind.FINAL,  # a usage plan with active subscriptions under it cannot be suspended
}
"""Codes that decide whatever the status is."""

STATUSES: dict[int, VendorRefusalKind] = {
    401: VendorRefusalKind.PASSES,  # our credentials, so nothing about this subscription
    403: VendorRefusalKind.PASSES,
    408: VendorRefusalKind.PASSES,
    409: VendorRefusalKind.PASSES,
    412: VendorRefusalKind.STALE,
    429: VendorRefusalKind.PASSES,
}


def classify_vendor_refusal(status: int, code: str) -> VendorRefusalKind:
    """Classify an error answer by its code if that is known, else by its HTTP status."""
    if code in CODES:
        return CODES[code]
    return VendorRefusalKind.PASSES if status >= 500 else STATUSES.get(status, VendorRefusalKind.FINAL)
