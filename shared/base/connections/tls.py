"""TLS of our clients: contexts from files, and sentences for what is refused, without any secret."""

import re
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx2

_CERTIFICATES = {9: "is not valid yet", 10: "has expired", 62: "is for another host", 64: "is for another address"}
"""Meanings of OpenSSL's codes of verification (`X509_V_ERR_…`). Any other code: no trusted authority has signed it."""
_OUR_CERTIFICATE = re.compile("ALERT_.*CERTIFICATE|ALERT_UNKNOWN_CA")
"""Alerts of the other side about the certificate that we show, or do not show (RFC 8446, 6.2)."""


class TlsOrLoginRefused(ConnectionError):
    """The other side is there, and TLS or the login with it fails; the text says how, and holds no secret."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files that TLS with one other side is made from."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: Path | None = None
    """With the password of the key, where the key is encrypted."""

    def check(self, prefix: str, *, in_use: bool) -> None:
        """Check that they fit together and to the settings of that prefix. Raises ValueError."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError(f"{prefix}_CERTIFICATE_FILE and {prefix}_KEY_FILE belong together")
        if self.key_password and self.key is None:
            raise ValueError(f"{prefix}_KEY_PASSWORD_FILE is there, and no {prefix}_KEY_FILE")
        if not in_use and (self.ca or self.certificate):
            raise ValueError(f"{prefix} has files for TLS, and TLS is not switched on")

    def make_context(self) -> ssl.SSLContext:
        """Make a client's context from the files as they are now.

        Raises ConnectionAccessRefused for one that is unusable.
        """
        context = make_empty_context()
        self.load(context)
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Load the files as they are now into a client's context, for connections to come.

        What a context trusted before it goes on trusting. Raises ConnectionAccessRefused.
        """
        try:
            if self.ca is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, self._read_key_password)
        except TlsOrLoginRefused:
            raise
        except (OSError, ValueError) as error:
            raise TlsOrLoginRefused(f"the files for TLS are unusable: {type(error).__name__}") from error

    def read_state(self) -> tuple[tuple[int, int] | None, ...]:
        """Read when each file was written, and its size: another state tells that files were replaced."""
        return tuple(read_certificate_state(path) for path in (self.ca, self.certificate, self.key, self.key_password))

    def _read_key_password(self) -> str:
        """Read what OpenSSL needs for an encrypted key; without this it asks a terminal.

        Raises ConnectionAccessRefused.
        """
        if self.key_password is None:
            raise TlsOrLoginRefused("the key for TLS is encrypted, and no file has its password")
        return read_secret(self.key_password)


def make_empty_context() -> ssl.SSLContext:
    """Make a client's context that checks certificates and hosts, and trusts nobody yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@cache
def get_default_context() -> ssl.SSLContext:
    """The one context of this process that trusts the machine's authorities: to load them takes 30 ms each time."""
    return httpx2.create_ssl_context()


def read_certificate_state(path: Path | None) -> tuple[int, int] | None:
    """Read when a file was written, and its size; None where there is none."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if status else None


def read_secret(path: Path) -> str:
    """Read a secret as it is now; a line break at its end is none of it. Raises ConnectionAccessRefused."""
    try:
        secret = path.read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise TlsOrLoginRefused(f"the secret's file {path.name} cannot be read: {type(error).__name__}") from error
    if not secret:
        raise TlsOrLoginRefused(f"the secret's file {path.name} is empty")
    return secret


def describe_tls_refusal(error: BaseException | None) -> str | None:
    """Describe what of TLS failed within an error; None where it was nothing of TLS or of a secret."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, TlsOrLoginRefused):
            return str(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate {_CERTIFICATES.get(error.verify_code, 'is signed by nobody who is trusted')}"
        if isinstance(error, ssl.SSLError):
            if _OUR_CERTIFICATE.search(error.reason or ""):
                return "it takes no certificate of ours"
            return f"TLS does not come about: {error.reason or 'broken off'}"
        error = error.__cause__ or error.__context__
    return None
