"""Files and logins by which servers of ours let nobody in without TLS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The certificate of a server and its key, as PEM files."""

    certificate: Path
    key: Path

    def make_context(self) -> ssl.SSLContext:
        """Make the context of a server in this process."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True, slots=True)
class KafkaLogin:
    """TLS of a broker, and the one who may log in, with SCRAM-SHA-512 or PLAIN."""

    tls: ServerTls
    ca: Path
    """PEM of the CA that signed the certificate."""
    username: str
    password_file: Path = field(repr=False)
