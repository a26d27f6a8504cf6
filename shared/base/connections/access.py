"""Settings of how the database, the broker, the mail hop and the vendor are reached; part of `shared.base.settings`.

ReplySecrets stand in files, which are read again for each new connection, so that a rotated one needs no restart.
"""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.base.connections.tls import TlsFiles


class EnvironmentSettings(BaseSettings):
    """Settings that are read from the environment, whose names begin with `GOODSTANDING_`."""

    model_config = SettingsConfigDict(
        env_prefix="GOODSTANDING_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )


class DatabaseAccess(EnvironmentSettings):
    """How Postgres is reached."""

    database_url: str = Field(repr=False)
    """postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, with the service's own role; the password only if it stands in
    no file."""
    database_password_file: Path | None = None
    database_sslmode: Literal["disable", "verify-full"] = "disable"
    """`verify-full`: TLS 1.2 or newer, and the server's certificate is that of the URL's host."""
    database_ca_file: Path | None = None
    """PEM of the CAs that are trusted; None: those of the system."""
    database_certificate_file: Path | None = None
    """PEM of the role's own certificate, where the server asks for one; with `database_key_file`."""
    database_key_file: Path | None = None
    database_key_password_file: Path | None = None
    """The password of the key, where the key is encrypted."""

    @property
    def database_tls(self) -> TlsFiles:
        """The files of TLS with Postgres."""
        return TlsFiles(
            self.database_ca_file,
            self.database_certificate_file,
            self.database_key_file,
            self.database_key_password_file,
        )

    @model_validator(mode="after")
    def _check_database(self) -> Self:
        place = urlsplit(self.database_url)
        if any(name.startswith("ssl") for name in parse_qs(place.query)):
            raise ValueError("DATABASE_URL says how TLS is done; DATABASE_SSLMODE and DATABASE_CA_FILE do that")
        if place.password and self.database_password_file:
            raise ValueError("DATABASE_URL and DATABASE_PASSWORD_FILE both have a password")
        self.database_tls.check("DATABASE", in_use=self.database_sslmode != "disable")
        return self


class KafkaAccess(EnvironmentSettings):
    """How Kafka is reached."""

    kafka: str = "127.0.0.1:9092"
    """Bootstrap servers, comma-separated."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "PLAIN"] = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    """PEM of the CAs that are trusted; None: those of the system."""
    kafka_certificate_file: Path | None = None
    """PEM of a certificate of our own, where the brokers ask for one; with `kafka_key_file`."""
    kafka_key_file: Path | None = None
    kafka_key_password_file: Path | None = None
    """The password of the key, where the key is encrypted."""

    @property
    def kafka_tls(self) -> TlsFiles:
        """The files of TLS with Kafka."""
        return TlsFiles(
            self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file, self.kafka_key_password_file
        )

    @model_validator(mode="after")
    def _check_kafka(self) -> Self:
        self.kafka_tls.check("KAFKA", in_use=self.kafka_security_protocol != "PLAINTEXT")
        has_login = bool(self.kafka_username), self.kafka_password_file is not None
        if has_login != (self.kafka_security_protocol == "SASL_SSL",) * 2:
            raise ValueError("KAFKA_USERNAME and KAFKA_PASSWORD_FILE belong to SASL_SSL, and both are needed")
        return self


class MailAccess(EnvironmentSettings):
    """How the next mail hop is reached."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 2525
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    """`starttls`: the hop must offer STARTTLS (RFC 3207); `tls`: TLS from the first octet (RFC 8314)."""
    smtp_username: str = ""
    smtp_password_file: Path | None = None
    smtp_ca_file: Path | None = None
    """PEM of the CAs that are trusted; None: those of the system."""
    smtp_certificate_file: Path | None = None
    """PEM of a certificate of our own, where the hop asks for one; with `smtp_key_file`."""
    smtp_key_file: Path | None = None
    smtp_key_password_file: Path | None = None
    """The password of the key, where the key is encrypted."""

    @property
    def smtp_tls(self) -> TlsFiles:
        """The files of TLS with the mail hop."""
        return TlsFiles(self.smtp_ca_file, self.smtp_certificate_file, self.smtp_key_file, self.smtp_key_password_file)

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        self.smtp_tls.check("SMTP", in_use=self.smtp_security != "none")
        if bool(self.smtp_username) != (self.smtp_password_file is not None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD_FILE belong together")
        if self.smtp_username and self.smtp_security == "none":
            raise ValueError("SMTP_USERNAME needs SMTP_SECURITY: a password is not sent in plain text")
        return self


class VendorAccess(EnvironmentSettings):
    """How the vendor is reached, and the OAuth 2.0 grant (RFC 6749) whose token it is called with."""

    vendor_url: str = "http://127.0.0.1:8010"
    vendor_ca_file: Path | None = None
    """PEM of the CAs that are trusted; None: those of the system."""
    vendor_certificate_file: Path | None = None
    """PEM of a certificate of our own, where the vendor asks for one; with `vendor_key_file`."""
    vendor_key_file: Path | None = None
    vendor_key_password_file: Path | None = None
    """The password of the key, where the key is encrypted."""
    vendor_token_url: str = ""
    """Where tokens come from; empty: the vendor is called without one, as the simulator may be."""
    vendor_client_id: str = ""
    vendor_client_secret_file: Path | None = None
    vendor_scope: str = ""
    vendor_refresh_token_file: Path | None = None
    """With it the grant is `refresh_token` (the context of app and user); without, `client_credentials`. It is read
    for each token, so whoever keeps it fresh writes a new one into it."""

    @property
    def vendor_tls(self) -> TlsFiles:
        """The files of TLS with the vendor."""
        return TlsFiles(
            self.vendor_ca_file, self.vendor_certificate_file, self.vendor_key_file, self.vendor_key_password_file
        )

    @model_validator(mode="after")
    def _check_vendor(self) -> Self:
        self.vendor_tls.check("VENDOR", in_use=self.vendor_url.startswith("https://"))
        if not self.vendor_token_url:
            if self.vendor_client_id or self.vendor_client_secret_file or self.vendor_refresh_token_file:
                raise ValueError("VENDOR_TOKEN_URL is missing, though there is a client for it")
            return self
        if not all(url.startswith("https://") for url in (self.vendor_url, self.vendor_token_url)):
            raise ValueError("VENDOR_URL and VENDOR_TOKEN_URL begin with https:// where there are tokens")
        if not self.vendor_client_id or not (self.vendor_client_secret_file or self.vendor_certificate_file):
            raise ValueError("VENDOR_TOKEN_URL needs VENDOR_CLIENT_ID, and a secret or a certificate of the client")
        return self
