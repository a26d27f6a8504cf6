"""Files and logins by which the servers of a stack let nobody in without TLS."""

import secrets
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from deploy.local import files
from deploy.local.children import StartFailedError
from shared.base.connections.access import MailAccess, VendorAccess
from shared.base.connections.tls import TlsFiles

USERNAME = "goodstanding"
"""As whom our processes log in, where they all are one."""
_CERTIFICATES = ("ca.pem", "server.crt", "server.key", "client.crt", "client.key", "client-key-password")
_SECRETS = ("kafka-password", "smtp-password", "vendor-secret", "vendor-refresh-token")


@dataclass(frozen=True, slots=True)
class ServerTlsFiles:
    """The certificate of a server and its key, as PEM files, and the files of its clients."""

    certificate: Path
    key: Path
    client: TlsFiles
    """Their CA is that of both sides; where they have a certificate, the server asks for one."""

    @property
    def client_ca(self) -> Path | None:
        """The CA whose certificates clients must have; None: they need none."""
        return self.client.ca if self.client.certificate else None

    def make_context(self) -> ssl.SSLContext:
        """Make the context of a server in this process."""
        return make_server_context(self.certificate, self.key, self.client_ca)


@dataclass(frozen=True, slots=True)
class KafkaLogin:
    """TLS of a broker, and the one who may log in, with SCRAM-SHA-512 or PLAIN."""

    tls: ServerTlsFiles
    username: str
    password_file: Path = field(repr=False)


class Security:
    """The folder by which the servers of one stack let nobody in without TLS, a certificate and a login.

    Certificates are put there before the start: `ca.pem`, `server.crt` and `.key` for 127.0.0.1, `client.crt` and
    `.key`, and `client-key-password`. The other secrets are made up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        key, password = folder / "client.key", folder / "client-key-password"
        self.client = TlsFiles(folder / "ca.pem", folder / "client.crt", key, password)
        self.server = ServerTlsFiles(folder / "server.crt", folder / "server.key", self.client)
        self.kafka_login = KafkaLogin(self.server, USERNAME, folder / "kafka-password")
        self.smtp_password_file = folder / "smtp-password"
        self.vendor_client_file = folder / "vendor-client.json"

    def prepare(self) -> None:
        """Make the secrets that are missing. Raises StartFailedError where a certificate is missing."""
        if missing := [name for name in _CERTIFICATES if not (self._folder / name).exists()]:
            raise StartFailedError("security", f"not in {self._folder}: {', '.join(missing)}")
        for name in _SECRETS:
            if not (self._folder / name).exists():
                files.write_private_file(self._folder / name, secrets.token_urlsafe(24), mode=0o600)
        client = {"client_id": USERNAME, "client_secret": (self._folder / "vendor-secret").read_text()}
        client["refresh_token"] = (self._folder / "vendor-refresh-token").read_text()
        files.write_json(self.vendor_client_file, client, mode=0o600)

    def mail_access(self, port: int) -> MailAccess:
        """How the mail hop on that port is reached."""
        return MailAccess(
            smtp_port=port,
            smtp_security="starttls",
            smtp_username=USERNAME,
            smtp_password_file=self.smtp_password_file,
            **name_tls_files("smtp", self.client),
        )

    def vendor_access(self, url: str) -> VendorAccess:
        """How the vendor at that address is reached."""
        return VendorAccess(
            vendor_url=url,
            vendor_token_url=f"{url}/oauth2/token",
            vendor_client_id=USERNAME,
            vendor_client_secret_file=self._folder / "vendor-secret",
            vendor_refresh_token_file=self._folder / "vendor-refresh-token",
            **name_tls_files("vendor", self.client),
        )


def make_server_context(certificate: Path, key: Path | None, client_ca: Path | None) -> ssl.SSLContext:
    """Make a server's context from PEM files; with a CA, clients must have a certificate of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def name_tls_files(prefix: str, client: TlsFiles) -> dict[str, Any]:
    """Name a client's files as the settings of that prefix."""
    return {
        f"{prefix}_ca_file": client.ca,
        f"{prefix}_certificate_file": client.certificate,
        f"{prefix}_key_file": client.key,
        f"{prefix}_key_password_file": client.key_password,
    }


def list_access_variables(access: BaseSettings) -> dict[str, str]:
    """List the environment that says the same as these settings."""
    prefix = access.model_config["env_prefix"]
    return {f"{prefix}{name}".upper(): str(value) for name, value in access.model_dump(exclude_defaults=True).items()}
