"""How clients of Kafka are connected: TLS, a certificate of our own, and a login with SASL."""

from collections.abc import Awaitable
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from shared.base.connections.access import KafkaAccess
from shared.base.connections.tls import (
    TlsOrLoginRefused,
    describe_tls_refusal,
    read_certificate_state,
    read_secret,
)

LOOK_SECONDS = 3.0
"""How long a broker may take to say why it refuses us."""


def build_kafka_options(access: KafkaAccess) -> dict[str, Any]:
    """Options of every client of aiokafka, with the files as they are now. Raises ConnectionAccessRefused."""
    return {"bootstrap_servers": access.kafka, **_security(access)}


def read_kafka_file_state(access: KafkaAccess) -> tuple[object, ...]:
    """Read the state of the files: a client that was made of others logs in with what is no more."""
    return (*access.kafka_tls.read_state(), read_certificate_state(access.kafka_password_file))


async def start_client(starting: Awaitable[object], access: KafkaAccess) -> None:
    """Await the start of a client. Raises ConnectionAccessRefused for TLS or the login, else what the client raises."""
    try:
        await starting
    except (KafkaError, OSError) as error:
        if refusal := await find_kafka_refusal(access):
            raise TlsOrLoginRefused(f"the broker: {refusal}") from error
        raise


async def find_kafka_refusal(access: KafkaAccess) -> str | None:
    """Find what of TLS or the login a broker refuses: its client hides that. None if it is away, or lets us in."""
    if access.kafka_security_protocol == "PLAINTEXT":
        return None
    for server in access.kafka.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=int(LOOK_SECONDS * 1000), **_security(access)
            )
        except SaslAuthenticationFailed:
            return "the login is refused"
        except (KafkaError, OSError) as error:
            if refusal := describe_tls_refusal(error):
                return refusal
        else:
            connection.close()
            return None
    return None


def _security(access: KafkaAccess) -> dict[str, Any]:
    if access.kafka_security_protocol == "PLAINTEXT":
        return {}
    options = {"security_protocol": access.kafka_security_protocol, "ssl_context": access.kafka_tls.make_context()}
    if access.kafka_password_file is None:
        return options
    return options | {
        "sasl_mechanism": access.kafka_sasl_mechanism,
        "sasl_plain_username": access.kafka_username,
        "sasl_plain_password": read_secret(access.kafka_password_file),
    }
