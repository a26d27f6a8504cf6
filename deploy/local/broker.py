"""The configuration of a Kafka broker of our own: its listeners, and how clients log in."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.secured import KafkaLogin

# The session: after a hard kill the controller refuses the new broker until the old one's has run out.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={protocol}://127.0.0.1:{broker},{behind}CONTROLLER://127.0.0.1:{controller}
advertised.listeners={protocol}://127.0.0.1:{broker}{proxy}
controller.listener.names=CONTROLLER
inter.broker.listener.name={protocol}
listener.security.protocol.map=CONTROLLER:{between},PLAINTEXT:PLAINTEXT,PROXIED:{protocol},SASL_SSL:SASL_SSL
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=2097152
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=2
"""
# The broker speaks to itself as a client does; before there are clients' logins in its storage, PLAIN has one.
SECURED = """\
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
ssl.client.auth={asking}
"""
# Beside a login a certificate is asked for only where the very listener says so (KIP-684).
LOGINS = """\
listener.name.{listener}.ssl.client.auth={asking}
listener.name.{listener}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
 required;
listener.name.{listener}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
 username="{username}" password="{password}" user_{username}="{password}";
"""


@dataclass(frozen=True)
class ProxiedListener:
    """A second listener, whose clients are told to come through a proxy."""

    behind: int
    """The port of the listener itself."""
    proxy: int
    """The port of the proxy in front of it."""


@dataclass(frozen=True)
class BrokerListeners:
    """The ports of a broker on 127.0.0.1."""

    broker: int
    controller: int
    proxied: ProxiedListener | None


def format_broker_properties(listeners: BrokerListeners, folder: Path, login: KafkaLogin | None) -> str:
    """Format the configuration of a broker with these listeners, which keeps its data in that folder."""
    second = listeners.proxied
    return PROPERTIES.format(
        broker=listeners.broker,
        controller=listeners.controller,
        data=folder,
        protocol="SASL_SSL" if login else "PLAINTEXT",
        between="SSL" if login else "PLAINTEXT",
        behind=f"PROXIED://{HOST}:{second.behind}," if second else "",
        proxy=f",PROXIED://{HOST}:{second.proxy}" if second else "",
    )


def format_broker_security(login: KafkaLogin, keystore: Path) -> str:
    """Format what lets nobody in without TLS and a login; the keystore has the broker's key and certificate."""
    password = login.password_file.read_text().strip()
    asking = "required" if login.tls.client_ca else "none"
    fields = {"asking": asking, "username": login.username, "password": password}
    text = SECURED.format(keystore=keystore, truststore=login.tls.client.ca, asking=asking)
    return text + "".join(LOGINS.format(listener=listener, **fields) for listener in ("sasl_ssl", "proxied"))
