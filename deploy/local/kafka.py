"""One Kafka server of our own (KRaft, a single node), from its Maven artifacts."""

import asyncio
import base64
import contextlib
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from deploy.local import children, files, jars, ports
from deploy.local.children import Program, StartFailedError
from deploy.local.secured import KafkaLogin
from shared.connections.access import KafkaAccess
from shared.connections.kafka import connection_options

START_TIMEOUT = 60.0
PARTITIONS = 6
"""For every topic: the number is part of the contract with its readers."""
MEMORY = (
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)

# The session: after a hard kill the controller refuses the new broker until the old one's has run out.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={protocol}://127.0.0.1:{broker},{behind}CONTROLLER://127.0.0.1:{controller}
advertised.listeners={protocol}://127.0.0.1:{broker}{proxy}
controller.listener.names=CONTROLLER
inter.broker.listener.name={between}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,SASL_SSL:SASL_SSL
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
# One broker speaks to itself alone, on a listener that only this machine reaches.
SECURED = """\
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
 user_{username}="{password}";
"""


@dataclass(frozen=True)
class Proxied:
    """A second listener, whose clients are told to come through a proxy."""

    behind: int
    """The port of the listener itself."""
    proxy: int
    """The port of the proxy in front of it."""


class KafkaServer:
    """A broker in a folder, on free ports of 127.0.0.1.

    `start` and `stop` block; call `start` from a thread that lives as long as the server should.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        proxied: Proxied | None = None,
        login: KafkaLogin | None = None,
    ) -> None:
        self._login = login
        self.folder = folder.absolute()
        self._port = port
        self._controller_port = controller_port
        self._proxied = proxied
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Format the storage if it is new, start the broker and wait until it answers a client.

        Raises StartFailedError.
        """
        self.stop()  # reaps one that was killed
        self.prepare()
        self.start_prepared(self.program())

    def stop(self) -> None:
        """End the broker in good order."""
        if self._child is not None:
            children.end(self._child)
            self._child = None

    @cached_property
    def port(self) -> int:
        """The brokers' port on 127.0.0.1."""
        return self._port or ports.free_port()

    @cached_property
    def controller_port(self) -> int:
        """The controller's port on 127.0.0.1."""
        return self._controller_port or ports.free_port({self.port})

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        assert self._child is not None, "the broker was not started here"
        return self._child.pid

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"{ports.HOST}:{self.port}"

    @property
    def access(self) -> KafkaAccess:
        """How clients of ours reach it."""
        if self._login is None:
            return KafkaAccess(kafka=self.bootstrap)
        return KafkaAccess(
            kafka=self.bootstrap,
            kafka_security_protocol="SASL_SSL",
            kafka_ca_file=self._login.ca,
            kafka_username=self._login.username,
            kafka_password_file=self._login.password_file,
        )

    def prepare(self) -> None:
        """Fetch the jars and make the class-data archive if need be, and format a new storage."""
        jars.fetch()
        ensure_archive()
        self.configure()

    def configure(self) -> None:
        """Write the broker's configuration, and format its storage if it is new."""
        second, login = self._proxied, self._login
        between = f"PROXIED://127.0.0.1:{ports.free_port({self.port, self.controller_port})}," if login else ""
        text = PROPERTIES.format(
            broker=self.port,
            controller=self.controller_port,
            data=self._data,
            protocol="SASL_SSL" if login else "PLAINTEXT",
            between="PROXIED" if login else "PLAINTEXT",
            behind=f"PROXIED://127.0.0.1:{second.behind}," if second else between,
            proxy=f",PROXIED://127.0.0.1:{second.proxy}" if second else f",{between}".rstrip(","),
        )
        text += self._secure(login) if login else ""
        files.write(self._properties, text)
        if (self._data / "meta.properties").exists():
            return
        command = [
            *_java(),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _cluster_id(),
            "-c",
            str(self._properties),
        ]
        if login:
            scram = f"SCRAM-SHA-512=[name={login.username},password={login.password_file.read_text().strip()}]"
            command += ["--add-scram", scram]
        done = subprocess.run(children.as_user(None, tuple(command)), capture_output=True, text=True)
        if done.returncode:
            raise StartFailedError("kafka", f"storage not formatted: {done.stdout}{done.stderr}")

    def _secure(self, login: KafkaLogin) -> str:
        """Write the broker's key and certificate, and say how clients log in."""
        keystore = self.folder / "server.pem"
        files.write(keystore, login.tls.key.read_text() + login.tls.certificate.read_text(), mode=0o600)
        password = login.password_file.read_text().strip()
        return SECURED.format(keystore=keystore, username=login.username, password=password)

    def program(self, *options: str) -> Program:
        """How the broker is run, with more options for Java in front."""
        return Program(
            name="kafka",
            command=(*_java(*MEMORY, *options), "kafka.Kafka", str(self._properties)),
            directory=self.folder,
        )

    def start_prepared(self, program: Program) -> None:
        """Start the program of a configured broker, and wait until it answers a client."""
        log = self.folder / "kafka.log"
        self._child = children.spawn(program, log)
        deadline = time.monotonic() + START_TIMEOUT
        with ThreadPoolExecutor(1) as prober:  # a thread of its own: the caller's may run an event loop
            while not prober.submit(asyncio.run, self.is_ready()).result():
                if self._child.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise StartFailedError("kafka", f"did not start; see {log}")
                time.sleep(0.05)

    async def is_ready(self) -> bool:
        """Whether a client's question for the metadata is answered with a broker."""
        if not ports.answers(self.port):
            return False
        admin = AIOKafkaAdminClient(**connection_options(self.access), request_timeout_ms=3000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()

    async def create_topics(self, names: Collection[str]) -> None:
        """Create the topics that are missing; they keep everything."""
        admin = AIOKafkaAdminClient(**connection_options(self.access))
        await admin.start()
        try:
            missing = sorted(set(names) - set(await admin.list_topics()))
            keep = {"retention.ms": "-1"}
            with contextlib.suppress(TopicAlreadyExistsError):
                await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=keep) for name in missing])
            # A topic is told of before its partitions are, and nobody says when they are there.
            while any(len(one["partitions"]) < PARTITIONS for one in await admin.describe_topics(list(names))):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"


def ensure_archive() -> None:
    """Make the class-data archive, which halves the time of every later start, with a broker for one use."""
    if jars.ARCHIVE.exists():
        return
    with tempfile.TemporaryDirectory(prefix="goodstanding-kafka-") as folder:
        broker = KafkaServer(Path(folder))
        broker.configure()
        fresh = jars.ARCHIVE.with_suffix(f".{os.getpid()}")
        broker.start_prepared(broker.program(f"-XX:ArchiveClassesAtExit={fresh}"))
        broker.stop()
        if fresh.exists():
            fresh.replace(jars.ARCHIVE)


def _java(*options: str) -> tuple[str, ...]:
    archive = (f"-XX:SharedArchiveFile={jars.ARCHIVE}",) if jars.ARCHIVE.exists() else ()
    logging = f"-Dlog4j2.configurationFile=file:{jars.RECIPE / 'log4j2.xml'}"
    fixed = ("-Xshare:auto", "-Djava.awt.headless=true", logging, "-cp", jars.class_path())
    return (jars.java(), *archive, *options, *fixed)


def _cluster_id() -> str:
    """16 bytes in base64url; a leading dash would be taken for an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "A")
