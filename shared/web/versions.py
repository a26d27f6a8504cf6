"""Versions of what is changed over REST: each change names the one that it changes (`If-Match`, RFC 9110, 13.1.1)."""

from shared.pure.errors import Refusal

ANY_VERSION = -1
"""The version that `If-Match: *` names: whichever there is."""


class ChangedMeanwhile(Refusal):
    """It was changed meanwhile, so the change is one of what nobody sees any more."""

    code = "stale"
    status = 412


class IfMatchMissing(Refusal):
    """A change names the version that it changes, so that nobody overwrites what they have not seen."""

    code = "if_match_missing"
    status = 428


def parse_if_match(if_match: str | None) -> int:
    """Parse the version that an ETag names, ANY_VERSION for `*`. Raises IfMatchMissing."""
    if if_match == "*":
        return ANY_VERSION
    plain = (if_match or "").strip('"')
    if not (plain.isdecimal() and plain.isascii() and len(plain) < 19):
        raise IfMatchMissing("send If-Match with the ETag of what is changed")
    return int(plain)


def check_object_version(version: int, wanted: int) -> None:
    """Refuse a change of another version than the present one. Raises ChangedMeanwhile."""
    if wanted not in (version, ANY_VERSION):
        raise ChangedMeanwhile(f"it is at version {version}")


def build_etag(version: int) -> str:
    """Build the ETag of a version."""
    return f'"{version}"'
