"""Settings of a process from its environment; every name begins with `GOODSTANDING_`."""

from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.base.connections.access import DatabaseAccess, KafkaAccess, MailAccess, VendorAccess
from shared.pure.addresses import parse_mail_address


def _check_sender(sender: str) -> str:
    """Check that a sender is an address, with or without a name before it."""
    parse_mail_address(parseaddr(sender)[1])
    return sender


def _check_support_address(address: str) -> str:
    """Check that an address has room for a secret behind its local part, which has 64 characters at most."""
    local_part, _, _ = parse_mail_address(address).partition("@")
    if len(local_part) > 20 or "+" in local_part:
        raise ValueError("the part before the @ has at most 20 characters, and no plus sign")
    return parse_mail_address(address)


class Settings(DatabaseAccess, KafkaAccess, MailAccess, VendorAccess):
    """One process' settings. Durations are seconds on the system's clock unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = 8000
    max_requests: int = 400
    """How many requests this process answers at a time; one more gets 503."""
    max_connections: int = 800
    """How many connections this process has at a time; one more gets 503. More than requests, since most of them rest;
    fewer than the files that a process may open, with those of the database and the broker."""
    clock: Literal["system", "sandbox"] = "system"
    """Where business time comes from: the system, or the row in the schema `clock`."""

    jwks_file: Path
    """The public keys (a JWK set) whose tokens this service believes; read again all the time."""
    issuer: str = Field(min_length=1)
    """Who issues the tokens that this service believes: their claim `iss`."""
    max_token_seconds: int = 12 * 3600
    """How long a token may be good for, from `iat` to `exp`: a working day of a person's, and far more than a
    service's, which are renewed from outside."""
    tokens_dir: Path | None = None
    """A folder with this service's own tokens, `<audience>.jwt` each, kept fresh from outside
    (as Kubernetes does with projected tokens), so that no service holds a signing key."""

    invoicing_url: str = "http://127.0.0.1:8001"
    collections_url: str = "http://127.0.0.1:8002"
    entitlements_url: str = "http://127.0.0.1:8003"
    escalation_url: str = "http://127.0.0.1:8004"
    tax_calculator_url: str = ""
    """Where the outside tax calculator answers (docs/tax-calculator.md); empty: there is none, and no account of a
    legal entity whose tax it shall calculate is billed."""
    tax_calculator_token_file: Path | None = None
    """A file with the token for it, read anew for each question; None: it is asked without one."""
    mail_from: Annotated[str, AfterValidator(_check_sender)] = "Billing <billing@reseller.example>"
    """Who writes to customers, where their legal entity has no address of its own."""
    support_address: Annotated[str, AfterValidator(_check_support_address)] = "support@reseller.example"
    """Where customers write to support. Answers to mails of a case, and what bounces of them, come to this address
    with a plus sign and a secret behind its local part, so the mail relay takes all of these."""
    public_url: str = ""
    """Where customers reach collections' public pages; empty: `collections_url`."""

    pdf_workers: int = 1
    """How many processes of this one's own make PDF; they are started when the first document is wanted."""
    pdf_seconds: float = 25.0
    """How long one document may take: one of 2000 lines, the most that there are, takes about 10."""
    pdf_queue: int = 16
    """How many documents are printed and wait at once; one more is refused with 503."""

    metrics_port: int | None = None
    """Where Prometheus finds `/metrics`; None: nothing is counted for it, and no figures are read."""
    metrics_interval: float = 15.0
    """How often the figures of a service are read from Postgres."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    pool_size: int = 10
    lock_timeout: float = 3.0
    """How long a unit waits for a lock before the request gets 503."""
    idle_transaction: float = 20.0
    """How long a transaction may rest between two statements before the server ends it: what a process that froze
    amid one holds is free then for the others."""
    relay_poll: float = 0.1
    """How long the relay sleeps when nothing wakes it."""
    jobs_poll: float = 0.5
    """How long sweeps and intents sleep when nothing wakes them."""
    chunk_accounts: int = 2000
    """How many accounts one unit of a set-based sweep (bill run, renewals) takes at most."""
    hung_after: float = 20.0
    """Without progress for this long while there is something to read, a consumer is hung. More than Kafka's session
    time-out, which the successor of a dead member waits for, and than a unit waits for locks in all its attempts."""
    flood_heads: int = 20
    flood_window: float = 60.0
    """This many parked heads within this window stop the group."""


@lru_cache
def load_settings() -> Settings:
    """This process' settings, read once."""
    return Settings()  # filled from the environment
