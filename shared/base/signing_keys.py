"""The public keys of tokens: a JWK set (RFC 7517) in a file that others replace while we run.

A key is for one algorithm, that of its type. A key that cannot be used is left out and told of, and so is each of two
that have one id: nobody could say which of them signed. A file that cannot be read at all leaves the last good set.
"""

import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
import orjson
from prometheus_client import Counter, Gauge

from shared.base.clock import read_system_clock
from shared.base.telemetry import log
from shared.pure.errors import Unavailable

READ_EVERY_SECONDS = 30.0
"""How old what we know of the file may be: a key that was taken out of it is believed no longer than this."""
ASKED_EVERY_SECONDS = 1.0
"""How often tokens of keys that are not known may make us look whether they are new."""
_ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}
"""By key type and curve. Asymmetric only: a service can check a token and never make one."""
MIN_RSA_BITS = 2048
"""RFC 7518, section 3.3."""

UNREADABLE = Counter("goodstanding_signing_keys_unreadable", "Times that the file of the public keys was not readable.")
UNREADABLE_SINCE = Gauge(
    "goodstanding_signing_keys_unreadable_since_timestamp_seconds",
    "When the file of the public keys was not readable for the first time since it last was; 0 while it is.",
)


class SigningKeysMissing(Unavailable):
    """No public keys were read yet, so nobody can be let in."""

    code = "keys_missing"


class PublicKeySet:
    """The usable keys of one content of the file, by id. Each is an object of its own, by which tokens are kept."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._keys = _parse_keys(content)

    def find_public_key(self, kid: str) -> jwt.PyJWK | None:
        """Find a key."""
        return self._keys.get(kid)


def _parse_keys(content: bytes) -> dict[str, jwt.PyJWK]:
    """Parse a JWK set. Raises ValueError for what is none."""
    document = orjson.loads(content)
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("the file is no JWK set")
    keys: dict[str, jwt.PyJWK] = {}
    seen: set[str] = set()
    for place, member in enumerate(members):
        try:
            kid, key = _parse_key(member)
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            log.warning("a public key cannot be used", place=place, why=type(error).__name__)
            continue
        if kid in seen:
            log.warning("public keys have the same id", place=place)
            keys.pop(kid, None)
            continue
        seen.add(kid)
        keys[kid] = key
    return keys


def _parse_key(member: Any) -> tuple[str, jwt.PyJWK]:
    """Parse a key with its id. Raises ValueError, TypeError or PyJWT's errors for one that cannot be used."""
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str) or member.get("use", "sig") != "sig":
        raise ValueError("no key with an id, for signatures")
    kind, curve = str(member.get("kty")), member.get("crv")
    algorithm = _ALGORITHMS.get((kind, None if kind == "RSA" else str(curve)))
    if algorithm is None or member.get("alg", algorithm) != algorithm:
        raise ValueError("no key type of ours, or an algorithm that is not its own")
    public = {name: value for name, value in member.items() if name in ("kty", "crv", "x", "y", "n", "e", "kid")}
    key = jwt.PyJWK(public, algorithm=algorithm)
    if kind == "RSA" and key.key.key_size < MIN_RSA_BITS:
        raise ValueError("too short")
    return member["kid"], key


class SigningKeys:
    """The keys of one file, as new as they have to be."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._set: PublicKeySet | None = None
        self._read_at = float("-inf")
        self._is_well = True

    def get_key_set(self) -> PublicKeySet:
        """Get what the file says, or said lately. Raises SigningKeysMissing if it never said anything."""
        self._read_after(READ_EVERY_SECONDS)
        if self._set is None:
            self._read_after(ASKED_EVERY_SECONDS)
        if self._set is None:
            raise SigningKeysMissing("the public keys are not readable; try again")
        return self._set

    def get_newer_key_set(self) -> PublicKeySet:
        """Get what the file says for a token whose key is not known: it may be new. Raises SigningKeysMissing."""
        self._read_after(ASKED_EVERY_SECONDS)
        return self.get_key_set()

    def _read_after(self, seconds: float) -> None:
        """Read the file if it was not read for so long; what cannot be read leaves what is known."""
        now = time.monotonic()
        if now - self._read_at < seconds:
            return
        self._read_at = now
        try:
            content = self._file.read_bytes()
            if self._set is None or content != self._set.content:
                self._set = PublicKeySet(content)
            self._note_reading(is_well=True)
        except (OSError, ValueError) as error:
            UNREADABLE.inc()
            self._note_reading(is_well=False)
            log.error("the public keys are not readable", why=type(error).__name__, kept=self._set is not None)

    def _note_reading(self, *, is_well: bool) -> None:
        """Note since when the file is not readable, for the alert."""
        if is_well == self._is_well:
            return
        self._is_well = is_well
        UNREADABLE_SINCE.set(0 if is_well else read_system_clock().timestamp())


@lru_cache(maxsize=16)
def get_signing_keys(file: Path) -> SigningKeys:
    """Get the keys of a file, which the whole process shares."""
    return SigningKeys(file)
